//! What the name of a member, a header or a variable says about its value.

use crate::Kind;

/// The kind of the value that belongs to this name, if the name tells. Case and separators do not matter.
///
/// [`Kind::Phone`] and [`Kind::NationalId`] only say what digits in the value would be.
pub(crate) fn meaning(name: &str) -> Option<Kind> {
    if name.len() < 2 {
        return None;
    }
    let mut buffer = [0_u8; 64];
    let mut length = 0;
    for byte in name.bytes() {
        if byte == b'[' {
            return without_marks(name);
        }
        if byte.is_ascii_alphanumeric() {
            let Some(place) = buffer.get_mut(length) else { return long(name) };
            *place = byte.to_ascii_lowercase();
            length += 1;
        }
    }
    normal(&buffer[..length], name)
}

/// A mark in a name says what was there, not what the value is.
fn without_marks(name: &str) -> Option<Kind> {
    let marks = Kind::ALL.iter().map(|kind| kind.mark());
    let bare = marks.fold(name.to_owned(), |name, mark| name.replace(mark, GAP));
    long(&bare)
}

/// What stands for a mark: it joins nothing.
const GAP: &str = "\0";

fn long(name: &str) -> Option<Kind> {
    let part = |b: &u8| b.is_ascii_alphanumeric() || *b == 0;
    let long: Vec<u8> = name.bytes().filter(part).map(|b| b.to_ascii_lowercase()).collect();
    normal(&long, name)
}

/// Words that make a name tell wherever they stand in it, by their first letter.
fn stems(first: u8) -> &'static [&'static str] {
    match first {
        b'a' => {
            &["authorization", "apikey", "accesskey", "accesstoken", "authtoken", "apitoken", "accountkey"]
        }
        b'b' => &["bearer"],
        b'c' => &["cookie", "credential", "connectionstring", "contrasena"],
        b'd' => &["deploykey"],
        b'e' => &["encryptionkey"],
        b'h' => &["hmackey"],
        b'i' => &["idtoken"],
        b'k' => &["kennwort"],
        b'l' => &["licensekey"],
        b'm' => &["motdepasse", "masterkey", "mnemonic"],
        b'o' => &["onetimecode"],
        b'p' => &["passwo", "passwd", "passphrase", "passcode", "privatekey", "pwd", "phone"],
        b'r' => &["refreshtoken", "recoverycode"],
        b's' => &[
            "secret",
            "sessionid",
            "sessionkey",
            "sessiontoken",
            "seedphrase",
            "securitycode",
            "signingkey",
            "sharedkey",
            "sshkey",
            "storagekey",
            "socialsecurity",
        ],
        _ => &[],
    }
}

/// Whether some word of [`stems`] begins with these three letters.
fn begins_stem(begin: &[u8]) -> bool {
    matches!(
        begin,
        b"acc"
            | b"api"
            | b"aut"
            | b"bea"
            | b"con"
            | b"coo"
            | b"cre"
            | b"dep"
            | b"enc"
            | b"hma"
            | b"idt"
            | b"ken"
            | b"lic"
            | b"mas"
            | b"mne"
            | b"mot"
            | b"one"
            | b"pas"
            | b"pho"
            | b"pri"
            | b"pwd"
            | b"rec"
            | b"ref"
            | b"sec"
            | b"see"
            | b"ses"
            | b"sha"
            | b"sig"
            | b"soc"
            | b"ssh"
            | b"sto"
    )
}

fn normal(name: &[u8], original: &str) -> Option<Kind> {
    for (at, begin) in name.windows(3).enumerate().filter(|(_, begin)| begins_stem(begin)) {
        for stem in stems(begin[0]) {
            if name[at..].starts_with(stem.as_bytes()) && !name[at..].starts_with(b"secretar") {
                return Some(of_stem(stem));
            }
        }
    }
    match name {
        b"auth" | b"xauth" => Some(Kind::Credential),
        b"pass" | b"pw" | b"pin" | b"otp" | b"cvv" | b"cvc" | b"cvv2" | b"jwt" | b"sig" | b"tokens" => {
            Some(Kind::Secret)
        }
        b"ssn" => Some(Kind::NationalId),
        b"tel" | b"mobile" | b"fax" | b"msisdn" => Some(Kind::Phone),
        _ if name.ends_with(b"token") && !is_cursor(name) => Some(Kind::Secret),
        _ if name.ends_with(b"pass") && ends_in_word(original, "pass") => Some(Kind::Secret),
        _ => None,
    }
}

fn of_stem(stem: &str) -> Kind {
    match stem {
        "authorization" | "cookie" => Kind::Credential,
        "phone" => Kind::Phone,
        "socialsecurity" => Kind::NationalId,
        _ => Kind::Secret,
    }
}

/// Tokens that only say where to go on.
fn is_cursor(name: &[u8]) -> bool {
    const CURSORS: [&str; 10] = [
        "page",
        "next",
        "continuation",
        "progress",
        "sync",
        "cancel",
        "cancellation",
        "delta",
        "stop",
        "eos",
    ];
    let before = &name[..name.len() - b"token".len()];
    CURSORS.iter().any(|cursor| before.ends_with(cursor.as_bytes()))
}

/// Whether the last word of the name, behind a separator, is this.
fn ends_in_word(name: &str, word: &str) -> bool {
    let last = name.rsplit(['_', '-', '.', ' ']).next().unwrap_or_default();
    last.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests;
