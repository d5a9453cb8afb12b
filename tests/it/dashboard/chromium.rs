//! The page in Chromium: the scenarios of `tests/dashboard/`, each with a larder of its own.

use super::site;
use crate::harness::{Larder, Origin, python, reply};
use std::path::Path;

/// Runs a scenario; pictures of it are in `target/tmp/dashboard` afterwards.
fn run(scenario: &str, larder: &Larder) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    let env = [
        ("ADMIN", larder.admin.to_string()),
        ("PROXY", larder.proxy.to_string()),
        ("PID", larder.pid().to_string()),
        ("SHOTS", shots.display().to_string()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_string()),
    ];
    let env = env.map(|(name, value)| (name.to_string(), value));
    let ran = python(&env)
        .arg(root.join("tests/dashboard/run.py"))
        .arg(scenario)
        .output()
        .expect("Python runs");
    let (said, errors) =
        (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}\n{errors}");
    assert!(said.ends_with("all is well\n"), "{said}\n{errors}");
}

fn in_front_of(origin: &Origin) -> Larder {
    Larder::in_front_of(origin.address, &[])
}

fn try_out(scenario: &str) {
    let origin = site();
    run(scenario, &in_front_of(&origin));
}

#[test]
fn the_figures_move_with_the_traffic() {
    try_out("figures");
}

#[test]
fn a_dry_run_and_a_purge_do_what_they_say() {
    try_out("purging");
}

#[test]
fn what_is_stored_is_searched_and_sorted_and_shown() {
    try_out("stored");
}

#[test]
fn reasons_and_findings_come_with_their_fixes() {
    try_out("observed");
}

#[test]
fn one_sees_why_a_page_misses_and_what_to_change() {
    let origin = Origin::answering(|_| {
        let cookie = "Set-Cookie: sessionid=secret; Path=/";
        reply(200, &["Cache-Control: max-age=60", cookie], "page")
    });
    run("why", &in_front_of(&origin));
}

#[test]
fn an_app_that_answers_with_5xx_is_not_well() {
    let origin = Origin::answering(|_| reply(500, &[], "it fails"));
    run("erring", &in_front_of(&origin));
}

#[test]
fn the_keyboard_reaches_everything() {
    try_out("keyboard");
}

#[test]
fn everything_has_a_name_and_a_place() {
    try_out("names");
}

#[test]
fn every_text_stands_out_in_light_and_dark() {
    try_out("colours");
}

#[test]
fn a_phone_shows_all_of_it() {
    try_out("phone");
}

#[test]
fn a_lost_connection_is_said_and_found_again() {
    try_out("lost");
}

#[test]
fn what_visitors_send_stays_text() {
    let origin = Origin::answering(|_| {
        let evil = "X-Evil: <img src=x onerror=window.pwned=1>";
        let tag = "Cache-Tag: <img/src=x/onerror=window.pwned=1>";
        reply(200, &["Cache-Control: max-age=60", evil, tag], "page")
    });
    run("hostile", &in_front_of(&origin));
}

#[test]
fn a_token_is_asked_for_and_kept_by_one_tab() {
    let origin = site();
    let env = [("LARDER_ADMIN__TOKEN", "secret")];
    run("token", &Larder::with_env(origin.address, &[], &env));
}

#[test]
fn a_token_of_a_small_scope_does_what_it_may() {
    let origin = site();
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("larder.toml");
    let text = format!(
        "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n\
         [[admin.tokens]]\nname = 'tagger'\ntoken = 'secret-tags'\nscope = 'tags'\n",
        origin.address
    );
    std::fs::write(&config, text).expect("a file");
    let larder = Larder::spawn(&["run", "--config", &config.display().to_string()], &[]);
    larder.get("/a");
    run("scope", &larder);
}
