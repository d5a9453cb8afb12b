//! `larder purge`.

use super::args::PurgeArgs;
use super::client::{Admin, Answer, refusal};
use super::{failed, say, senseless};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// How often it is asked how far a refresh has come.
const EVERY: Duration = Duration::from_millis(250);

pub(super) fn run(args: &PurgeArgs) -> ExitCode {
    let admin = match Admin::at(&args.place) {
        Ok(admin) => admin,
        Err(error) => return failed(&error),
    };
    let done = match args.undo {
        Some(number) => undo(&admin, number, args.json),
        None => purge(&admin, args),
    };
    done.unwrap_or_else(|error| failed(&format!("error: {error}")))
}

/// The document of an answer that says yes, else what it says.
fn accepted(admin: &Admin, answer: Result<Answer, String>) -> Result<Value, String> {
    let answer = answer.map_err(|why| format!("no larder answers at {}: {why}", admin.client()))?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if answer.status.is_success() && said.is_object() {
        return Ok(said);
    }
    let mut why = match said["errors"].as_array() {
        Some(errors) => {
            let details = errors.iter().filter_map(|error| error["detail"].as_str());
            details.collect::<Vec<&str>>().join("\n  ")
        }
        None => refusal(&said).to_string(),
    };
    if answer.status.as_u16() == 401 {
        why.push_str("\n  (--token, LARDER_TOKEN, or --config with the file that has it)");
    }
    Err(format!("{}: {why}", answer.status))
}

fn purge(admin: &Admin, args: &PurgeArgs) -> Result<ExitCode, String> {
    let said = accepted(admin, admin.post("/v1/purge", &document(args)))?;
    match (args.json, args.watch) {
        (true, true) => {}
        (true, false) => say(&said.to_string()),
        (false, _) => tell(args, &said),
    }
    if args.watch {
        watch(admin, &said, args.json)?;
    }
    let mistakes = run_together(args, &said);
    match mistakes.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(senseless(&mistakes.join("\n"))),
    }
}

/// What is to be said of tags that were met by nothing and look like several: white space or
/// a comma is in few tags (those of `Cache-Groups`, and a site's name of TYPO3's).
fn run_together(args: &PurgeArgs, said: &Value) -> Vec<String> {
    let is_between = |c: char| c == ',' || c.is_whitespace();
    let count = if args.dry_run { "objects" } else { "purged" };
    let entries = said["tags"].as_array().into_iter().flatten();
    let unmet = entries.filter(|entry| entry[count] == 0).filter_map(|entry| entry["tag"].as_str());
    let doubtful = unmet.filter(|tag| tag.contains(is_between));
    let mistake = |tag: &str| {
        let parts = tag.split(is_between).filter(|part| !part.is_empty());
        let meant: Vec<String> = parts.map(|part| format!("--tag {part}")).collect();
        format!(
            "error: nothing bears the tag {tag:?}: commas and white space stand between tags. \
             Did you mean {}?",
            meant.join(" ")
        )
    };
    doubtful.map(mistake).collect()
}

fn document(args: &PurgeArgs) -> Value {
    let mut document = json!({
        "all": args.all,
        "soft": args.soft,
        "dry_run": args.dry_run,
        "refresh": args.refresh,
    });
    for (name, list) in [
        ("urls", &args.urls),
        ("paths", &args.paths),
        ("tags", &args.tags),
        ("prefixes", &args.prefixes),
        ("hosts", &args.hosts),
    ] {
        if !list.is_empty() {
            document[name] = json!(list);
        }
    }
    if !args.patterns.is_empty() {
        let pattern = |url: &String| json!({ "url": url });
        document["patterns"] = args.patterns.iter().map(pattern).collect::<Vec<Value>>().into();
    }
    document
}

fn tell(args: &PurgeArgs, said: &Value) {
    let (count, done) = match (args.dry_run, args.soft) {
        (false, false) => ("purged", "forgotten"),
        (false, true) => ("purged", "made stale"),
        (true, false) => ("objects", "would be forgotten"),
        (true, true) => ("objects", "would be made stale"),
    };
    // Who may want to undo it, or to look after it, needs its number.
    let number = match &said["number"] {
        Value::Number(number) if args.soft || args.refresh => format!(" (purge {number})"),
        _ => String::new(),
    };
    say(&format!("{} {done}{number}", responses(&said[count])));
    if args.dry_run {
        let (bytes, rate) = (&said["bytes"], &said["requests_per_second"]);
        say(&format!("{bytes} bytes; they answer {rate} requests a second"));
    }
    for (list, name) in [
        ("urls", "url"),
        ("paths", "path"),
        ("tags", "tag"),
        ("prefixes", "prefix"),
        ("hosts", "host"),
        ("patterns", "pattern"),
    ] {
        for entry in said[list].as_array().into_iter().flatten() {
            let selector = match &entry[name] {
                Value::String(text) => text.clone(),
                pattern => pattern["url"].as_str().unwrap_or_default().to_string(),
            };
            say(&format!("  {name} {selector}: {}", responses(&entry[count])));
        }
    }
    if let Value::Object(refresh) = &said["refresh"] {
        let (wanted, left_out) = (&refresh["wanted"], &refresh["left_out"]);
        let verb = if args.dry_run { "would be" } else { "are" };
        say(&format!("{wanted} {verb} fetched again, {left_out} that were asked for are not"));
    }
}

/// Says how far the refresh has come until it is over. It has failed if a fetch
/// has.
fn watch(admin: &Admin, said: &Value, as_json: bool) -> Result<(), String> {
    let path = format!("/v1/purges/{}", said["number"]);
    let mut last = String::new();
    loop {
        let record = accepted(admin, admin.get(&path))?;
        let progress = &record["refresh"];
        let count = |name: &str| progress[name].as_u64().unwrap_or(0);
        let over = count("waiting") == 0;
        let (fetched, fresh, failed) = (count("fetched"), count("fresh"), count("failed"));
        let line = format!(
            "{} of {}: {fetched} fetched, {fresh} fresh already, {failed} failed",
            fetched + fresh + failed,
            count("wanted")
        );
        if !as_json && line != last {
            say(&line);
            last = line;
        }
        if over {
            if as_json {
                say(&record.to_string());
            }
            return match failed {
                0 => Ok(()),
                1 => Err("1 response was not fetched again; larder's log says why".into()),
                _ => {
                    Err(format!("{failed} responses were not fetched again; larder's log says why"))
                }
            };
        }
        std::thread::sleep(EVERY);
    }
}

fn undo(admin: &Admin, number: u64, as_json: bool) -> Result<ExitCode, String> {
    let path = format!("/v1/purges/{number}/undo");
    let said = accepted(admin, admin.post(&path, &json!({})))?;
    match as_json {
        true => say(&said.to_string()),
        false => say(&format!("{} as fresh as before purge {number}", responses(&said["undone"]))),
    }
    Ok(ExitCode::SUCCESS)
}

fn responses(count: &Value) -> String {
    match count.as_u64() {
        Some(1) => "1 response".to_string(),
        Some(count) => format!("{count} responses"),
        None => "an unknown number of responses".to_string(),
    }
}
