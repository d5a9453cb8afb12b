//! Files that aren't TOML, keys that don't exist, values of the wrong type.

use super::complaint;

#[test]
fn an_unknown_key() {
    let file = r#"# larder
[origin]
to = "127.0.0.1:8000"

[cache]
defult_ttl = "30s"
"#;
    let expected = r#"error: unknown key `defult_ttl`
  --> larder.toml:6:1
   |
 6 | defult_ttl = "30s"
   | ^^^^^^^^^^ did you mean `default_ttl`?"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn unknown_keys() {
    let file = r#"default_ttl = "60s"
[origin]
to = "app:8000"
conect_timeout = "1s"
frobnicate = 1
[chache]
defult_ttl = "30s"
[admin]
toekn.x = 1
"admin.token" = 1
"#;
    let expected = r#"error: unknown key `default_ttl`
  --> larder.toml:1:1
   |
 1 | default_ttl = "60s"
   | ^^^^^^^^^^^ this key belongs in `[cache]`

error: unknown key `conect_timeout`
  --> larder.toml:4:1
   |
 4 | conect_timeout = "1s"
   | ^^^^^^^^^^^^^^ did you mean `connect_timeout`?

error: unknown key `frobnicate`
  --> larder.toml:5:1
   |
 5 | frobnicate = 1
   | ^^^^^^^^^^ expected one of to, host, tls_ca, tls_name, tls_cert, tls_key, connect_timeout, first_byte_timeout, between_bytes_timeout, total_timeout, read_ahead, idle_timeout, max_connections, queue, queue_timeout, eject_after, eject_for, retry_budget, hold, health_path, health_interval, health_timeout, resolve_every

error: unknown key `chache`
  --> larder.toml:6:2
   |
 6 | [chache]
   |  ^^^^^^ did you mean `cache`?

error: unknown key `toekn`
  --> larder.toml:9:1
   |
 9 | toekn.x = 1
   | ^^^^^ did you mean `token`?

error: unknown key `admin.token`
   --> larder.toml:10:1
    |
 10 | "admin.token" = 1
    | ^^^^^^^^^^^^^ expected one of listen, token, tokens, networks"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn wrong_types_of_single_values() {
    let file = r#"threads = "2"
[origin]
to = 8000
connect_timeout = 2
host = ["a"]
[log]
level = {}
"#;
    let expected = r#"error: expected a number, found a string
  --> larder.toml:1:11
   |
 1 | threads = "2"
   |           ^^^ such as `100`

error: expected an address, found a number
  --> larder.toml:3:6
   |
 3 | to = 8000
   |      ^^^^ such as `"127.0.0.1:8000"`

error: expected a duration, found a number
  --> larder.toml:4:19
   |
 4 | connect_timeout = 2
   |                   ^ such as `"30s"`

error: expected a host, found a list
  --> larder.toml:5:8
   |
 5 | host = ["a"]
   |        ^^^^^ such as `"www.example.org"`

error: expected a level, found a table
  --> larder.toml:7:9
   |
 7 | level = {}
   |         ^^ such as `"info"`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn wrong_types_in_the_cache() {
    let file = r#"[cache]
memory = true
heuristics = "true"
heuristic_max = 1979-05-27
stale_if_error = 1.5
cookies = [1]
tag_fields = 1
"#;
    let expected = r#"error: expected a size, found a truth value
  --> larder.toml:2:10
   |
 2 | memory = true
   |          ^^^^ such as `"64KiB"`

error: expected `true` or `false`, found a string
  --> larder.toml:3:14
   |
 3 | heuristics = "true"
   |              ^^^^^^ such as `true`

error: expected a duration, found a date
  --> larder.toml:4:17
   |
 4 | heuristic_max = 1979-05-27
   |                 ^^^^^^^^^^ such as `"30s"`

error: expected a duration, found a fraction
  --> larder.toml:5:18
   |
 5 | stale_if_error = 1.5
   |                  ^^^ such as `"30s"`

error: expected names of cookies, found a number
  --> larder.toml:6:12
   |
 6 | cookies = [1]
   |            ^ such as `["sessionid"]`

error: expected names of fields, found a number
  --> larder.toml:7:14
   |
 7 | tag_fields = 1
   |              ^ such as `["Cache-Tag"]`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn tables_and_keys_confused() {
    let file = r#"cache = 3
[[origin]]
to = "app:8000"
[listen]
port = 80
"#;
    let expected = r#"error: `cache` is a table
  --> larder.toml:1:9
   |
 1 | cache = 3
   |         ^ write `[cache]` and its keys below

error: `origin` is a table
  --> larder.toml:2:1
   |
 2 | [[origin]]
   | ^^^^^^^^^^ write `[origin]` and its keys below

error: expected an address, found a table
  --> larder.toml:4:1
   |
 4 | [listen]
   | ^^^^^^^^ such as `"127.0.0.1:6081"`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn a_dotted_key_within_a_table() {
    let file = r#"origin.to = "app:8000"
trust.proxis = []
[cache]  # as larder init ends
default_ttl = "1s"
trust.proxies = ["127.0.0.1"]
cache.memory = "1GiB"
threads = 2
"#;
    let expected = r#"error: unknown key `proxis`
  --> larder.toml:2:7
   |
 2 | trust.proxis = []
   |       ^^^^^^ did you mean `proxies`?

error: unknown key `trust`
  --> larder.toml:5:1
   |
 5 | trust.proxies = ["127.0.0.1"]
   | ^^^^^ this line is within `[cache]`, which begins at line 3: write it above the first table, or under `[trust]`

error: unknown key `cache`
  --> larder.toml:6:1
   |
 6 | cache.memory = "1GiB"
   | ^^^^^ this line is within `[cache]`, which begins at line 3: leave out `cache.`

error: unknown key `threads`
  --> larder.toml:7:1
   |
 7 | threads = 2
   | ^^^^^^^ this key belongs at the top of the file"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn not_toml() {
    for (file, expected) in [
        (
            r#"listen = [
  1,
"#,
            r#"error: unclosed array, expected `]`
  --> larder.toml:2:5
   |
 2 |   1,
   |     ^ not valid TOML"#,
        ),
        (
            r#"listen = ":1"
listen = ":2"
"#,
            r#"error: duplicate key
  --> larder.toml:2:1
   |
 2 | listen = ":2"
   | ^^^^^^ not valid TOML"#,
        ),
        (
            r#"[origin]
to = app:8000
"#,
            r#"error: string values must be quoted, expected literal string
  --> larder.toml:2:6
   |
 2 | to = app:8000
   |      ^^^^^^^^ not valid TOML"#,
        ),
        (
            r#"[cache]
memory = "1GiB"
[origin]
to = ":1"
[cache] # more of it
"#,
            r#"error: duplicate key
  --> larder.toml:5:2
   |
 5 | [cache] # more of it
   |  ^^^^^ it begins at line 1: a table stands in one place"#,
        ),
        (
            r#"[origin
to = 1
"#,
            r#"error: unclosed table, expected `]`
  --> larder.toml:1:8
   |
 1 | [origin
   |        ^ not valid TOML"#,
        ),
    ] {
        assert_eq!(complaint(file), expected);
    }
}

#[test]
fn lines_that_set_a_token_are_not_shown() {
    for (file, expected) in [
        (
            "[admin]\ntoken = \"hunter 2\"\n",
            "error: this can't be a token\n  --> larder.toml:2:9\n   \
             = visible ASCII characters without spaces, or `off`",
        ),
        (
            "purge = { token = 2, networks = \"x\" }\n",
            "error: a token is a string\n  --> larder.toml:1:19\n   \
             = visible ASCII characters without spaces, or `off`\n\n\
             error: `x` is not a network\n  --> larder.toml:1:33\n   \
             = an address or a range, such as `10.0.0.0/8`",
        ),
        (
            "token = \"hunter2\"\n",
            "error: unknown key `token`\n  --> larder.toml:1:1\n   \
             = this key belongs in `[purge]` or in `[refresh]` or in `[admin]`",
        ),
    ] {
        assert_eq!(complaint(file), expected);
    }
}
