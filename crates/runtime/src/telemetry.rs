//! Logs to standard error. The binary calls [`init`] once, before anything else.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::util::TryInitError;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text if standard error is a terminal, else JSON.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not a level or list of directives.
    #[error("not a log level or a list of directives")]
    Level(#[from] ParseError),
    /// Somebody else set up logging before.
    #[error("logging is already set up")]
    AlreadySet(#[from] TryInitError),
}

/// Sends logs of this level (`info`, or directives such as `info,bailiwick_upstream=debug`) to standard
/// error. Control characters in values are escaped by both forms, so that nobody forges a line.
///
/// # Errors
/// The level cannot be read, or logging is already set up.
pub fn init(format: LogFormat, level: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(level)?;
    let terminal = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    if json {
        builder.json().flatten_event(true).finish().try_init()?;
    } else {
        builder.with_ansi(terminal).finish().try_init()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_level_and_a_second_set_up_are_errors() {
        assert!(matches!(init(LogFormat::Json, "bailiwick=loud"), Err(TelemetryError::Level(_))));
        init(LogFormat::Text, "info,bailiwick_runtime=debug").unwrap();
        assert!(matches!(init(LogFormat::Auto, "info"), Err(TelemetryError::AlreadySet(_))));
    }
}
