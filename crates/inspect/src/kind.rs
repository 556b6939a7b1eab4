//! What can be found, and how often it was.

/// What a stretch of text is. The order is that of seriousness: where findings overlap, the first kind wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A PEM private key (RFC 7468), with its body.
    PrivateKey,
    /// A key or token that its issuer made recognisable: AWS, GitHub, Slack, Stripe, ours.
    Token,
    /// A JSON Web Token (RFC 7519), signed, encrypted or neither.
    Jwt,
    /// What a request shows to be let in: `Authorization`, cookies, the user part of a URL.
    Credential,
    /// A value beside a word such as `password`, or a member of such a name.
    Secret,
    /// A payment card number (ISO/IEC 7812) with a right check digit.
    Card,
    /// A bank account number (ISO 13616) with right check digits.
    Iban,
    /// A number that a state gave to a person.
    NationalId,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// Not looked at, because a rule says `mask`.
    Masked,
    /// Nested or escaped deeper than is looked into.
    Nested,
}

impl Kind {
    /// All kinds, the most serious first.
    pub const ALL: [Self; 12] = [
        Self::PrivateKey,
        Self::Token,
        Self::Jwt,
        Self::Credential,
        Self::Secret,
        Self::Card,
        Self::Iban,
        Self::NationalId,
        Self::Email,
        Self::Phone,
        Self::Masked,
        Self::Nested,
    ];

    /// The name in records and in settings.
    pub const fn name(self) -> &'static str {
        let mark = self.mark();
        match mark.split_at(1).1.split_at_checked(mark.len() - 2) {
            Some((name, _)) => name,
            None => mark,
        }
    }

    /// What stands where the finding stood: the name in brackets.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::PrivateKey => "[private_key]",
            Self::Token => "[token]",
            Self::Jwt => "[jwt]",
            Self::Credential => "[credential]",
            Self::Secret => "[secret]",
            Self::Card => "[card]",
            Self::Iban => "[iban]",
            Self::NationalId => "[national_id]",
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::Masked => "[masked]",
            Self::Nested => "[nested]",
        }
    }

    /// Whether it opens something, so that no rule keeps it. What could not be looked into counts as such.
    pub const fn is_secret(self) -> bool {
        matches!(
            self,
            Self::PrivateKey | Self::Token | Self::Jwt | Self::Credential | Self::Secret | Self::Nested
        )
    }
}

/// Whether the text is the mark of some kind and nothing else.
pub(crate) fn is_mark(text: &str) -> bool {
    text.starts_with('[') && Kind::ALL.iter().any(|kind| kind.mark() == text)
}

/// How many findings there were of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u32; Kind::ALL.len()]);

impl Counts {
    /// Those of one kind.
    pub const fn get(&self, kind: Kind) -> u32 {
        self.0[kind as usize]
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; Kind::ALL.len()]
    }

    /// The kinds that were found, the most serious first.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u32)> {
        Kind::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    pub(crate) const fn add(&mut self, kind: Kind) {
        self.0[kind as usize] = self.0[kind as usize].saturating_add(1);
    }
}
