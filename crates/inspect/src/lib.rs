//! What is inside a payload: secrets and personal data, found and masked.
//!
//! [`find`] tells what is in a text. [`redact`] makes of a payload what may be kept of it: the same JSON with findings
//! replaced by their [kind](Kind) in brackets, members of secret-like names emptied, [path rules](rules) followed, and cut to a size.
//! [`follow_rules`] does only what rules say, for payloads that are held encrypted.
//!
//! # What is found
//!
//! | kind | what |
//! |---|---|
//! | `private_key` | PEM private keys, to their end or the end of the text |
//! | `token` | AWS access key ids and secret keys; keys and tokens of GitHub, GitLab, Slack, Stripe, Google, npm, PyPI, RubyGems, Docker, OpenAI, Anthropic, OpenRouter, Hugging Face, Groq, xAI, Shopify, DigitalOcean, SendGrid, Vault, Grafana, Atlassian, age, Linear; webhooks of Slack and Discord; our own `bwk_` keys |
//! | `jwt` | JSON Web Tokens |
//! | `credential` | values of `Authorization` and cookies; what follows `Bearer` and `Basic`; the user part of URLs, so database URLs |
//! | `secret` | what is given to a name such as `password`, `client_secret`, `apiKey`, `token`, in any case and with any separators: as a member, behind `=` or `:`, behind `--password`, in "the password is …" |
//! | `card` | payment cards of a known network with a right check digit, with or without separators |
//! | `iban` | bank accounts with right check digits and the length of their country |
//! | `national_id` | SSN (with its hyphens), NINO, Steuer-ID, NIR, AHV, DNI, NIE, codice fiscale |
//! | `email` | e-mail addresses |
//! | `phone` | telephone numbers beginning with `+` or `00`, North American ones with `-`, `.` or parentheses, those with a trunk 0 and groups |
//!
//! Texts are looked at as they stand and as they mean: JSON escapes and URL escapes undone, up to eight times over, full-width and invisible
//! characters and unusual spaces and hyphens taken for what they look like. A string that holds JSON is read as JSON. Numbers are
//! read as texts. Content types are not asked: everything is text.
//!
//! # What is not
//!
//! - Anything in base64, compressed or encrypted data: the letters are looked at, not what they decode to.
//! - Secrets that nothing marks: a password that stands alone, a key of an issuer that is not in the list.
//! - A secret that is spread over several strings.
//! - Names, postal addresses, dates of birth, health and all else that only a reader understands.
//! - Telephone numbers without any sign or separator, unless their member is called so; SSNs without hyphens likewise.
//!
//! Invariant: no I/O, no clock, no async; every input may be hostile; nothing here panics.

mod find;
mod kind;
mod name;
mod redact;
pub mod rules;

pub use find::{Finding, find};
pub use kind::{Counts, Kind};
pub use redact::{MIN_CAP, Redacted, follow_rules, redact};
pub use rules::{RuleError, Rules};
