//! The binary: one executable for the gateway, its command line, and the helper that confines stdio servers.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = || std::env::args_os().skip(1);
    if bailiwick_upstream::confine::is_helper(arguments()) {
        bailiwick_upstream::confine::main(arguments());
    }
    ExitCode::SUCCESS
}
