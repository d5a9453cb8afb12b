//! Completions and manual pages.

use crate::harness::Larder;
use std::io::Write;
use std::process::{Command, Stdio};

fn run(args: &[&str]) -> String {
    let (status, output, errors) = Larder::run(args, &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{args:?}");
    output
}

/// The commands that `larder --help` names.
fn commands() -> Vec<String> {
    let help = run(&["--help"]);
    let list = help.split_once("Commands:\n").expect("commands").1;
    let names = list.lines().take_while(|line| !line.is_empty());
    // What belongs to a name may go on in the next line, further in.
    let names = names.filter(|line| !line.starts_with("   "));
    let names: Vec<String> =
        names.filter_map(|line| line.split_whitespace().next()).map(String::from).collect();
    assert!(names.len() > 8 && names.last().is_some_and(|name| name == "help"), "{help}");
    names.into_iter().filter(|name| name != "help").collect()
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        for name in commands() {
            assert!(script.contains(&name), "{shell}: {name}");
        }
        assert!(script.contains("default-ttl"), "{shell}");
    }
    let (status, _, errors) = Larder::run(&["completions", "csh"], &[]);
    assert!(status == Some(2) && errors.contains("possible values: bash"), "{errors}");
}

#[test]
fn bash_reads_its_completions_and_offers_what_fits() {
    let script = run(&["completions", "bash"]);
    let offered = "\nCOMP_WORDS=(larder pur)\nCOMP_CWORD=1\n_larder larder pur larder\n\
                   printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    for (args, input, expected) in
        [(&["-n"][..], script.clone(), ""), (&["--norc"], format!("{script}{offered}"), "purge\n")]
    {
        let mut bash = Command::new("bash");
        let bash = bash.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut bash = bash.stderr(Stdio::piped()).spawn().expect("bash starts");
        let mut stdin = bash.stdin.take().expect("its standard input");
        stdin.write_all(input.as_bytes()).expect("bash reads");
        drop(stdin);
        let output = bash.wait_with_output().expect("bash ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.is_empty(), "{errors}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("share/man");
    let written = run(&["man", "--out", folder.to_str().expect("text")]);
    let mut expected = vec!["larder.1".to_string()];
    expected.extend(commands().iter().map(|name| format!("larder-{name}.1")));
    assert_eq!(written.lines().count(), expected.len(), "{written}");
    for name in &expected {
        let page = std::fs::read_to_string(folder.join(name)).expect("a page");
        for part in [".TH larder", ".SH NAME", ".SH SYNOPSIS"] {
            assert!(page.contains(part), "{name}: {part}");
        }
    }
    for name in commands() {
        let page = std::fs::read_to_string(folder.join(format!("larder-{name}.1")));
        assert_eq!(run(&["man", &name]), page.expect("a page"));
    }
}

#[test]
fn every_command_has_its_place_in_the_documents() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/command-line.md");
    let page = std::fs::read_to_string(path).expect("the page");
    for name in commands() {
        assert!(page.contains(&format!("\n## larder {name}\n")), "{name} is not in it");
        assert!(page.contains(&format!("(#larder-{name})")), "{name} is not in its table");
    }
}

#[test]
fn no_page_and_no_script_has_a_secret_of_the_environment() {
    let env = [("LARDER_TOKEN", "s3cret")];
    for args in [&["man", "purge"][..], &["man"], &["completions", "zsh"], &["purge", "--help"]] {
        let (status, output, _) = Larder::run(args, &env);
        assert_eq!(status, Some(0), "{args:?}");
        assert!(!output.contains("s3cret"), "{args:?}");
    }
}

#[test]
fn a_page_that_is_not_there_or_can_not_be_written_is_an_error() {
    let (status, output, errors) = Larder::run(&["man", "serve"], &[]);
    assert_eq!((status, output.as_str()), (Some(1), ""));
    assert!(errors.contains("there is no command \"serve\""), "{errors}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("text");
    let (status, _, errors) = Larder::run(&["man", "--out", path], &[]);
    assert!(status == Some(1) && errors.contains(path), "{errors}");
}
