//! The settings in force, key by key, for the ledger's record of them.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

/// The value of a key.
#[derive(Debug, Clone)]
pub enum Setting {
    /// As it is; of a URL the origin alone, since others' URLs hold tokens.
    Plain(Value),
    /// A secret that stands in the settings or the environment itself.
    Secret(SecretString),
}

/// Every key that has a value, as `section.key`, defaults included.
pub type InForce = BTreeMap<String, Setting>;

/// INVARIANT: a key beside which there is a `{key}_file` is a secret; [`crate::secret`] is the only way to take one.
pub(crate) fn of(file: &impl Serialize) -> serde_json::Result<InForce> {
    let mut found = InForce::new();
    let Value::Object(sections) = serde_json::to_value(file)? else { return Ok(found) };
    for (section, keys) in sections {
        let Value::Object(keys) = keys else { continue };
        for (key, value) in &keys {
            let setting = match value {
                Value::Null => continue,
                Value::String(text) if keys.contains_key(&format!("{key}_file")) => {
                    Setting::Secret(SecretString::from(text.as_str()))
                }
                Value::String(text) => Setting::Plain(origin(text).into()),
                other => Setting::Plain(other.clone()),
            };
            found.insert(format!("{section}.{key}"), setting);
        }
    }
    Ok(found)
}

/// A URL without what stands behind its host, and without user and password; anything else as it is.
fn origin(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(url) if url.has_host() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_told_apart_and_urls_are_cut_to_their_origin() {
        let file = json!({
            "database": {"url": "postgres://u:p@db/x", "url_file": null},
            "ledger": {"witness_webhook": "https://user:pw@siem.example:8443/t0ken?k=v", "witness_file": "/mnt/w",
                "durability": "os", "segment_bytes": 7, "witness_syslog": null},
        });
        let found = of(&file).unwrap();
        let plain = |key: &str| match &found[key] {
            Setting::Plain(value) => value.clone(),
            Setting::Secret(_) => panic!("{key} is a secret"),
        };
        assert_eq!(plain("ledger.witness_webhook"), "https://siem.example:8443");
        assert_eq!(
            (plain("ledger.witness_file"), plain("ledger.segment_bytes")),
            (json!("/mnt/w"), json!(7))
        );
        assert!(
            matches!(&found["database.url"], Setting::Secret(url) if url.expose_secret() == "postgres://u:p@db/x")
        );
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn every_secret_of_the_settings_is_told_apart() {
        let file = crate::Source {
            name: "x".into(),
            text: "[database]\nurl = \"postgres://u:hunter2@db/x\"\n[egress]\nproxy = \"http://u:hunter2@p:1\"\n\
                [ledger]\narchive = \"s3://b\"\narchive_access_key = \"hunter2\"\narchive_secret_key = \"hunter2\"\n"
                .into(),
        };
        let settings =
            crate::Settings::load(Some(file), [], &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        assert!(matches!(settings.in_force["database.url"], Setting::Secret(_)));
        assert!(matches!(settings.in_force["egress.proxy"], Setting::Secret(_)));
        assert!(matches!(settings.in_force["ledger.archive_access_key"], Setting::Secret(_)));
        assert!(matches!(settings.in_force["ledger.archive_secret_key"], Setting::Secret(_)));
        assert!(matches!(settings.in_force["ledger.durability"], Setting::Plain(_)));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
