//! What must hold for any bytes at all: the bodies of the fuzz targets. `fuzz/`
//! drives them with a fuzzer that is guided by coverage; here they run over its
//! corpora, and over what it has found.

#![allow(clippy::unwrap_used, reason = "a panic is what a fuzzer looks for")]

mod canonical;
mod chunks;
mod configuration;
mod cookies;
mod dates;
mod dialects;
mod directives;
mod documents;
mod forms;
mod head;
mod keys;
mod no_vary_search;
mod patterns;
mod ranges;
pub mod reference;
mod tags;
mod vary;

/// A target: it panics if something doesn't hold.
pub type Target = fn(&[u8]);

/// Each target, by its name in `fuzz/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("canonical", canonical::check),
    ("chunks", chunks::check),
    ("configuration", configuration::check),
    ("cookies", cookies::check),
    ("dates", dates::check),
    ("dialects", dialects::check),
    ("directives", directives::check),
    ("documents", documents::check),
    ("forms", forms::check),
    ("head", head::check),
    ("keys", keys::check),
    ("no_vary_search", no_vary_search::check),
    ("patterns", patterns::check),
    ("ranges", ranges::check),
    ("tags", tags::check),
    ("vary", vary::check),
];

/// The target of this name.
#[allow(dead_code, reason = "for `fuzz/`")]
pub fn target(name: &str) -> Target {
    TARGETS.iter().find(|(known, _)| *known == name).unwrap().1
}

#[cfg(test)]
mod corpora;
