//! Presets: what they set, what wins over them, and where each setting is said to come from.

use super::{complaint, load_all, load_file};
use crate::config::{Explained, Overrides, Preset, Settings, Source, explain};
use std::path::Path;
use std::time::Duration;

/// Every setting of `file` under these variables, as if the file were called `larder.toml`.
fn explained(file: &str, env: &[(&str, &str)], overrides: &Overrides) -> Vec<Explained> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("larder.toml");
    std::fs::write(&path, file).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut settings = explain(Source::File(&path), env, overrides).unwrap();
    let prefix = format!("{}/", dir.path().display());
    let short = |place: &mut String| *place = place.replace(&prefix, "");
    settings.iter_mut().for_each(|setting| {
        short(&mut setting.place);
        setting.over.iter_mut().for_each(short);
    });
    settings
}

fn of<'a>(settings: &'a [Explained], key: &str) -> &'a Explained {
    settings.iter().find(|setting| setting.key == key).unwrap()
}

#[test]
fn each_line_of_each_preset_is_a_setting_with_a_comment() {
    for preset in Preset::ALL {
        let text = format!("preset = '{}'\norigin.to = 'a:1'", preset.name());
        let settings = load_file(&text).unwrap_or_else(|why| panic!("{preset:?}: {why}"));
        assert_eq!(settings.preset, Some(preset));
        assert_eq!(Preset::named(preset.name()), Some(preset));
        let lines: Vec<(&str, String)> = preset.lines().collect();
        let said = explained(&text, &[], &Overrides::default());
        let from_it: Vec<(&str, String)> = (said.iter())
            .filter(|setting| setting.from == "preset")
            .map(|setting| (setting.key, setting.about.clone().unwrap()))
            .collect();
        assert_eq!(lines.len(), preset.text().matches(" = ").count(), "{preset:?}");
        assert!(lines.iter().all(|(_, about)| about.len() > 20 && about.ends_with('.')));
        assert_eq!(from_it, lines, "{preset:?}: in the order of larder.toml");
    }
}

#[test]
fn a_preset_sets_this() {
    let cache =
        |name: &str| load_file(&format!("preset = '{name}'\norigin.to = 'a:1'")).unwrap().cache;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (django, flask, wagtail) = (cache("django"), cache("flask"), cache("wagtail"));
    assert_eq!(django.cookies, Some(texts(&["sessionid"])));
    assert_eq!(django.bypass_cookies, texts(&["messages", "django_language"]));
    assert_eq!(django.bypass_paths, texts(&["/admin/", "/accounts/"]));
    assert_eq!(flask.cookies, Some(texts(&["session", "remember_token"])));
    assert_eq!((flask.bypass_cookies.len(), flask.bypass_paths.len()), (0, 1));
    assert_eq!(
        (&wagtail.cookies, &wagtail.bypass_cookies),
        (&django.cookies, &django.bypass_cookies)
    );
    assert!(wagtail.bypass_paths.contains(&"/django-admin/".to_owned()));
    for cache in [django, flask, wagtail] {
        assert!(!cache.heuristics);
        // A lifetime for pages that state none is the operator's word alone.
        assert_eq!(cache.default_ttl, Duration::ZERO);
        assert_eq!(cache.static_paths, texts(&["/static/"]));
        assert!(cache.ignored_parameters.contains(&"utm_*".to_owned()));
    }
}

#[test]
fn everything_else_wins_over_a_preset() {
    let file =
        "preset = 'django'\norigin.to = 'a:1'\n[cache]\ncookies = ['sid']\nheuristics = true";
    let env = [("LARDER_CACHE__BYPASS_PATHS", "none")];
    let with = |options: &Overrides| load_all(file, &env, options).unwrap();
    let settings = with(&Overrides::default());
    assert_eq!(settings.cache.cookies, Some(vec!["sid".to_owned()]));
    assert!(settings.cache.heuristics && settings.cache.bypass_paths.is_empty());
    assert_eq!(settings.cache.bypass_cookies[0], "messages");
    let options = Overrides { cookies: Some(vec!["own".into()]), ..Overrides::default() };
    assert_eq!(with(&options).cache.cookies, Some(vec!["own".to_owned()]));
}

#[test]
fn the_preset_is_the_one_that_the_highest_layer_names() {
    let preset = |file: &str, env: &[(&str, &str)], option: Option<&str>| {
        let options = Overrides { preset: option.map(String::from), ..Overrides::default() };
        let settings = load_all(&format!("{file}\norigin.to = 'a:1'"), env, &options).unwrap();
        (settings.preset, settings.cache.cookies.map(|names| names.join(" ")))
    };
    let flask = (Some(Preset::Flask), Some("session remember_token".to_owned()));
    let django = (Some(Preset::Django), Some("sessionid".to_owned()));
    let env = [("LARDER_PRESET", "flask")];
    assert_eq!(preset("", &[], None), (None, None));
    assert_eq!(preset("", &env, None), flask);
    assert_eq!(preset("preset = 'django'", &[], None), django);
    assert_eq!(preset("preset = 'django'", &env, None), flask);
    assert_eq!(preset("preset = 'flask'", &env, Some("django")), django);
    assert_eq!(preset("preset = 'django'", &[("LARDER_PRESET", "off")], None), (None, None));
}

#[test]
fn what_is_not_a_preset_a_path_or_a_parameter_is_said_with_its_place() {
    let said = complaint("preset = 'djang'\norigin.to = 'a:1'");
    let expected = "\
error: `djang` is not a preset
  --> larder.toml:1:10
   |
 1 | preset = 'djang'
   |          ^^^^^^^ one of `django`, `flask`, `wagtail`, or `off`";
    assert_eq!(said, expected);
    for (line, words) in [
        ("preset = 3", "expected a preset, found a number"),
        ("preset = ['django']", "expected a preset, found a list"),
        ("cache.bypass_paths = ['admin/']", "it begins with `/`, such as `/admin/`"),
        ("cache.bypass_paths = ['/a b/']", "it has no space, query or parameter"),
        ("cache.bypass_paths = ['/a?b']", "it has no space, query or parameter"),
        ("cache.bypass_paths = ['/a/../b']", "without `//`, `.` and `..`"),
        ("cache.static_paths = ['//static']", "without `//`, `.` and `..`"),
        ("cache.static_paths = 3", "expected paths, found a number"),
        ("hosts = ['']", "such as `www.example.org`"),
        ("hosts = ['http://a.test']", "a name alone, without `http://`"),
        ("hosts = ['a.test:80']", "it counts at any port"),
        ("hosts = ['a.*.test']", "a `*` stands in front"),
        ("hosts = ['a.test/b']", "a name of letters, digits"),
        ("hosts = true", "expected hosts"),
        ("cache.ignored_parameters = ['']", "a name, such as `gclid`"),
        ("cache.ignored_parameters = ['*']", "every query would be taken off"),
        ("cache.ignored_parameters = ['*_id']", "a `*` stands at the end"),
        ("cache.ignored_parameters = ['a**']", "a `*` stands at the end"),
        ("cache.ignored_parameters = ['?a']", "a name alone"),
        ("cache.ignored_parameters = ['a=1']", "a name alone"),
        ("cache.ignored_parameters = true", "expected names of parameters"),
    ] {
        let said = complaint(&format!("origin.to = 'a:1'\n{line}"));
        assert!(said.contains(words) && said.contains("--> larder.toml:2:"), "{line}: {said}");
    }
    let options = Overrides { preset: Some("rails".into()), ..Overrides::default() };
    let said = load_all("origin.to = 'a:1'", &[], &options).unwrap_err();
    assert!(said.contains("`rails` is not a preset\n  --> option --preset"), "{said}");
}

#[test]
fn each_setting_says_where_it_comes_from_and_what_it_wins_over() {
    let file = "preset = 'django'\n[origin]\nto = 'a:1'\n[cache]\n\ncookies = [\n  'sid',\n]";
    let env = [
        ("LARDER_CACHE__COOKIES", "own"),
        ("LARDER_THREADS", "2"),
        ("LARDER_PURGE__TOKEN", "hunter2"),
        ("LARDER_CACHE__STATUS_KEY", "true"),
    ];
    let options = Overrides { memory: Some("6MiB".into()), ..Overrides::default() };
    let settings = explained(file, &env, &options);
    for (key, expected) in [
        ("preset", "preset = \"django\"  # larder.toml:1"),
        ("listen", "listen = \"127.0.0.1:6081\"  # default"),
        ("threads", "threads = 2  # environment LARDER_THREADS"),
        ("origin.to", "origin.to = \"a:1\"  # larder.toml:3"),
        ("cache.memory", "cache.memory = \"6MiB\"  # option --memory"),
        (
            "cache.cookies",
            "cache.cookies = \"own\"  # environment LARDER_CACHE__COOKIES, over larder.toml:6, over \
             preset \"django\"",
        ),
        ("cache.status_key", "cache.status_key = true  # environment LARDER_CACHE__STATUS_KEY"),
        ("purge.token", "purge.token = \"***\"  # environment LARDER_PURGE__TOKEN"),
        ("admin.token", "admin.token = \"off\"  # default"),
    ] {
        assert_eq!(of(&settings, key).to_string(), expected);
    }
    let bypass = of(&settings, "cache.bypass_paths");
    assert_eq!((bypass.from, bypass.place.as_str()), ("preset", "preset \"django\""));
    let shown = bypass.to_string();
    assert!(shown.starts_with("# The admin; and where"), "{shown}");
    assert!(
        shown
            .ends_with("\ncache.bypass_paths = [\"/admin/\", \"/accounts/\"]  # preset \"django\"")
    );
}

#[test]
fn what_is_explained_is_a_configuration_of_the_same_settings() {
    let larder = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config/conformance.toml"),
    );
    for (file, env) in [
        ("origin.to = 'a:1'", &[][..]),
        ("preset = 'wagtail'\norigin.to = ['a:1', 'b:2']\norigin.host = 'x'", &[]),
        (
            "preset = 'flask'\norigin.to = 'a:1'\ncache.max_variants = 0x10",
            &[("LARDER_THREADS", "2"), ("LARDER_CACHE__COOKIES", "a,b"), ("LARDER_LISTEN", ":1")],
        ),
        (larder.unwrap().as_str(), &[]),
    ] {
        let expected: Settings = load_all(file, env, &Overrides::default()).unwrap();
        let lines: Vec<String> =
            explained(file, env, &Overrides::default()).iter().map(Explained::to_string).collect();
        let again = load_file(&lines.join("\n")).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(again, expected, "{file}");
        // A preset's name is among the lines, but none is left to come from it.
        let keys = crate::config::keys::KEYS.len();
        assert_eq!(lines.iter().filter(|line| line.contains(" = ")).count(), keys);
    }
}
