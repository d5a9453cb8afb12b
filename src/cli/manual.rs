//! `larder man` and `larder completions`: what is made of the command line
//! itself.

use super::args::Cli;
use super::{failed, say};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command whose page is printed [default: that of larder itself]
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Option<String>,
    /// Write larder.1 and a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints what a shell reads to complete larder's commands.
pub(super) fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "larder", &mut script);
    print(&script)
}

pub(super) fn man(args: &ManArgs) -> ExitCode {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    match (&args.out, &args.command) {
        (Some(folder), _) => write(&whole, folder),
        (None, None) => print_page(whole),
        (None, Some(name)) => match whole.find_subcommand(name) {
            Some(command) => print_page(command.clone()),
            None => failed(&format!("error: there is no command {name:?}; see larder --help")),
        },
    }
}

fn print_page(command: Command) -> ExitCode {
    let mut page = Vec::new();
    match Man::new(command).render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => failed(&format!("error: {error}")),
    }
}

fn print(text: &[u8]) -> ExitCode {
    match io::stdout().write_all(text) {
        // That nobody reads it to its end is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            failed(&format!("error: standard output: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

fn write(whole: &Command, folder: &Path) -> ExitCode {
    let wrong =
        |path: &Path, error: io::Error| failed(&format!("error: {}: {error}", path.display()));
    if let Err(error) = std::fs::create_dir_all(folder) {
        return wrong(folder, error);
    }
    let pages = std::iter::once(whole).chain(whole.get_subcommands());
    for command in pages.filter(|command| !command.is_hide_set()) {
        match Man::new(command.clone()).generate_to(folder) {
            Ok(path) => say(&path.display().to_string()),
            Err(error) => return wrong(folder, error),
        }
    }
    ExitCode::SUCCESS
}
