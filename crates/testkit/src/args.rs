//! The command lines of the test binaries: a dozen flags do not earn a parser with its build time.
//!
//! Each binary takes what it knows and then calls [`Args::finish`], so that a misspelt flag is an error and not a silent default.

use std::str::FromStr;

/// Why a command line was refused.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// A flag stands without its value.
    #[error("`{0}` needs a value")]
    NoValue(String),
    /// The value cannot be read.
    #[error("`{flag}` cannot be `{value}`: {why}")]
    BadValue {
        /// The flag.
        flag: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// A flag is missing.
    #[error("`{0}` is required")]
    Missing(String),
    /// Nobody asked for these.
    #[error("unknown arguments: {0}")]
    Unknown(String),
}

/// Arguments not yet taken.
#[derive(Debug)]
pub struct Args {
    left: Vec<String>,
}

impl Args {
    /// The arguments of this process.
    #[must_use]
    pub fn from_process() -> Self {
        Self::new(std::env::args().skip(1))
    }

    /// The given arguments, without the program's name.
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { left: args.into_iter().map(Into::into).collect() }
    }

    /// Takes a flag without a value.
    pub fn flag(&mut self, name: &str) -> bool {
        let found = self.left.iter().position(|arg| arg == name);
        found.map(|at| self.left.remove(at)).is_some()
    }

    /// Takes a flag with a value, parsed.
    ///
    /// # Errors
    /// When the value is missing or does not parse.
    pub fn value<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Result<Option<T>, ArgsError> {
        let Some(at) = self.left.iter().position(|arg| arg == name) else { return Ok(None) };
        if at + 1 >= self.left.len() {
            return Err(ArgsError::NoValue(name.to_owned()));
        }
        let value = self.left.remove(at + 1);
        self.left.remove(at);
        match value.parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(why) => Err(ArgsError::BadValue { flag: name.to_owned(), value, why: format!("{why}") }),
        }
    }

    /// Takes a flag with a value that must be there.
    ///
    /// # Errors
    /// As [`Args::value`], and when the flag is absent.
    pub fn required<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Result<T, ArgsError> {
        self.value(name)?.ok_or_else(|| ArgsError::Missing(name.to_owned()))
    }

    /// Takes every occurrence of a flag with a value.
    ///
    /// # Errors
    /// As [`Args::value`].
    pub fn values(&mut self, name: &str) -> Result<Vec<String>, ArgsError> {
        let mut all = Vec::new();
        while let Some(value) = self.value(name)? {
            all.push(value);
        }
        Ok(all)
    }

    /// Ends the parse.
    ///
    /// # Errors
    /// When arguments are left over.
    pub fn finish(self) -> Result<(), ArgsError> {
        if self.left.is_empty() { Ok(()) } else { Err(ArgsError::Unknown(self.left.join(" "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_values_are_taken_in_any_order() {
        let mut args = Args::new(["--hang", "--header", "a: 1", "--tools", "3", "--header", "b: 2"]);
        assert_eq!(args.value::<usize>("--tools").unwrap(), Some(3));
        assert_eq!(args.values("--header").unwrap(), ["a: 1", "b: 2"]);
        assert!(args.flag("--hang") && !args.flag("--hang"));
        args.finish().unwrap();
    }

    #[test]
    fn a_misspelt_flag_is_an_error() {
        assert!(matches!(Args::new(["--hag"]).finish(), Err(ArgsError::Unknown(_))));
        assert!(matches!(Args::new(["--tools"]).value::<u32>("--tools"), Err(ArgsError::NoValue(_))));
        assert!(matches!(
            Args::new(["--tools", "x"]).value::<u32>("--tools"),
            Err(ArgsError::BadValue { .. })
        ));
    }
}
