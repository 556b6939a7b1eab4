//! The three pages: a button, a key, a dead link. Plain, without style and script, readable in any browser.

use crate::wire::OpenedLinkView;

/// Asks whether to use the link up. The form posts to the page's own address.
pub(super) fn button() -> String {
    page(
        "<p>This link lets you in once. It shows a key for the admin API and dies.</p>\
         <form method=\"post\"><button>Show the key</button></form>",
    )
}

/// Shows the key.
pub(super) fn key(opened: &OpenedLinkView) -> String {
    page(&format!(
        "<p>You are <strong>{user}</strong>. This is your key for the admin API. It is shown only now.</p>\
         <pre>{key}</pre>\
         <p>Give it to the command line by the environment variable <code>BAILIWICK_KEY</code>.</p>",
        user = escape(&opened.user),
        key = escape(&opened.key),
    ))
}

/// Says that the link lets nobody in.
pub(super) fn dead() -> String {
    page(
        "<p>This link was used, has ended, or never was. An administrator makes a new one with \
         <code>bailiwick user link</code>.</p>",
    )
}

fn page(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Bailiwick</title></head>\
         <body><h1>Bailiwick</h1>{body}</body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_inert() {
        assert_eq!(escape("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }
}
