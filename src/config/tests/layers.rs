//! Which layer wins, and what each can say.

use super::load_all;
use crate::config::{AccessLog, Overrides, Preset, Secret, Settings, Source, Target, load};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const FILE: &str = "
listen = '127.0.0.1:1'
[origin]
to = '127.0.0.1:8000'
[cache]
default_ttl = '1s'
cookies = ['file']
";

fn with(env: &[(&str, &str)], overrides: &Overrides) -> Settings {
    load_all(FILE, env, overrides).unwrap()
}

fn owned(env: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    env.iter().map(pair).collect()
}

#[test]
fn later_layers_win() {
    let none = Overrides::default();
    let options = Overrides { default_ttl: Some("3s".into()), ..Overrides::default() };
    let env = [("LARDER_CACHE__DEFAULT_TTL", "2s")];
    let ttl = |settings: Settings| settings.cache.default_ttl.as_secs();
    assert_eq!(ttl(with(&[], &none)), 1);
    assert_eq!(ttl(with(&env, &none)), 2);
    assert_eq!(ttl(with(&env, &options)), 3);
    assert_eq!(ttl(with(&[], &options)), 3);
}

#[test]
fn a_list_replaces_the_list_below() {
    let env = [
        ("LARDER_LISTEN", "127.0.0.1:2, 127.0.0.1:3"),
        ("LARDER_CACHE__COOKIES", "sessionid,csrftoken"),
    ];
    let settings = with(&env, &Overrides::default());
    let listen: Vec<&str> = settings.listen.iter().map(|at| at.text.as_str()).collect();
    assert_eq!(listen, ["127.0.0.1:2", "127.0.0.1:3"]);
    let expected = ["sessionid", "csrftoken"].map(String::from).to_vec();
    assert_eq!(settings.cache.cookies, Some(expected));
}

#[test]
fn cookies_can_be_all_some_or_none() {
    let some = |name: &str| Some(vec![name.to_owned()]);
    let file = |cookies: &str| format!("origin.to = 'a:1'\ncache.cookies = {cookies}");
    for (text, expected) in [
        ("'all'", None),
        ("'none'", Some(Vec::new())),
        ("[]", Some(Vec::new())),
        ("'session'", some("session")),
        ("['all']", some("all")),
        ("['none']", some("none")),
    ] {
        let settings = load_all(&file(text), &[], &Overrides::default()).unwrap();
        assert_eq!(settings.cache.cookies, expected, "{text}");
    }
    for (names, expected) in [
        (vec![], Some(Vec::new())),
        (vec!["none"], Some(Vec::new())),
        (vec!["all"], None),
        (vec!["session"], some("session")),
    ] {
        let options = Overrides {
            cookies: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            ..Overrides::default()
        };
        assert_eq!(with(&[], &options).cache.cookies, expected, "{names:?}");
    }
}

#[test]
fn an_empty_variable_is_not_set() {
    let env = [("LARDER_CACHE__COOKIES", ""), ("LARDER_ADMIN__TOKEN", "")];
    let settings = with(&env, &Overrides::default());
    assert_eq!(settings, with(&[], &Overrides::default()));
}

#[test]
fn variables_of_others_are_left_alone() {
    let env = [
        ("LARDER_CONFIG", "/nowhere.toml"),
        ("LARDER_TEST_PYTHON", "python3"),
        ("LARDER_PROXY", "http://127.0.0.1:6081"),
        ("LARDER_ADMIN", "http://127.0.0.1:6082"),
        ("LARDER_TOKEN", "hunter2"),
        ("PATH", "/bin"),
    ];
    let settings = with(&env, &Overrides::default());
    assert_eq!(settings, with(&[], &Overrides::default()));
}

#[test]
fn variables_carry_every_type() {
    let env = owned(&[
        ("LARDER_THREADS", "2"),
        ("LARDER_HOSTS", "WWW.example.org,*.example.net,[::1]"),
        ("LARDER_ORIGIN__TO", "unix:/run/app.sock"),
        ("LARDER_ORIGIN__HOST", "www.example.org"),
        ("LARDER_CACHE__HEURISTICS", "false"),
        ("LARDER_CACHE__MAX_OBJECT", "1MiB"),
        ("LARDER_LIMITS__FIELD", "4096"),
        ("LARDER_TRUST__PROXIES", "10.0.0.0/8,::1"),
        ("LARDER_PURGE__TOKEN", "hunter2"),
        ("LARDER_ADMIN__LISTEN", "off"),
        ("LARDER_LOG__ACCESS", "json"),
        ("LARDER_LOG__LEVEL", "warn,larder::origin=debug"),
    ]);
    let settings = load(Source::None, env, &Overrides::default()).unwrap();
    let mut expected = Settings::new(Target::Unix("/run/app.sock".into()));
    expected.threads = 2;
    expected.hosts = ["www.example.org", "*.example.net", "[::1]"].map(String::from).to_vec();
    expected.origin.host = Some("www.example.org".into());
    expected.cache.heuristics = false;
    expected.cache.max_object = 1 << 20;
    expected.limits.field = 4096;
    expected.trust.proxies = ["10.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec();
    expected.purge.token = Some(Secret::new("hunter2".into()));
    expected.admin.listen = None;
    expected.log.access = AccessLog::Json;
    expected.log.level = "warn,larder::origin=debug".into();
    assert_eq!(settings, expected);
}

#[test]
fn every_option_reaches_its_setting() {
    let text = |text: &str| Some(text.to_owned());
    let options = Overrides {
        to: text("[::1]:9000"),
        listen: vec!["127.0.0.1:2".into(), ":3".into()],
        admin: text("127.0.0.1:4"),
        default_ttl: text("5s"),
        cookies: Some(vec!["a".into(), "b".into()]),
        memory: text("6MiB"),
        connect_timeout: text("7s"),
        first_byte_timeout: text("8s"),
        between_bytes_timeout: text("9s"),
        access_log: text("off"),
        preset: text("flask"),
    };
    let settings = load(Source::None, [], &options).unwrap();
    let host = "::1".to_owned();
    let mut expected = Settings::new(Target::Tcp { host, port: 9000 });
    expected.listen = settings.listen.clone();
    // What else it sets is in `presets.rs`.
    expected.preset = Some(Preset::Flask);
    expected.cache = settings.cache.clone();
    expected.admin.listen = Some(SocketAddr::from(([127, 0, 0, 1], 4)));
    expected.cache.default_ttl = Duration::from_secs(5);
    expected.cache.cookies = Some(vec!["a".into(), "b".into()]);
    expected.cache.memory = 6 << 20;
    expected.origin.connect_timeout = Duration::from_secs(7);
    expected.origin.first_byte_timeout = Duration::from_secs(8);
    expected.origin.between_bytes_timeout = Duration::from_secs(9);
    expected.log.access = AccessLog::Off;
    assert_eq!(settings, expected);
    let addresses: Vec<SocketAddr> =
        settings.listen.into_iter().flat_map(|at| at.addresses).collect();
    assert_eq!(addresses, [([127, 0, 0, 1], 2).into(), ([0, 0, 0, 0], 3).into()]);
}

#[test]
fn complaints_name_the_variable_or_option() {
    let env = [
        ("LARDER_CACHE__DEFAULT_TTL", "30 secnds"),
        ("LARDER_CACHE__DEFULT_TTL", "30s"),
        ("LARDER_CACHE__HEURISTICS", "yes"),
        ("LARDER_DEFAULT_TTL", "30s"),
        ("LARDER_NONSENSE", "1"),
        ("LARDER_ADMIN__TOKEN", "two words"),
    ];
    let options = Overrides {
        default_ttl: Some("30".into()),
        admin: Some("6082".into()),
        access_log: Some("yes".into()),
        ..Overrides::default()
    };
    let expected = "\
error: this can't be a token
  --> environment LARDER_ADMIN__TOKEN
   = visible ASCII characters without spaces, or `off`

error: `30 secnds` is not a duration
  --> environment LARDER_CACHE__DEFAULT_TTL
   = a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`

error: unknown variable `LARDER_CACHE__DEFULT_TTL`
  --> environment LARDER_CACHE__DEFULT_TTL
   = did you mean `LARDER_CACHE__DEFAULT_TTL`?

error: expected `true` or `false`, found `yes`
  --> environment LARDER_CACHE__HEURISTICS
   = such as `true`

error: unknown variable `LARDER_DEFAULT_TTL`
  --> environment LARDER_DEFAULT_TTL
   = did you mean `LARDER_CACHE__DEFAULT_TTL`?

error: unknown variable `LARDER_NONSENSE`
  --> environment LARDER_NONSENSE
   = a setting is named like `LARDER_CACHE__DEFAULT_TTL`

error: `6082` is not an address
  --> option --admin
   = did you mean `:6082`?

error: `30` is not a duration
  --> option --default-ttl
   = a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`

error: `yes` is not a format of the access log
  --> option --access-log
   = one of `off`, `combined`, `json`";
    assert_eq!(load_all(FILE, &env, &options), Err(expected.to_owned()));
}

#[test]
fn a_file_that_is_not_there() {
    let none = Overrides::default();
    let missing = Source::File(Path::new("/nowhere/larder.toml"));
    let expected = "\
error: can't read the configuration: No such file or directory (os error 2)
  --> /nowhere/larder.toml";
    assert_eq!(load(missing, [], &none).unwrap_err().to_string(), expected);
    let env = owned(&[("LARDER_CONFIG", "/nowhere/larder.toml")]);
    let expected = "\
error: there is no file `/nowhere/larder.toml`
  --> environment LARDER_CONFIG";
    assert_eq!(load(Source::Search, env, &none).unwrap_err().to_string(), expected);
}

#[test]
fn the_search_begins_with_the_variable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, FILE).unwrap();
    let env = owned(&[("LARDER_CONFIG", path.to_str().unwrap())]);
    let settings = load(Source::Search, env, &Overrides::default()).unwrap();
    assert_eq!(settings.cache.default_ttl, Duration::from_secs(1));
}

#[test]
fn without_a_file_nothing_is_read() {
    let env = owned(&[("LARDER_CONFIG", "/nowhere/larder.toml")]);
    let expected = "\
error: the address of the application is missing
  --> no file
   = set `to` in `[origin]`, `LARDER_ORIGIN__TO`, or `--to`";
    let error = load(Source::None, env, &Overrides::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let settings = with(&[("LARDER_PURGE__TOKEN", "hunter2")], &Overrides::default());
    let token = settings.purge.token.as_ref().unwrap();
    assert_eq!((token.expose(), format!("{token:?}").as_str()), ("hunter2", "***"));
    assert!(!format!("{settings:?}").contains("hunter2"));
}
