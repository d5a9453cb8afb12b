//! What happens around larder while it runs: names that move, clocks that jump,
//! a disk that is full, memory that is short.

mod clocks;
mod logs;
mod memory;
mod names;

use std::path::PathBuf;

/// A library that `scripts/setup-tests` installs, for `LD_PRELOAD`.
fn preloaded(name: &str) -> String {
    let below = |directory: PathBuf| std::fs::read_dir(directory).into_iter().flatten().flatten();
    let found = below("/usr/lib".into())
        .map(|entry| entry.path().join(name))
        .chain([PathBuf::from("/usr/lib").join(name)])
        .find(|path| path.exists());
    let found = found.unwrap_or_else(|| panic!("no {name}: run scripts/setup-tests"));
    found.to_str().expect("a path").to_owned()
}
