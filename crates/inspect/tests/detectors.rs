//! What each detector finds, and what it leaves alone.

use bailiwick_inspect::{Kind, find};

/// A JSON Web Token out of RFC 7519, section 3.1.
const JWT: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODB9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A text in which `«…»` marks what must be found, and nothing else.
fn check(kind: Kind, marked: &str) {
    let text = marked.replace(['«', '»'], "");
    let found = find(&text);
    let wanted = marked.split('«').skip(1).filter_map(|part| part.split_once('»')).map(|(inner, _)| inner);
    let got: Vec<_> = found.iter().map(|finding| (finding.kind, &text[finding.range.clone()])).collect();
    let wanted: Vec<_> = wanted.map(|inner| (kind, inner)).collect();
    assert_eq!(got, wanted, "{text}");
}

fn all(kind: Kind, texts: &[&str]) {
    for text in texts {
        check(kind, text);
    }
}

/// A token in parts, so that scanners of repositories do not take the examples for real ones.
fn token(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn tokens_of_known_issuers() {
    let word = "0123456789abcdefghijABCDEFGHIJ012345";
    for begin in [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xapp-",
        "sk_live_",
        "rk_test_",
        "whsec_",
        "AIza",
        "GOCSPX-",
        "ya29.",
        "npm_",
        "pypi-AgEIcHlwaS5vcmc",
        "sk-",
        "sk-proj-",
        "sk-ant-api03-",
        "hf_",
        "dckr_pat_",
        "hvs.",
        "glsa_",
        "lin_api_",
        "shpat_",
    ] {
        for around in
            ["«»", "see «» please", "(«»)", "\"«»\"", "a\n«»\nb", "key=«»", "https://x.example/«»?a"]
        {
            let kind = Kind::Token;
            check(kind, &around.replace("«»", &format!("«{begin}{word}»")));
        }
    }
    let own = token(&["bwk_", "0123456789", "_", &"A".repeat(43)]);
    check(Kind::Token, &format!("my key is «{own}»."));
    check(Kind::Token, &format!("«{}»", token(&["AK", "IAIOSFODNN7EXAMPLE"])));
    check(Kind::Token, &format!("export X «{}»", token(&["AS", "IAIOSFODNN7EXAMPLE"])));
    check(Kind::Token, &format!("«{}»", token(&["wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"])));
    check(
        Kind::Token,
        &format!(
            "post to https://«{}»",
            token(&["hooks.slack.com/", "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"])
        ),
    );
    check(Kind::Token, &format!("glued«{}»", token(&["ghp_", word])));
}

#[test]
fn what_only_begins_like_a_token() {
    all(
        Kind::Token,
        &[
            "the prefix ghp_ is GitHub's",
            "ghp_short",
            "risk-0123456789abcdefghijklmnopqrstuvwxyz",
            "sk-learn-contrib-package-name",
            "AKIA is the beginning of an id",
            "AKIAIOSFODNN7EXAMPLETOOLONG",
            "xoxb-",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "src/components/Navigation/MenuItem.test.tsx",
            "7f1c2b9e-8d4a-4b53-9c0e-2f6a1d3b5c7e",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ],
    );
}

#[test]
fn json_web_tokens() {
    check(Kind::Jwt, &format!("«{JWT}»"));
    check(Kind::Jwt, &format!("a {} b", format_args!("«{JWT}»")));
    let unsigned = JWT.rsplit_once('.').map_or("", |(head, _)| head);
    check(Kind::Jwt, &format!("cut off: «{unsigned}»"));
    all(Kind::Jwt, &["eyJ", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.txt", "eyJhbGci.eyJ"]);
}

#[test]
fn private_keys() {
    let label = token(&["PRIVATE", " KEY"]);
    let key = format!("-----BEGIN RSA {label}-----\nMIIEpAIBAAKCAQEA\nabc\n-----END RSA {label}-----");
    check(Kind::PrivateKey, &format!("before\n«{key}»\nafter"));
    check(Kind::PrivateKey, &format!("«{}»", key.replace('\n', " ")));
    check(Kind::PrivateKey, &format!("«{}»", key.replace('\n', r"\n")));
    check(Kind::PrivateKey, &format!("x «-----BEGIN {label}-----\nMIIE cut»"));
    all(
        Kind::PrivateKey,
        &[
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMII",
            "----- BEGIN",
        ],
    );
}

#[test]
fn credentials_of_requests_and_urls() {
    all(
        Kind::Credential,
        &[
            "Authorization: «Bearer abcdef0123456789»",
            "AUTHORIZATION: «BEARER abcdef»\r\nHost: example.com",
            "curl -H 'Authorization: «Basic dXNlcjpwYXNz»' https://example.com",
            "proxy-authorization:«Negotiate abc»",
            "Cookie: «session=abc; theme=dark»\nAccept: */*",
            "sent Bearer «abcdef0123456789» to it",
            "bearer «AbCdEfGhIjKl»",
            "Basic «dXNlcjpwYXNzd29yZA==» was sent",
            "postgres://«app:s3cr3t»@db.example:5432/app",
            "postgresql://«app:a/b?c@d»@db.example/app",
            "mongodb+srv://«u:p»@cluster0.example.net/?retryWrites=true",
            "redis://«:pw»@10.0.0.1:6379/0",
            "https://«user:pass»@example.com/x",
            "https://«0123456789abcdef0123»@example.com/repo.git",
        ],
    );
    all(
        Kind::Credential,
        &[
            "https://example.com:8080/a@b",
            "ssh://git@example.com/repo.git",
            "http://localhost:7420/mcp",
            "the bearer of this letter",
            "a bearer certificate",
            "basic knowledge of it",
            "Basic authentication is off",
            "https://example.com/?next=http://other.example/",
        ],
    );
}

#[test]
fn values_beside_words() {
    all(
        Kind::Secret,
        &[
            "password=«hunter2»",
            "PASSWORD = «hunter2»",
            "db_password: «hunter2»",
            "Password: «hunter2».",
            "{\"password\": \"«hun ter2»\"}",
            "{'api-key': '«abc»'}",
            "{\"password\":\"«a\\\"b»\",\"x\":1}",
            "{\\\"secret\\\":\\\"«abc»\\\"}",
            "{\"pin\":«1234»}",
            "https://x.example/?a=1&access_token=«abc»&b=2",
            "AWS_SECRET_ACCESS_KEY=«abc»",
            "export GITHUB_TOKEN=«abc» && run",
            "API key: «abc»",
            "connection string: «abc»",
            "Server=db;User=sa;Password=«p@ss»;Encrypt=true",
            "login --password «hunter2» --user x",
            "run --api-key «abc»",
            "the password is «hunter2»",
            "your token is «abc123», keep it",
            "my secret := \"«abc»\"",
            "secret: «{\"a\": \"b\"}» x",
            "passwort=«geheim»",
        ],
    );
    all(
        Kind::Secret,
        &[
            "password: null",
            "{\"password\": \"\"}",
            "password=[secret]",
            "{\"token\":\"[secret]\"}",
            "max_tokens=100",
            "nextPageToken=abc",
            "the password is required",
            "the token is invalid",
            "forgot password?",
            "secretary: Anna",
            "author: Anna",
            "time: 12:30",
            "token",
            "a = b",
            "--password --user",
        ],
    );
}

#[test]
fn email_addresses() {
    all(
        Kind::Email,
        &[
            "«anna@example.com»",
            "write to «anna.b+c@mail.example.co.uk», please",
            "<«anna@example.com»>",
            "mailto:«anna@example.com»?subject=x",
            "?email=«anna@example.com»&x",
            "ANNA «A.B@EXAMPLE.COM».",
            "«müller@exämple.de»",
            "«anna%40example.com»",
            r"«anna\u0040example.com»",
            "«ann\u{200B}a@example.com»",
            "«a@b.co»;«c@d.org»",
        ],
    );
    all(
        Kind::Email,
        &[
            "git@github.com:owner/name.git",
            "left-pad@1.3.0",
            "@scope/package",
            "user@localhost",
            "a @ b.com",
            "@example.com",
            "x@y..com",
            "x@.com",
            "5@5",
            "actions/checkout@v4.1",
        ],
    );
}

#[test]
fn telephone_numbers() {
    all(
        Kind::Phone,
        &[
            "«+14155552671»",
            "call «+49 30 901820».",
            "«+49 (0)30 901820»",
            "«+1 (415) 555-2671»",
            "«+33 1 42 68 53 00»",
            "«+44\u{A0}20\u{A0}7946\u{A0}0958»",
            "«0044 20 7946 0958»",
            "«(415) 555-2671»",
            "«415-555-2671»",
            "«415.555.2671»",
            "«1-800-555-0199»",
            "«020 7946 0958»",
            "«0171 1234567»",
            "«030/901820-12»",
            "«01 42 68 53 00»",
            "tel:«+14155552671»",
            "phone: «4155552671»",
        ],
    );
    all(
        Kind::Phone,
        &[
            "4155552671",
            "2026-07-28T09:30:00+02:00",
            "2026-07-28 09:30:00 +0200",
            "28.07.2026 09:30",
            "01.02.2024 10:11",
            "192.168.100.200",
            "10.0.0.1:8080",
            "version 1.22.333-4444",
            "1785196800",
            "1785196800000",
            "12,345,678.90 EUR",
            "7f1c2b9e-8d4a-4b53-9c0e-2f6a1d3b5c7e",
            "00000000-0000-0000-0000-000000000000",
            "1+23456789012",
            "(2026) 100",
            "order 100-200-3000-4000",
            "ISBN 978-3-16-148410-0",
            "0.123456789",
            "lines 100-200",
            "01 02 03 04 05 06 07 08",
            "17 01 42 68 53 00",
        ],
    );
}

#[test]
fn payment_cards() {
    all(
        Kind::Card,
        &[
            "«4111111111111111»",
            "«4111 1111 1111 1111» 12/27",
            "«4111-1111-1111-1111»",
            "«4111.1111.1111.1111»",
            "«4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»",
            "«4111\u{A0}1111\u{A0}1111\u{A0}1111»",
            "«4111\u{2010}1111\u{2010}1111\u{2010}1111»",
            "«４１１１１１１１１１１１１１１１»",
            "«5555555555554444»",
            "«2223003122003222»",
            "«378282246310005»",
            "«3782 822463 10005»",
            "«30569309025904»",
            "«6011111111111117»",
            "«3530111333300000»",
            "card:«4111111111111111»,",
            "order«4111111111111111»",
        ],
    );
    all(
        Kind::Card,
        &[
            "4111111111111112",
            "1111111111111117",
            "1785196800000000",
            "1785196800000000000",
            "0.4111111111111111",
            "3.4111111111111111",
            "a4111111111111111f",
            "41111111111111111111111",
            "41 11 11 11 11 11 11 11",
            "10.0.0.1 192.168.1.100 172.16.0.1",
        ],
    );
}

#[test]
fn bank_accounts() {
    all(
        Kind::Iban,
        &[
            "«DE89370400440532013000»",
            "«DE89 3704 0044 0532 0130 00»",
            "«de89 3704 0044 0532 0130 00»",
            "«DE89-3704-0044-0532-0130-00»",
            "«GB82 WEST 1234 5698 7654 32»",
            "IBAN: «NL91ABNA0417164300».",
            "«FR1420041010050500013M02606»",
            "«NO9386011117947»",
            "«MT84MALT011000012345MTLCAST001S»",
            "«CH9300762011623852957»",
        ],
    );
    all(
        Kind::Iban,
        &[
            "DE88370400440532013000",
            "DE893704004405320130001",
            "XDE89370400440532013000",
            "ZZ89370400440532013000",
            "DE8937040044053201300",
            "SE35 is a postcode",
        ],
    );
}

#[test]
fn numbers_of_persons() {
    all(
        Kind::NationalId,
        &[
            "SSN «123-45-6789»",
            "ssn: «123456789»",
            "«AB123456C»",
            "«AB 12 34 56 C»",
            "«ab123456c»",
            "Steuer-ID «86095742719»",
            "«86 095 742 719»",
            "«1 84 12 76 451 089 46»",
            "«184127645108946»",
            "«756.9217.0769.85»",
            "«7569217076985»",
            "DNI «12345678Z»",
            "«12345678-Z»",
            "NIE «X1234567L»",
            "«RSSMRA85T10A562S»",
            "«rssmra85t10a562s»",
        ],
    );
    all(
        Kind::NationalId,
        &[
            "000-12-3456",
            "666-12-3456",
            "900-12-3456",
            "123-00-4567",
            "123-45-0000",
            "123-45-67890",
            "1-123-45-6789",
            "QQ123456C",
            "GB123456C",
            "AB123456E",
            "86095742718",
            "12345678901",
            "184127645108947",
            "756.9217.0769.84",
            "7569217076984",
            "12345678A",
            "X1234567A",
            "RSSMRA85T10A562T",
            "2026-07-28",
        ],
    );
}

#[test]
fn everyday_texts_hold_nothing() {
    for text in [
        "",
        " ",
        "Total 1,299.00 EUR incl. VAT, order 2026-000123, invoice 4711",
        "2026-07-28T09:30:00.000042Z",
        "Mon, 28 Jul 2026 09:30:00 GMT",
        "1.95.0-nightly (f8297e351 2026-06-28)",
        "0x7ffee4b3c8a0 rsp=0x00007ffee4b3c8a0",
        "C:\\Users\\anna\\Documents\\report.docx",
        "/srv/reports/2026/q3/report-final.md",
        "52.520008, 13.404954",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
        "d41d8cd98f00b204e9800998ecf8427e  file.bin",
        "100% of 3.141592653589793",
        "ghcr.io/owner/image:v1.2.3@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "“Quoted” – and — dashed… naïve café",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "978-3-16-148410-0 and 0-306-40615-2",
        "snowflake 1271451024879882241",
        "SELECT * FROM t WHERE id = 12345 AND key = 'x'",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn escapes_do_not_hide() {
    let token = token(&["ghp_", "0123456789abcdefghijABCDEFGHIJ012345"]);
    let mut escaped = token.chars().map(|c| format!("\\u{:04x}", c as u32)).collect::<String>();
    for _ in 0..5 {
        let found = find(&escaped);
        assert_eq!(found.len(), 1, "{escaped}");
        assert_eq!((found[0].kind, found[0].range.clone()), (Kind::Token, 0..escaped.len()));
        escaped = escaped.replace('\\', "\\\\");
    }
    let percent = token.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    assert_eq!(find(&percent).len(), 1);
    let hidden = percent.replace('%', &format!("%{}", "25".repeat(30)));
    assert_eq!(find(&hidden).first().map(|finding| finding.kind), Some(Kind::Nested));
}

#[test]
fn findings_are_in_order_and_apart() {
    let text = "a@b.co +14155552671 a@b.co https://user:a@b.co/@x.com password=a@b.co";
    let found = find(text);
    for pair in found.windows(2) {
        assert!(pair[0].range.end <= pair[1].range.start, "{found:?}");
    }
    let kinds: Vec<_> = found.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [Kind::Email, Kind::Phone, Kind::Email, Kind::Credential, Kind::Secret]);
}
