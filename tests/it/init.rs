//! `larder init`, on the tests' apps and on projects that are made up.

use crate::harness::Larder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A folder with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("the file is written");
    }
    dir
}

/// The settings in force with a configuration, each with where it comes from.
type Settings = BTreeMap<String, (Value, String)>;

/// Prints the configuration, which has to be good; what it makes of each setting, and what is
/// said beside it.
fn printed(dir: &Path, args: &[&str]) -> (Settings, String) {
    let folder = dir.to_str().expect("text");
    let (status, text, told) = Larder::run(&[&["init", "--print", folder], args].concat(), &[]);
    assert_eq!(status, Some(0), "{told}");
    let check = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(check.path(), &text).expect("the file is written");
    let path = check.path().to_str().expect("text");
    let (status, said, errors) = Larder::run(&["check", "--config", path], &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{text}");
    assert!(said.starts_with("the configuration is good: 127.0.0.1:6081 in front of "), "{said}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let (_, said, _) = Larder::run(&["check", "--config", path, "--explain", "--json"], &[]);
    let document: Value = serde_json::from_str(&said).expect("JSON");
    let settings = document["settings"].as_array().expect("a list").iter().map(|setting| {
        let text = |member: &str| setting[member].as_str().expect("text").to_string();
        (text("key"), (setting["value"].clone(), text("from")))
    });
    (settings.collect(), told)
}

/// A list of the cache, or its only text.
fn texts(settings: &Settings, key: &str) -> Vec<String> {
    let (value, _) = &settings[&format!("cache.{key}")];
    match value.as_str() {
        Some(text) => vec![text.to_string()],
        None => {
            let list = value.as_array().cloned().unwrap_or_default();
            list.iter().filter_map(|v| v.as_str().map(String::from)).collect()
        }
    }
}

/// Where a setting of the cache comes from.
fn from<'a>(settings: &'a Settings, key: &str) -> &'a str {
    &settings[&format!("cache.{key}")].1
}

fn to(settings: &Settings) -> &str {
    settings["origin.to"].0.as_str().expect("text")
}

const MANAGE: &str = "import os\n\ndef main():\n    \
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n";

/// A Django project with these settings.
fn django(settings: &str) -> tempfile::TempDir {
    project(&[("manage.py", MANAGE), ("site1/settings.py", settings)])
}

#[test]
fn the_apps_of_the_tests_are_found_out() {
    let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps");
    let (blog, told) = printed(&apps.join("django_blog"), &[]);
    assert_eq!(texts(&blog, "cookies"), ["sessionid"]);
    assert_eq!(texts(&blog, "bypass_cookies"), ["messages", "django_language"]);
    // Whether another cookie says who a visitor is, can't be read off the settings.
    assert_eq!(texts(&blog, "default_ttl"), ["0s"]);
    assert!(told.contains("cache.default_ttl is commented out"), "{told}");
    // Nothing is written that the preset has already.
    assert_eq!(blog["preset"].0.as_str(), Some("django"));
    for key in ["cookies", "bypass_cookies", "bypass_paths", "static_paths", "heuristics"] {
        assert_eq!(from(&blog, key), "preset", "{key}");
    }
    assert!(told.contains("wsgi.py:7: the settings are django_blog.settings"), "{told}");
    assert!(told.contains("SECURE_PROXY_SSL_HEADER = "), "{told}");
    // It has that already.
    assert!(!told.contains("CSRF_TRUSTED_ORIGINS = "), "{told}");

    let (shop, told) = printed(&apps.join("flask_shop"), &[]);
    assert_eq!(texts(&shop, "cookies"), ["session", "remember_token"]);
    assert_eq!((shop["preset"].0.as_str(), from(&shop, "cookies")), (Some("flask"), "preset"));
    assert!(told.contains("__init__.py:23: the app is made here"), "{told}");
    assert!(told.contains("ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)"), "{told}");
}

#[test]
fn djangos_names_hosts_and_address_are_read() {
    let settings = "INSTALLED_APPS = ['django.contrib.sessions']\n\
        MIDDLEWARE = [\n    'django.middleware.locale.LocaleMiddleware',\n    \
        'django.middleware.cache.UpdateCacheMiddleware',\n]\n\
        SESSION_COOKIE_NAME: str = 'sid'\nLANGUAGE_COOKIE_NAME = ('la' 'ng')\n\
        ALLOWED_HOSTS = ['.example.com', 'shop.example.org', 'localhost', '*']\n\
        SESSION_SAVE_EVERY_REQUEST = True\nSECURE_SSL_REDIRECT = True\n";
    let dir = django(settings);
    std::fs::write(dir.path().join("gunicorn.conf.py"), "bind = '0.0.0.0:9000'\n")
        .expect("written");
    let (found, told) = printed(dir.path(), &[]);
    assert_eq!(texts(&found, "cookies"), ["sid"]);
    assert_eq!(texts(&found, "bypass_cookies"), ["lang"]);
    assert_eq!((from(&found, "cookies"), from(&found, "bypass_cookies")), ("file", "file"));
    assert_eq!(to(&found), "127.0.0.1:9000");
    for words in [
        "settings.py:6: SESSION_COOKIE_NAME = \"sid\"",
        "gunicorn.conf.py:1: gunicorn listens on 127.0.0.1:9000",
        "CSRF_TRUSTED_ORIGINS = [\"https://example.com\", \"https://*.example.com\", \
         \"https://shop.example.org\"]",
        "SESSION_SAVE_EVERY_REQUEST is on",
        "SECURE_SSL_REDIRECT is on",
        "UpdateCacheMiddleware states a lifetime",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    assert!(!told.contains("What could not be read"), "{told}");
}

#[test]
fn settings_in_several_files_are_read_in_the_order_in_which_they_count() {
    let base = "INSTALLED_APPS = ['wagtail', 'wagtail.contrib.frontend_cache']\n\
        SESSION_COOKIE_NAME = 'base'\n";
    for (production, expected) in [
        ("from .base import *\n", &["base"][..]),
        ("from .base import *\nSESSION_COOKIE_NAME = 'own'\n", &["own"]),
        ("SESSION_COOKIE_NAME = 'own'\nfrom site1.settings.base import *\n", &["base"]),
        ("from .base import *\nINSTALLED_APPS = INSTALLED_APPS + ['x']\n", &["base"]),
        // What may be so, and what else it would be.
        ("from .base import *\nif X:\n    SESSION_COOKIE_NAME = 'own'\n", &["base", "own"]),
        ("try:\n    from .base import *\nexcept ImportError:\n    pass\n", &["sessionid", "base"]),
    ] {
        let dir = project(&[
            ("manage.py", &MANAGE.replace("site1.settings", "site1.settings.dev")),
            (
                "site1/wsgi.py",
                "os.environ['DJANGO_SETTINGS_MODULE'] = 'site1.settings.production'\n",
            ),
            ("site1/settings/__init__.py", ""),
            ("site1/settings/base.py", base),
            ("site1/settings/dev.py", "SESSION_COOKIE_NAME = 'dev'\n"),
            ("site1/settings/production.py", production),
        ]);
        let (found, told) = printed(dir.path(), &[]);
        assert_eq!(texts(&found, "cookies"), expected, "{production}");
        assert_eq!(found["preset"].0.as_str(), Some("wagtail"));
        assert!(told.contains("site1.settings.dev is not what is served"), "{told}");
        assert!(told.contains("WAGTAILFRONTENDCACHE = {"), "{told}");
        assert!(!told.contains("INSTALLED_APPS += "), "{told}");
        let (found, _) = printed(dir.path(), &["--settings", "site1.settings.dev"]);
        assert_eq!(texts(&found, "cookies"), ["dev"]);
    }
}

#[test]
fn what_is_not_written_out_is_said_with_its_place() {
    for (settings, expected, words) in [
        (
            "SESSION_COOKIE_NAME = os.environ['X']\n",
            "all",
            "is not written out (by default it is \"sessionid\"): every cookie counts, cookies = \"all\"",
        ),
        ("SESSION_COOKIE_NAME = env('NAME', default='x')\n", "all", "settings.py:1: "),
        ("\nSESSION_COOKIE_NAME = f'{X}_id'\n", "all", "settings.py:2: "),
        ("SESSION_COOKIE_NAME = 'a;b'\n", "all", "\"a;b\" can't be the name of a cookie"),
        ("X = 'y\nSESSION_COOKIE_NAME = 'a'\n", "all", ":1: a string that does not end"),
        ("ALLOWED_HOSTS = [*HOSTS]\n", "sessionid", ":1: ALLOWED_HOSTS is not wholly written"),
        ("from .missing import *\n", "all", ":1: .missing was not found"),
        ("from os.missing import *\nfrom . import x\n", "all", "os.missing was not found"),
    ] {
        let (found, told) = printed(django(settings).path(), &[]);
        assert_eq!(texts(&found, "cookies"), [expected], "{settings}");
        let unread = told.split_once("What could not be read").expect("a list").1;
        assert!(unread.contains(words), "{words:?} is not in\n{told}");
    }
    let dir = project(&[("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', NAME)\n")]);
    let (_, told) = printed(dir.path(), &[]);
    assert!(told.contains("manage.py:1: DJANGO_SETTINGS_MODULE is not written out"), "{told}");
    assert!(told.contains("no settings were found"), "{told}");
    let binary = project(&[("manage.py", MANAGE)]);
    std::fs::create_dir(binary.path().join("site1")).expect("a folder");
    std::fs::write(binary.path().join("site1/settings.py"), b"A = '\xff'\n").expect("written");
    assert!(printed(binary.path(), &[]).1.contains("settings.py: not UTF-8"));
}

#[test]
fn where_static_files_are_is_read_or_said() {
    let app = |given: &str| format!("from flask import Flask\ndef make():\n    {given}\n");
    for (flask, text, expected, from_where) in [
        (false, "STATIC_URL = 'assets/'\n".to_string(), "/assets/", "file"),
        (false, "STATIC_URL = '/static/'\n".to_string(), "/static/", "preset"),
        (false, "STATIC_URL = None\n".to_string(), "/static/", "preset"),
        (true, app("app = Flask('x', static_url_path='/assets')"), "/assets/", "file"),
        (true, app("app = Flask('x')"), "/static/", "preset"),
        // Of a blueprint's files the path is another one.
        (true, app("app = Flask('x')\n    Blueprint(static_url_path='b')"), "/static/", "preset"),
    ] {
        let dir = if flask { project(&[("app.py", &text)]) } else { django(&text) };
        let (found, told) = printed(dir.path(), &[]);
        assert_eq!(texts(&found, "static_paths"), [expected], "{text}");
        assert_eq!(from(&found, "static_paths"), from_where, "{text}");
        assert!(!told.contains("is no path that could be read"), "{told}");
    }
    // For all of the site cookies are never taken off.
    for text in [
        "STATIC_URL = 'https://cdn.example.org/static/'\n",
        "STATIC_URL = '/'\n",
        "STATIC_URL = env('URL')\n",
        "if X:\n    STATIC_URL = '/a/'\n",
    ] {
        let (found, told) = printed(django(text).path(), &[]);
        assert_eq!(from(&found, "static_paths"), "preset", "{text}");
        assert_eq!(from(&found, "cookies"), "preset", "it says nothing of cookies: {text}");
        assert!(told.contains("STATIC_URL is no path that could be read"), "{told}");
    }
    let two = "from flask import Flask\na = Flask('a', static_url_path='/a')\n\
        b = Flask('b', static_url_path='/b')\n";
    let (found, told) = printed(project(&[("app.py", two)]).path(), &[]);
    assert_eq!(from(&found, "static_paths"), "preset");
    assert!(told.contains("app.py:3: static_url_path is no path"), "{told}");
}

#[test]
fn flasks_names_are_read_wherever_they_stand() {
    let app = "from flask import Flask\nfrom flask_jwt_extended import JWTManager\n\
        app = Flask(__name__)\napp.config['SESSION_COOKIE_NAME'] = 'shop'\n\
        app.config.from_object('config')\n";
    let config =
        "class Config:\n    REMEMBER_COOKIE_NAME = 'me'\n    JWT_ACCESS_COOKIE_NAME = 'jwt'\n";
    let dir = project(&[
        ("app.py", app),
        ("config.py", config),
        ("Procfile", "worker: x\nweb: gunicorn app:app --bind unix:run/app.sock -w 2\n"),
        (".venv/lib/x.py", "SESSION_COOKIE_NAME = 'not ours'\n"),
    ]);
    let (found, told) = printed(dir.path(), &[]);
    let cookies = texts(&found, "cookies");
    for name in ["shop", "me", "jwt"] {
        assert!(cookies.iter().any(|cookie| cookie == name), "{name}: {cookies:?}");
    }
    assert!(!cookies.iter().any(|cookie| cookie.contains("ours")), "{cookies:?}");
    assert_eq!(to(&found), format!("unix:{}/run/app.sock", dir.path().display()));
    assert!(told.contains("app.py:4: SESSION_COOKIE_NAME = \"shop\""), "{told}");
    assert_eq!(texts(&found, "default_ttl"), ["0s"]);

    let app = "from flask import Flask, session\nfrom werkzeug.middleware.proxy_fix import ProxyFix\n\
        app = Flask('x')\napp.config.from_prefixed_env()\n\n@app.get('/')\ndef page():\n    \
        session.permanent = True\n";
    let (found, told) = printed(project(&[("src/main.py", app)]).path(), &[]);
    assert_eq!(texts(&found, "cookies"), ["all"]);
    for words in [
        "main.py:4: what from_prefixed_env reads",
        "ProxyFix is there already",
        "sessions are permanent",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
}

#[test]
fn what_can_not_be_told_is_an_error_or_has_to_be_said() {
    let nothing = project(&[("notes.txt", "x")]);
    let two = project(&[("manage.py", ""), ("a/settings.py", ""), ("b/settings.py", "")]);
    let twice = project(&[("a/manage.py", MANAGE), ("b/manage.py", MANAGE)]);
    for (dir, args, words) in [
        (&nothing, &[][..], "neither a manage.py nor a Flask(...) was found"),
        (&two, &[], "two files of settings: "),
        (&twice, &[], "two projects: "),
        (&two, &["--settings", "c.settings"], "no module \"c.settings\""),
    ] {
        let folder = dir.path().to_str().expect("text");
        let (status, output, errors) = Larder::run(&[&["init", folder], args].concat(), &[]);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains(words), "{errors}");
        assert!(!dir.path().join("larder.toml").exists());
    }
    for args in ["--django", "--wagtail", "--flask"] {
        let (found, told) = printed(nothing.path(), &[args]);
        assert_eq!(texts(&found, "cookies"), ["all"]);
        assert!(told.contains("defaults were taken"), "{told}");
    }
    printed(two.path(), &["--settings", "b.settings"]);
    assert_eq!(Larder::run(&["init", "--django", "--flask"], &[]).0, Some(2));
    let (status, _, errors) = Larder::run(&["init", "/no/such/folder"], &[]);
    assert!(status == Some(1) && errors.contains("/no/such/folder: no such folder"), "{errors}");
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let dir = django("SESSION_COOKIE_NAME = 'a'\n");
    let folder = dir.path().to_str().expect("text");
    let file = dir.path().join("larder.toml");
    let run = |args: &[&str]| Larder::run(&[&["init", folder], args].concat(), &[]);
    let (status, output, _) = run(&[]);
    assert_eq!(status, Some(0));
    assert!(
        output.starts_with(&format!("{} is written, for Django\n", file.display())),
        "{output}"
    );
    assert!(output.contains(&format!("larder check --config {}", file.display())), "{output}");
    let written = std::fs::read_to_string(&file).expect("the file");
    std::fs::write(&file, "mine").expect("written");
    let (status, output, errors) = run(&[]);
    assert_eq!((status, output.as_str()), (Some(1), ""));
    assert!(errors.contains("is there already; --force"), "{errors}");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "mine");
    let (status, output, _) = run(&["--force", "--json"]);
    assert_eq!(status, Some(0));
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), written);
    let document: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(document["cookies"], serde_json::json!(["a"]));
    assert_eq!(document["application"], "Django");
}
