//! `larder reload`.

use super::args::Place;
use super::client::{Admin, refusal};
use super::{failed, say};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(place: &Place) -> ExitCode {
    let admin = match Admin::at(place) {
        Ok(admin) => admin,
        Err(error) => return failed(&error),
    };
    let answer = match admin.post("/v1/reload", &json!({})) {
        Ok(answer) => answer,
        Err(error) => {
            return failed(&format!("error: no larder answers at {}: {error}", admin.client()));
        }
    };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if !answer.status.is_success() || !said.is_object() {
        return failed(&format!("not reloaded, nothing has changed:\n{}", refusal(&said)));
    }
    let lines = |list: &str| {
        let lines = said[list].as_array().into_iter().flatten();
        lines.filter_map(|line| line.as_str().map(str::to_owned)).collect::<Vec<String>>()
    };
    let (changed, left) = (lines("changed"), lines("left"));
    if changed.is_empty() {
        say("reloaded: nothing has changed");
    }
    changed.iter().for_each(|change| say(&format!("reloaded: {change}")));
    left.iter().for_each(|change| say(&format!("only a restart changes this: {change}")));
    ExitCode::SUCCESS
}
