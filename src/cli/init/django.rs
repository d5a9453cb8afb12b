//! What a Django or Wagtail project says of itself.

use super::gunicorn;
use super::plan::{Flavour, NO_LIFETIME, Plan};
use super::project::{self, Notes, Source};
use super::python::{Statement, What};
use super::values::Values;
use std::path::{Path, PathBuf};

/// How many files of settings may import one another.
const MOST: usize = 16;

/// A Django project that was found.
#[derive(Debug)]
pub(super) struct Project {
    /// The folder of `manage.py`.
    root: PathBuf,
    /// The file of its settings.
    file: Option<PathBuf>,
    values: Values,
    installed: Vec<String>,
    notes: Notes,
}

impl Project {
    /// Looks for one below a folder.
    ///
    /// # Errors
    /// There are several, and nothing says which.
    pub fn find(dir: &Path, settings: Option<&str>) -> Result<Option<Project>, String> {
        let mut notes = Notes::default();
        let files = project::files(dir, &mut notes);
        let named = |name: &str| -> Vec<&PathBuf> {
            files.iter().filter(|path| path.file_name().is_some_and(|file| file == name)).collect()
        };
        let manage = named("manage.py");
        if let [first, second, ..] = manage.as_slice() {
            return Err(format!(
                "two projects: {} and {}; give the folder of one",
                first.display(),
                second.display()
            ));
        }
        let root = manage.first().and_then(|path| path.parent()).unwrap_or(dir).to_path_buf();
        // What is served by wsgi.py counts more than what manage.py does by hand.
        let starters = [manage.clone(), named("asgi.py"), named("wsgi.py")].concat();
        let module = match settings {
            Some(module) => Some((module.to_string(), "--settings".to_string())),
            None => named_module(&starters, &mut notes),
        };
        let file = match module {
            Some((module, place)) => match project::module(&root, &module) {
                Some(file) => {
                    notes.read(format!("{place}: the settings are {module}"));
                    Some(file)
                }
                None if settings.is_some() => {
                    return Err(format!("no module {module:?} below {}", root.display()));
                }
                None => {
                    notes.doubt(format!(
                        "{place}: there is no module {module:?} below {}",
                        root.display()
                    ));
                    None
                }
            },
            None => lone_settings(&files, !manage.is_empty())?,
        };
        if manage.is_empty() && file.is_none() {
            return Ok(None);
        }
        Ok(Some(Project::read(root, file, notes)))
    }

    /// One of which nothing is known.
    pub fn unknown(dir: &Path) -> Project {
        Project::read(dir.to_path_buf(), None, Notes::default())
    }

    fn read(root: PathBuf, file: Option<PathBuf>, mut notes: Notes) -> Project {
        let mut reading = Reading { root: &root, seen: Vec::new(), values: Values::default() };
        if let Some(file) = &file {
            reading.follow(file, true, &mut notes);
        } else {
            let below = root.display();
            notes.doubt(format!("{below}: no settings were found; Django's defaults were taken"));
        }
        let values = reading.values;
        let installed = values.list("INSTALLED_APPS", &mut notes);
        Project { root, file, values, installed, notes }
    }

    pub fn flavour(&self) -> Flavour {
        let is_wagtail = |app: &String| app == "wagtail" || app.starts_with("wagtail.");
        if self.installed.iter().any(is_wagtail) { Flavour::Wagtail } else { Flavour::Django }
    }

    pub fn plan(mut self, flavour: Flavour) -> Plan {
        let notes = &mut self.notes;
        let middleware = self.values.list("MIDDLEWARE", notes);
        let has = |list: &[String], name: &str| list.iter().any(|entry| entry == name);
        let identity = self.values.texts("SESSION_COOKIE_NAME", "sessionid", notes);
        let mut bypass = Vec::new();
        let may_have = |setting: &str, list: &[String], name: &str| {
            !self.values.is_whole(setting) || has(list, name)
        };
        if may_have("INSTALLED_APPS", &self.installed, "django.contrib.messages") {
            bypass.push("messages".to_string());
        }
        if may_have("MIDDLEWARE", &middleware, "django.middleware.locale.LocaleMiddleware") {
            bypass.extend(self.values.texts("LANGUAGE_COOKIE_NAME", "django_language", notes));
        }
        let static_path = self.values.path("STATIC_URL", "/static/", notes);
        let mut remarks = Vec::new();
        if self.values.is_on("SESSION_SAVE_EVERY_REQUEST") {
            remarks.push("SESSION_SAVE_EVERY_REQUEST is on: every answer to a visitor with a session sets a cookie, and is not stored".to_string());
        }
        if has(&middleware, "django.middleware.cache.UpdateCacheMiddleware") {
            remarks.push("UpdateCacheMiddleware states a lifetime (CACHE_MIDDLEWARE_SECONDS) that browsers obey too: no purge reaches them".to_string());
        }
        if self.values.is_on("SECURE_SSL_REDIRECT") && !self.values.sets("SECURE_PROXY_SSL_HEADER")
        {
            remarks.push("SECURE_SSL_REDIRECT is on: without SECURE_PROXY_SSL_HEADER every page redirects to itself".to_string());
        }
        remarks.push(NO_LIFETIME.to_string());
        let hosts = self.values.list("ALLOWED_HOSTS", notes);
        let app = self.lines(flavour, &hosts);
        let origin = gunicorn::origin(&self.root, &mut self.notes);
        Plan { flavour, origin, identity, bypass, static_path, app, remarks, notes: self.notes }
    }

    /// What is to be put into the settings, as far as it isn't there.
    fn lines(&self, flavour: Flavour, hosts: &[String]) -> Vec<String> {
        let file =
            self.file.as_ref().map_or("settings.py".into(), |file| file.display().to_string());
        let mut lines = vec![format!("# {file}")];
        if !self.values.sets("SECURE_PROXY_SSL_HEADER") {
            lines.push("# larder says how visitors came, and lets nobody else say it. Only if no one reaches".into());
            lines.push("# the app but through larder:".into());
            lines.push("SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\")".into());
        }
        if !self.values.sets("CSRF_TRUSTED_ORIGINS") {
            lines.push("# Where forms are sent from, as browsers write it:".into());
            lines.push(format!("CSRF_TRUSTED_ORIGINS = [{}]", origins(hosts).join(", ")));
        }
        if self.values.is_on("USE_X_FORWARDED_HOST") {
            lines.push(
                "# USE_X_FORWARDED_HOST is not needed: Host comes as visitors wrote it.".into(),
            );
        }
        if flavour == Flavour::Wagtail {
            self.wagtail(&mut lines);
        }
        if lines.len() == 1 {
            lines.push("# Nothing: all that larder needs is there.".into());
        }
        lines
    }

    fn wagtail(&self, lines: &mut Vec<String>) {
        if !self.installed.iter().any(|app| app == "wagtail.contrib.frontend_cache") {
            lines.push("# Pages are forgotten when they are published:".into());
            lines.push("INSTALLED_APPS += [\"wagtail.contrib.frontend_cache\"]".into());
        }
        if !self.values.sets("WAGTAILFRONTENDCACHE") {
            lines.extend(
                [
                    "# The hosts of Wagtail's sites have to be those that visitors write.",
                    "WAGTAILFRONTENDCACHE = {",
                    "    \"larder\": {",
                    "        \"BACKEND\": \"wagtail.contrib.frontend_cache.backends.HTTPBackend\",",
                    "        \"LOCATION\": \"http://127.0.0.1:6081\",",
                    "    },",
                    "}",
                ]
                .map(String::from),
            );
        }
    }
}

/// `ALLOWED_HOSTS` as origins, in quotes.
fn origins(hosts: &[String]) -> Vec<String> {
    let is_public = |host: &&String| {
        let name = host.trim_start_matches('.');
        !name.is_empty()
            && !["localhost", "127.0.0.1", "[::1]"].contains(&name)
            && name.chars().all(|c| c.is_alphanumeric() || "-.".contains(c))
    };
    let origins: Vec<String> = hosts
        .iter()
        .filter(is_public)
        .map(|host| match host.strip_prefix('.') {
            Some(domain) => format!("\"https://{domain}\", \"https://*.{domain}\""),
            None => format!("\"https://{host}\""),
        })
        .collect();
    if origins.is_empty() { vec!["\"https://www.example.org\"".into()] } else { origins }
}

/// The module that `DJANGO_SETTINGS_MODULE` is set to; the last file wins.
fn named_module(starters: &[&PathBuf], notes: &mut Notes) -> Option<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for path in starters {
        let Some(source) = Source::read(path, notes) else { continue };
        for statement in &source.statements {
            let Some((line, module)) = set_in(statement) else { continue };
            let place = source.place(line);
            match module {
                Some(module) => found.push((module, place)),
                None => notes.doubt(format!("{place}: DJANGO_SETTINGS_MODULE is not written out")),
            }
        }
    }
    let (module, place) = found.pop()?;
    for (other, other_place) in found {
        if other != module {
            notes
                .read(format!("{other_place}: {other} is not what is served; --settings takes it"));
        }
    }
    Some((module, place))
}

fn set_in(statement: &Statement) -> Option<(usize, Option<String>)> {
    let named = |what: &What| *what == What::Text("DJANGO_SETTINGS_MODULE".into());
    let at = statement.tokens.iter().position(|token| named(&token.what))?;
    let line = statement.tokens[at].line;
    let mut rest = statement.tokens[at + 1..].iter().map(|token| &token.what);
    let first = rest.next()?;
    let value = match (first, rest.next()) {
        (What::Sign(","), value) => value,
        (What::Sign("]"), Some(What::Sign("="))) => rest.next(),
        _ => return None,
    };
    match value {
        Some(What::Text(module)) => Some((line, Some(module.clone()))),
        _ => Some((line, None)),
    }
}

/// The file of settings, where nothing names it and there is only one.
fn lone_settings(files: &[PathBuf], is_django: bool) -> Result<Option<PathBuf>, String> {
    let is_named =
        |path: &&PathBuf| path.ends_with("settings.py") || path.ends_with("settings/__init__.py");
    // Without manage.py it has to look like Django's.
    let is_djangos = |path: &&PathBuf| {
        let source = || Source::read(path, &mut Notes::default());
        is_django || source().is_some_and(|source| source.names("INSTALLED_APPS").is_some())
    };
    let mut found = files.iter().filter(is_named).filter(is_djangos);
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(format!(
            "two files of settings: {} and {}; say which with --settings MODULE",
            first.display(),
            second.display()
        )),
        (one, _) => Ok(one.cloned()),
    }
}

/// Reads a file of settings, and those that it imports wholly where it does.
struct Reading<'a> {
    root: &'a Path,
    seen: Vec<PathBuf>,
    values: Values,
}

impl Reading<'_> {
    /// `sure` if it is surely imported.
    fn follow(&mut self, file: &Path, sure: bool, notes: &mut Notes) {
        if self.seen.len() == MOST || self.seen.iter().any(|seen| seen == file) {
            return;
        }
        self.seen.push(file.to_path_buf());
        let Some(source) = Source::read(file, notes) else { return };
        notes.read(format!("{}: read, and not run", file.display()));
        for statement in &source.statements {
            let Some(name) = imported(statement) else {
                self.values.take(&source, statement, sure);
                continue;
            };
            let line = statement.tokens.first().map_or(0, |token| token.line);
            let dots = name.chars().take_while(|c| *c == '.').count();
            let from = match dots {
                0 => Some(self.root),
                dots => file.ancestors().nth(dots),
            };
            match from.and_then(|from| project::module(from, &name[dots..])) {
                Some(path) => self.follow(&path, sure && !statement.indented, notes),
                // What may be missing is missing, as far as one can tell.
                None if statement.indented => {
                    notes.unread(format!("{}: {name} was not found", source.place(line)));
                }
                None => notes.doubt(format!("{}: {name} was not found", source.place(line))),
            }
        }
        if source.imports("split_settings") {
            notes.doubt(format!("{}: what split_settings includes was not read", file.display()));
        }
    }
}

/// The module of `from MODULE import *`.
fn imported(statement: &Statement) -> Option<String> {
    let tokens: Vec<&What> = statement.tokens.iter().map(|token| &token.what).collect();
    let (What::Name(from), [name @ .., What::Name(import), What::Sign("*")]) =
        tokens.split_first()?
    else {
        return None;
    };
    if from != "from" || import != "import" {
        return None;
    }
    let part = |what: &&What| match what {
        What::Name(part) => Some(part.clone()),
        What::Sign(".") => Some(".".to_string()),
        _ => None,
    };
    name.iter().map(part).collect()
}
