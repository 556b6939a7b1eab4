//! `bailiwick config`: the settings file, without a gateway.

use std::path::PathBuf;

use clap::Subcommand;

use super::failure::Failure;
use super::output::Output;
use super::settings::load_settings;

/// The settings file.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say whether the settings are good, and what is wrong with them.
    Check {
        /// The settings file [default: ./bailiwick.toml, if there is one].
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of the settings file.
    Schema,
}

pub(super) fn run(command: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        Config::Check { config } => {
            load_settings(config.as_deref())?;
            output.done("the settings are good")
        }
        Config::Schema => output.json(&bailiwick_config::schema()),
    }
}
