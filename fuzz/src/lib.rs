//! The targets, which live with the tests of larder: there they run over the
//! corpora, here under a fuzzer.

#[path = "../../tests/it/fuzz/mod.rs"]
pub mod targets;
