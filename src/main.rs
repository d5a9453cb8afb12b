//! The `larder` command.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Gives memory back that glibc's would keep (docs/adr/0037-the-allocator.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    larder::cli::main()
}
