//! What a Flask project says of itself.

use super::gunicorn;
use super::plan::{Flavour, NO_LIFETIME, Plan};
use super::project::{self, Notes, Source};
use super::values::Values;
use std::path::{Path, PathBuf};

/// A Flask project that was found.
#[derive(Debug)]
pub(super) struct Project {
    root: PathBuf,
    /// The file that makes the app, with the line.
    made: Option<(PathBuf, usize)>,
    sources: Vec<Source>,
    notes: Notes,
}

impl Project {
    /// Looks for one below a folder.
    pub fn find(dir: &Path) -> Option<Project> {
        Some(Project::read(dir)).filter(|project| project.made.is_some())
    }

    /// Reads what there is, whether or not an app is made in it.
    pub fn read(dir: &Path) -> Project {
        let mut notes = Notes::default();
        let paths = project::files(dir, &mut notes);
        let sources: Vec<Source> =
            paths.iter().filter_map(|path| Source::read(path, &mut notes)).collect();
        let makes = |source: &Source| {
            let (_, line) = source.calls("Flask").next().filter(|_| source.imports("flask"))?;
            Some((source.path.clone(), line))
        };
        let made = sources.iter().find_map(makes);
        match &made {
            Some((path, line)) => {
                notes.read(format!("{}:{line}: the app is made here", path.display()));
            }
            None => notes.doubt(format!(
                "{}: no file makes a Flask(...); Flask's defaults were taken",
                dir.display()
            )),
        }
        Project { root: dir.to_path_buf(), made, sources, notes }
    }

    pub fn plan(mut self) -> Plan {
        let notes = &mut self.notes;
        let mut values = Values::default();
        self.sources.iter().for_each(|source| values.take_all(source));
        let uses = |module: &str| self.sources.iter().any(|source| source.imports(module));
        let mut identity = values.texts("SESSION_COOKIE_NAME", "session", notes);
        // Naming it where it isn't used costs nothing.
        identity.extend(values.texts("REMEMBER_COOKIE_NAME", "remember_token", notes));
        if uses("flask_jwt_extended") {
            identity.extend(values.texts("JWT_ACCESS_COOKIE_NAME", "access_token_cookie", notes));
        }
        for loaded in ["from_pyfile", "from_envvar", "from_file", "from_prefixed_env"] {
            for source in &self.sources {
                if let Some(line) = source.names(loaded) {
                    notes
                        .doubt(format!("{}: what {loaded} reads was not read", source.place(line)));
                }
            }
        }
        let mut calls = Values::default();
        for source in &self.sources {
            source.calls("Flask").for_each(|(statement, _)| calls.take_call(source, statement));
        }
        let static_path = calls.path("static_url_path", "/static/", notes);
        let mut remarks = Vec::new();
        let is_permanent = self.sources.iter().any(|source| source.sets_member("permanent"));
        if is_permanent && !values.is_off("SESSION_REFRESH_EACH_REQUEST") {
            remarks.push("sessions are permanent: SESSION_REFRESH_EACH_REQUEST = False keeps Flask from setting the cookie in every answer, which is then not stored".to_string());
        }
        remarks.push(NO_LIFETIME.to_string());
        let has_fix = self.sources.iter().any(|source| source.names("ProxyFix").is_some());
        let app = lines(self.made.as_ref().map(|(path, _)| path.as_path()), has_fix);
        let origin = gunicorn::origin(&self.root, &mut self.notes);
        Plan {
            flavour: Flavour::Flask,
            origin,
            identity,
            bypass: Vec::new(),
            static_path,
            app,
            remarks,
            notes: self.notes,
        }
    }
}

/// What is to be put into the app.
fn lines(file: Option<&Path>, has_fix: bool) -> Vec<String> {
    let file = file.map_or("app.py".to_string(), |file| file.display().to_string());
    if has_fix {
        return vec![
            format!("# {file}"),
            "# ProxyFix is there already. Its x_for is 1 with larder alone in front of the app, and 2".into(),
            "# with a TLS terminator before larder; x_proto and x_host are 1.".into(),
        ];
    }
    [
        &format!("# {file}"),
        "# larder says how visitors came, and lets nobody else say it. Only if no one reaches",
        "# the app but through larder; x_for=2 with a TLS terminator before larder:",
        "from werkzeug.middleware.proxy_fix import ProxyFix",
        "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)",
    ]
    .map(String::from)
    .to_vec()
}
