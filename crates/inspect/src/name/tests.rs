use super::meaning;
use crate::Kind;

#[test]
fn names_of_secrets_tell() {
    for name in [
        "password",
        "PASSWORD",
        "db_password",
        "userPassword",
        "Passwort",
        "pwd",
        "passwd",
        "secret",
        "clientSecret",
        "AWS_SECRET_ACCESS_KEY",
        "api_key",
        "api-key",
        "X-Api-Key",
        "apiKey",
        "ApiKey",
        "token",
        "accessToken",
        "refresh.token",
        "csrf_token",
        "private_key",
        "credentials",
        "smtp_pass",
        "PIN",
        "jwt",
        "sessionId",
        "connection string",
        "passphrase",
        "tokens",
    ] {
        assert_eq!(meaning(name), Some(Kind::Secret), "{name}");
    }
    for name in ["Authorization", "proxy-authorization", "Cookie", "set-cookie", "auth"] {
        assert_eq!(meaning(name), Some(Kind::Credential), "{name}");
    }
    assert_eq!(meaning("SSN"), Some(Kind::NationalId));
    assert_eq!(meaning("home_phone"), Some(Kind::Phone));
    assert_eq!(meaning(&format!("{}_password", "x".repeat(200))), Some(Kind::Secret));
}

#[test]
fn other_names_do_not() {
    for name in [
        "",
        "a",
        "author",
        "authors",
        "max_tokens",
        "prompt_tokens",
        "tokenizer",
        "nextPageToken",
        "page_token",
        "progressToken",
        "secretary",
        "compass",
        "bypass",
        "key",
        "keys",
        "id",
        "name",
        "description",
        "passenger",
        "spin",
        "value",
        "signature_algorithm",
    ] {
        assert_eq!(meaning(name), None, "{name}");
    }
}

#[test]
fn every_stem_is_reached() {
    for first in b'a'..=b'z' {
        for stem in super::stems(first) {
            assert!(stem.as_bytes()[0] == first && meaning(&format!("x_{stem}_x")).is_some(), "{stem}");
        }
    }
}
