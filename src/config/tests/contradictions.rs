//! Values that are right one by one, but not together.

use super::{complaint, load_file};

#[test]
fn all_are_reported_at_once() {
    let file = r#"listen = ":6081"
[origin]
to = "localhost:6081"
connect_timeout = "0s"
max_connections = 0
[admin]
listen = "0.0.0.0:6082"
[cache]
memory = "2MiB"
max_object = "3MiB"
[limits]
field = "64KiB"
"#;
    let expected = r#"error: larder would be its own application
  --> larder.toml:3:6
   |
 3 | to = "localhost:6081"
   |      ^^^^^^^^^^^^^^^^ larder itself listens on `:6081`

error: `origin.connect_timeout` can't be 0
  --> larder.toml:4:19
   |
 4 | connect_timeout = "0s"
   |                   ^^^^ every request would fail

error: `origin.max_connections` can't be 0
  --> larder.toml:5:19
   |
 5 | max_connections = 0
   |                   ^ at least 1

error: administration on `0.0.0.0:6082` would be open to everyone
  --> larder.toml:7:10
   |
 7 | listen = "0.0.0.0:6082"
   |          ^^^^^^^^^^^^^^ set `token` and `networks` in `[admin]`, or listen on 127.0.0.1

error: `cache.max_object` is more than `cache.memory`
   --> larder.toml:10:14
    |
 10 | max_object = "3MiB"
    |              ^^^^^^ 3MiB and 2MiB

error: `limits.field` is more than `limits.head`
   --> larder.toml:12:9
    |
 12 | field = "64KiB"
    |         ^^^^^^^ 64KiB and 32KiB"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn the_value_that_was_set_is_blamed() {
    let file = r#"listen = "127.0.0.1:6082"
[origin]
to = "app:8000"
[cache]
memory = "1MiB"
[limits]
head = "4KiB"
"#;
    let expected = r#"error: clients and administration can't have the same address
  --> larder.toml:1:10
   |
 1 | listen = "127.0.0.1:6082"
   |          ^^^^^^^^^^^^^^^^ give another port

error: `cache.max_object` is more than `cache.memory`
  --> larder.toml:5:10
   |
 5 | memory = "1MiB"
   |          ^^^^^^ 4MiB and 1MiB

error: `limits.field` is more than `limits.head`
  --> larder.toml:7:8
   |
 7 | head = "4KiB"
   |        ^^^^^^ 8190B and 4KiB

error: `limits.target` is more than `limits.head`
  --> larder.toml:7:8
   |
 7 | head = "4KiB"
   |        ^^^^^^ 8KiB and 4KiB"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn nowhere_to_listen_and_no_application() {
    let file = r#"listen = []
"#;
    let expected = r#"error: there is nowhere to listen
  --> larder.toml:1:10
   |
 1 | listen = []
   |          ^^ give one address or more

error: the address of the application is missing
  --> larder.toml
   = set `to` in `[origin]`, `LARDER_ORIGIN__TO`, or `--to`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn the_application_is_the_administration() {
    let file = r#"origin.to = "[::1]:7000"
admin.listen = "[::1]:7000"
"#;
    let expected = r#"error: larder would be its own application
  --> larder.toml:1:13
   |
 1 | origin.to = "[::1]:7000"
   |             ^^^^^^^^^^^^ larder's administration listens on `[::1]:7000`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn no_zeros_where_they_would_stop_everything() {
    let fails = "every request would fail";
    for (table, key, note) in [
        ("origin", "connect_timeout", fails),
        ("origin", "first_byte_timeout", fails),
        ("origin", "between_bytes_timeout", fails),
        ("origin", "health_interval", fails),
        ("origin", "health_timeout", fails),
        ("timeouts", "header", fails),
        ("timeouts", "body_stall", fails),
        ("timeouts", "write_stall", fails),
        ("origin", "max_connections", "at least 1"),
        ("cache", "max_variants", "at least 1"),
        ("limits", "field", "at least 1"),
        ("limits", "fields", "at least 1"),
        ("limits", "target", "at least 1"),
        ("limits", "response_head", "at least 1"),
        ("limits", "response_fields", "at least 1"),
        ("limits", "connections", "at least 1"),
    ] {
        let line = format!("{table}.{key} = 0");
        let column = line.len();
        let expected = format!(
            "error: `{table}.{key}` can't be 0\n  --> larder.toml:2:{column}\n   |\n \
             2 | {line}\n   | {:>column$} {note}",
            "^"
        );
        assert_eq!(complaint(&format!("origin.to = 'app:8000'\n{line}")), expected);
    }
}

#[test]
fn zeros_that_mean_something() {
    for line in [
        "threads = 0",
        "origin.idle_timeout = 0",
        "origin.total_timeout = 0",
        "origin.queue = 0",
        "origin.queue_timeout = 0",
        "origin.eject_after = 0",
        "origin.eject_for = 0",
        "origin.retry_budget = 0",
        "origin.hold = 0",
        "origin.resolve_every = 0",
        "cache.stale_when_down = 0",
        "cache.soft_purge_window = 0",
        "cache.uncacheable_ttl = 0",
        "timeouts.keep_alive = 0",
        "timeouts.drain = 0",
        "limits.request_body = 0",
        "limits.connections_per_ip = 0",
        "limits.ranges = 0",
        "listen = '127.0.0.1:0'\nadmin.listen = '127.0.0.1:0'",
    ] {
        let file = format!("{line}\norigin.to = 'app:8000'");
        assert!(load_file(&file).is_ok(), "{line}");
    }
}

#[test]
fn administration_is_open_only_where_it_may_be() {
    for line in [
        "admin.listen = 'off'",
        "admin.listen = '127.8.8.8:6082'",
        "admin.listen = '[::1]:6082'",
        "admin.listen = '[::ffff:127.0.0.1]:6082'",
        "admin.listen = ':6082'\nadmin.token = 'hunter2'\nadmin.networks = '10.0.0.0/8'",
        "admin.listen = ':6082'\nadmin.networks = '0.0.0.0/0'\n\
         admin.tokens = [{name = 'a', token = 'hunter2'}]",
        "admin.listen = ':6082'\n\
         admin.tokens = [{name = 'a', token = 'hunter2', networks = '10.0.0.1'}]",
    ] {
        let file = format!("{line}\norigin.to = 'app:8000'");
        assert_eq!(load_file(&file).err().map(|why| why.to_string()), None, "{line}");
    }
    for (line, wrong) in [
        ("admin.networks = '10.0.0.0/8'", "would be open to everyone"),
        ("admin.token = 'hunter2'", "would let nobody in"),
        ("admin.token = 'hunter2'\nadmin.networks = '127.0.0.1'", "would let nobody in"),
        ("admin.token = 'hunter2'\nadmin.networks = []", "would let nobody in"),
    ] {
        let file = format!("admin.listen = ':6082'\n{line}\norigin.to = 'app:8000'");
        let complaint = complaint(&file);
        assert!(complaint.contains(wrong) && !complaint.contains("hunter2"), "{complaint}");
    }
}

#[test]
fn a_field_that_means_something_else_is_neither_tags_nor_speaks_to_larder() {
    for (key, name) in [("tag_fields", "Set-Cookie"), ("targeted_fields", "vary")] {
        let line = format!("cache.{key} = ['X-Mine', '{name}']");
        let complaint = complaint(&format!("origin.to = 'app:8000'\n{line}"));
        let expected =
            format!("error: `{name}` can't be one of `cache.{key}`\n  --> larder.toml:2:");
        assert!(complaint.starts_with(&expected), "{complaint}");
    }
    let file = "origin.to = 'app:8000'\ncache.targeted_fields = []\ncache.tag_fields = []";
    assert!(load_file(file).is_ok());
}
