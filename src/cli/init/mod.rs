//! `larder init`: a configuration from what a project says of itself. Its code
//! is read, and never run.

mod assignments;
mod django;
mod flask;
mod gunicorn;
mod plan;
mod project;
mod python;
mod values;

use super::{failed, say};
use clap::Args;
use plan::{Flavour, Plan};
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// It is a Django project [default: found out]
    #[arg(long, group = "flavour")]
    django: bool,
    /// It is a Flask project
    #[arg(long, group = "flavour")]
    flask: bool,
    /// It is a Wagtail project
    #[arg(long, group = "flavour")]
    wagtail: bool,
    /// Django's settings [default: what wsgi.py or manage.py name]
    #[arg(long, value_name = "MODULE", env = "DJANGO_SETTINGS_MODULE")]
    settings: Option<String>,
    /// Write over a larder.toml that is there
    #[arg(long)]
    force: bool,
    /// Print the configuration instead of writing it
    #[arg(long, conflicts_with_all = ["force", "json"])]
    print: bool,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &InitArgs) -> ExitCode {
    match plan(args).map(Plan::checked).and_then(|plan| finish(args, &plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("error: {error}")),
    }
}

fn plan(args: &InitArgs) -> Result<Plan, String> {
    let dir = args.dir.as_path();
    if !dir.is_dir() {
        return Err(format!("{}: no such folder", dir.display()));
    }
    if args.flask {
        return Ok(flask::Project::read(dir).plan());
    }
    let found = django::Project::find(dir, args.settings.as_deref())?;
    let given = match (args.django, args.wagtail) {
        (true, _) => Some(Flavour::Django),
        (_, true) => Some(Flavour::Wagtail),
        _ => None,
    };
    match (given, found) {
        (Some(flavour), found) => {
            Ok(found.unwrap_or_else(|| django::Project::unknown(dir)).plan(flavour))
        }
        (None, Some(project)) => {
            let flavour = project.flavour();
            Ok(project.plan(flavour))
        }
        (None, None) => flask::Project::find(dir).map(flask::Project::plan).ok_or_else(|| {
            format!(
                "{}: neither a manage.py nor a Flask(...) was found; say --django, --flask or \
                 --wagtail, or give the project's folder",
                dir.display()
            )
        }),
    }
}

fn finish(args: &InitArgs, plan: &Plan) -> Result<(), String> {
    let path = args.dir.join("larder.toml");
    let text = plan.toml();
    if args.print {
        say(text.trim_end());
        let _ = write!(io::stderr(), "{}", told(plan));
        return Ok(());
    }
    write_file(&path, &text, args.force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!(
                "{} is there already; --force writes over it, --print shows what would",
                path.display()
            )
        }
        _ => format!("{}: {error}", path.display()),
    })?;
    if args.json {
        let document = json!({
            "application": plan.flavour.name(),
            "file": path,
            "preset": plan.preset().name(),
            "origin": plan.origin,
            "cookies": if plan.knows_cookies() { json!(plan.identity) } else { json!("all") },
            "bypass_cookies": plan.bypass,
            "read": plan.notes.read,
            "unread": plan.notes.unread,
            "remarks": plan.remarks,
            "app": plan.app,
        });
        say(&document.to_string());
        return Ok(());
    }
    say(&format!("{} is written, for {}", path.display(), plan.flavour.name()));
    say(told(plan).trim_end());
    say(&format!(
        "\nTry it:\n  larder check --config {0}\n  larder run --config {0}",
        path.display()
    ));
    Ok(())
}

/// Writes a file that must not be there, unless told otherwise.
fn write_file(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = File::options();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    options.open(path)?.write_all(text.as_bytes())
}

/// What was read and what was not, and what is left to be done.
fn told(plan: &Plan) -> String {
    let mut text = String::new();
    for (title, lines) in [
        ("What was read:", &plan.notes.read),
        ("What could not be read (look at it yourself):", &plan.notes.unread),
        ("Worth knowing:", &plan.remarks),
        ("For the app:", &plan.app),
    ] {
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
    }
    text
}
