//! The `larder` command.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// It gives back what nobody uses any more: `docs/adr/0037-the-allocator.md`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    larder::cli::main()
}
