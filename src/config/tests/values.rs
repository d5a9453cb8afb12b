//! Values of the right type that can't be read.

use super::complaint;

#[test]
fn bad_units() {
    let file = r#"[cache]
default_ttl = "30 secnds"
stale_if_error = "30"
stale_when_down = "9999d"
memory = "4 MB"
max_object = 99999999999999999999
max_variants = -1
[limits]
head = -1
"#;
    let expected = r#"error: `30 secnds` is not a duration
  --> larder.toml:2:15
   |
 2 | default_ttl = "30 secnds"
   |               ^^^^^^^^^^^ a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`

error: `30` is not a duration
  --> larder.toml:3:18
   |
 3 | stale_if_error = "30"
   |                  ^^^^ a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`

error: `9999d` is too long
  --> larder.toml:4:19
   |
 4 | stale_when_down = "9999d"
   |                   ^^^^^^^ at most `3650d`

error: `4 MB` is not a size
  --> larder.toml:5:10
   |
 5 | memory = "4 MB"
   |          ^^^^^^ a number of bytes, or with `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`, such as `64KiB`

error: `99999999999999999999` is too large
  --> larder.toml:6:14
   |
 6 | max_object = 99999999999999999999
   |              ^^^^^^^^^^^^^^^^^^^^

error: `-1` is not a count
  --> larder.toml:7:16
   |
 7 | max_variants = -1
   |                ^^ a whole number from 0 up

error: `-1` is not a size
  --> larder.toml:9:8
   |
 9 | head = -1
   |        ^^ a number of bytes, or with `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`, such as `64KiB`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn bad_networks() {
    let file = r#"[purge]
networks = ["10.0.0.0/8", "10.0.0.0/33"]
[trust]
proxies = "10.0.0.0/8, proxy"
"#;
    let expected = r#"error: `10.0.0.0/33` is not a network
  --> larder.toml:2:27
   |
 2 | networks = ["10.0.0.0/8", "10.0.0.0/33"]
   |                           ^^^^^^^^^^^^^ an address or a range, such as `10.0.0.0/8`

error: `proxy` is not a network
  --> larder.toml:4:11
   |
 4 | proxies = "10.0.0.0/8, proxy"
   |           ^^^^^^^^^^^^^^^^^^^ an address or a range, such as `10.0.0.0/8`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn bad_names() {
    let file = r#"origin.host = "www.example.org/"
[cache]
cookies = ["a b"]
bypass_cookies = "a;b"
tag_fields = ["Cache-Tag", "X:Y"]
[log]
access = "jsn"
level = "infoo"
"#;
    let expected = r#"error: `www.example.org/` is not a host
  --> larder.toml:1:15
   |
 1 | origin.host = "www.example.org/"
   |               ^^^^^^^^^^^^^^^^^^ a name, with a port if need be, such as `www.example.org`

error: `a b` can't be the name of a cookie
  --> larder.toml:3:12
   |
 3 | cookies = ["a b"]
   |            ^^^^^ letters, digits and ``!#$%&'*+-.^_`|~``

error: `a;b` can't be the name of a cookie
  --> larder.toml:4:18
   |
 4 | bypass_cookies = "a;b"
   |                  ^^^^^ letters, digits and ``!#$%&'*+-.^_`|~``

error: `X:Y` can't be the name of a field
  --> larder.toml:5:28
   |
 5 | tag_fields = ["Cache-Tag", "X:Y"]
   |                            ^^^^^ letters, digits and ``!#$%&'*+-.^_`|~``

error: `jsn` is not a format of the access log
  --> larder.toml:7:10
   |
 7 | access = "jsn"
   |          ^^^^^ one of `off`, `combined`, `json`

error: `infoo` is not a level
  --> larder.toml:8:9
   |
 8 | level = "infoo"
   |         ^^^^^^^ one of `off`, `error`, `warn`, `info`, `debug`, `trace`"#;
    assert_eq!(complaint(file), expected);
}

#[test]
fn the_dialects_of_purges_are_those_that_there_are() {
    let known: Vec<&str> = crate::dialects::Dialect::ALL.iter().map(|(_, name)| *name).collect();
    assert_eq!(known, crate::config::read::DIALECTS);
}

#[test]
fn bad_dialects() {
    let file = "[purge]\ndialects = [\"url\", \"wagtale\"]\n";
    let complaint = complaint(file);
    assert!(complaint.contains("`wagtale` is not a dialect of purges"), "{complaint}");
    assert!(complaint.contains("larder.toml:2:20") && complaint.contains("api-platform"));
}
