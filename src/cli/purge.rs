//! `larder purge`.

use super::args::PurgeArgs;
use super::client::Admin;
use super::{failed, say};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(args: &PurgeArgs) -> ExitCode {
    let admin =
        match Admin::find(args.config.as_deref(), args.admin.as_deref(), args.token.as_deref()) {
            Ok(admin) => admin,
            Err(error) => return failed(&error),
        };
    let mut document = json!({ "all": args.all, "soft": args.soft });
    for (name, list) in [("urls", &args.urls), ("tags", &args.tags), ("prefixes", &args.prefixes)] {
        if !list.is_empty() {
            document[name] = json!(list);
        }
    }
    let answer = match admin.post("/v1/purge", &document) {
        Ok(answer) => answer,
        Err(error) => {
            return failed(&format!("error: no larder answers at {}: {error}", admin.client()));
        }
    };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if !answer.status.is_success() {
        let detail = said["detail"].as_str().unwrap_or("no reason was given");
        return failed(&format!("error: {}: {detail}", answer.status));
    }
    let done = if args.soft { "made stale" } else { "forgotten" };
    say(&format!("{} {done}", responses(&said["purged"])));
    for (list, name) in [("urls", "url"), ("tags", "tag"), ("prefixes", "prefix")] {
        for entry in said[list].as_array().into_iter().flatten() {
            let selector = entry[name].as_str().unwrap_or_default();
            say(&format!("  {name} {selector}: {}", responses(&entry["purged"])));
        }
    }
    ExitCode::SUCCESS
}

fn responses(count: &Value) -> String {
    match count.as_u64() {
        Some(1) => "1 response".to_string(),
        Some(count) => format!("{count} responses"),
        None => "an unknown number of responses".to_string(),
    }
}
