//! The binary: one executable for the gateway, its command line, and the helper that confines stdio servers.

use std::process::ExitCode;

use bailiwick::cli::{self, Cli, Command, ServeArgs};
use bailiwick::serve;
use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = || std::env::args_os().skip(1);
    if bailiwick_upstream::confine::is_helper(arguments()) {
        bailiwick_upstream::confine::main(arguments());
    }
    let Cli { global, command } = Cli::parse();
    match command {
        Command::Serve(args) => match run_gateway(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error);
                ExitCode::FAILURE
            }
        },
        Command::Noun(noun) => cli::run(&global, noun),
    }
}

fn run_gateway(args: &ServeArgs) -> anyhow::Result<()> {
    let settings =
        cli::load_settings(args.config.as_deref()).map_err(|failure| anyhow::anyhow!(failure.message))?;
    serve::log_to(&settings)?;
    // Connections have threads of their own (`runtime::Lanes`); these do everything else.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(serve::serve(settings))
}

#[expect(clippy::print_stderr, reason = "the log may not be set up when this is said")]
fn complain(error: &anyhow::Error) {
    eprintln!("bailiwick: {error:#}");
}
