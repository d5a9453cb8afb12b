//! What is written: a configuration with comments.

use super::project::Notes;
use crate::config::Preset;
use std::collections::HashSet;

/// What is left to the operator, since it can't be told from the project.
const TERMINATOR: &str = "
# With a TLS terminator on this machine in front of larder, take its word for the client's
# address, scheme and host, and take purges with a token only (LARDER_PURGE__TOKEN):
# [trust]
# proxies = [\"127.0.0.1\"]
# [purge]
# networks = []
";

/// What is to be known where no lifetime is written.
pub(super) const NO_LIFETIME: &str = "pages that state no lifetime are not kept: cache.default_ttl is \
    commented out, and right once every cookie is named by which one visitor's page differs from another's";

/// What stands behind larder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    Django,
    Flask,
    Wagtail,
}

impl Flavour {
    pub fn name(self) -> &'static str {
        match self {
            Flavour::Django => "Django",
            Flavour::Flask => "Flask",
            Flavour::Wagtail => "Wagtail",
        }
    }
}

/// What was found out, and what comes of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub flavour: Flavour,
    /// Where the app listens.
    pub origin: String,
    /// The cookies that say who a visitor is.
    pub identity: Vec<String>,
    /// The cookies with which a page is made anew.
    pub bypass: Vec<String>,
    /// Where static files are, if that is elsewhere than the preset has it.
    pub static_path: Option<String>,
    /// Lines for the app.
    pub app: Vec<String>,
    /// What is worth knowing.
    pub remarks: Vec<String>,
    pub notes: Notes,
}

impl Plan {
    /// Leaves out what no cookie can be called, and what is named twice.
    pub fn checked(mut self) -> Plan {
        let notes = &mut self.notes;
        for names in [&mut self.identity, &mut self.bypass] {
            let mut seen = HashSet::new();
            names.retain(|name| seen.insert(name.clone()));
            names.retain(|name| {
                let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
                let is_good = !name.is_empty() && name.chars().all(allowed);
                if !is_good {
                    notes
                        .doubt(format!("{name:?} can't be the name of a cookie, and was left out"));
                }
                is_good
            });
        }
        self
    }

    /// `larder.toml`: the preset, and what differs from it.
    pub fn toml(&self) -> String {
        let mut text = format!(
            "# larder in front of a {name} application; written by larder init.\n\
             #\n\
             # The preset has what such an application wants: the cookies that say who a visitor is, the\n\
             # paths that go past the cache, and more. Whatever stands below wins over it. larder check\n\
             # reads this file; larder check --explain shows all settings, with where they come from.\n\
             preset = \"{preset}\"\n\n\
             listen = \"127.0.0.1:6081\"\n\n\
             [origin]\n\
             # Where the app listens: host:port, or \"unix:/run/gunicorn.sock\".\n\
             to = {origin}\n\n\
             [cache]\n\
             {lifetimes}\n\
             {cookies}\n",
            name = self.flavour.name(),
            preset = self.preset().name(),
            origin = quoted(&self.origin),
            lifetimes = self.lifetimes(),
            cookies = self.cookies(),
        );
        text.push_str(&self.bypassed());
        text.push_str(&self.static_files());
        text.push_str(TERMINATOR);
        text
    }

    /// The preset for such an application.
    pub fn preset(&self) -> Preset {
        match self.flavour {
            Flavour::Django => Preset::Django,
            Flavour::Flask => Preset::Flask,
            Flavour::Wagtail => Preset::Wagtail,
        }
    }

    /// The names, or every cookie where it is in doubt what they are; nothing but a word where
    /// the preset has them already.
    fn cookies(&self) -> String {
        let names = list(&self.identity);
        let of_preset = self.preset().cookies();
        let named = match self.flavour {
            Flavour::Flask => "SESSION_COOKIE_NAME and REMEMBER_COOKIE_NAME",
            Flavour::Django | Flavour::Wagtail => "SESSION_COOKIE_NAME",
        };
        match self.knows_cookies() {
            true if self.identity == of_preset => format!(
                "# {named}: the default, which the preset has.\n\
                 # Name every cookie that says who a visitor is: that of a token too.\n\
                 # cookies = [{names}]\n"
            ),
            true => format!(
                "# {named}. Name every cookie that says who a visitor is:\n\
                 # that of a token too.\n\
                 cookies = [{names}]\n"
            ),
            false => format!(
                "# {named}: what they are called could not be read for\n\
                 # sure: see what larder init said. Until you name them every cookie counts, which is safe,\n\
                 # and shares less. As far as was read:\n\
                 # cookies = [{names}]\n\
                 cookies = \"all\"\n"
            ),
        }
    }

    /// The cookies with which a page is made anew, as far as the preset doesn't have them; and
    /// where the paths stand that it assumes.
    fn bypassed(&self) -> String {
        let mut text = String::new();
        let of_preset = self.preset().bypass_cookies();
        if self.bypass.iter().any(|name| !of_preset.contains(name)) {
            text.push_str(
                "# With one of these a visitor gets the page made anew: the app has something to say\n\
                 # (messages), or another language was chosen, which Django tells no cache.\n",
            );
            text.push_str(&format!("bypass_cookies = [{}]\n\n", list(&self.bypass)));
        }
        text.push_str(&format!(
            "# What goes past the cache, with all that is below it, is this as the preset has it. If yours\n\
             # is elsewhere, write it here:\n\
             # bypass_paths = [{}]\n",
            list(&self.preset().bypass_paths())
        ));
        text
    }

    /// Where the files are that are the same for everybody.
    fn static_files(&self) -> String {
        let setting = match self.flavour {
            Flavour::Flask => "static_url_path",
            Flavour::Django | Flavour::Wagtail => "STATIC_URL",
        };
        match &self.static_path {
            Some(path) => format!(
                "\n# {setting}: files that are the same for everybody; requests for them lose their cookies.\n\
                 static_paths = [{}]\n",
                quoted(path)
            ),
            None => format!(
                "\n# {setting}: files that are the same for everybody. If they are elsewhere:\n\
                 # static_paths = [{}]\n",
                list(&self.preset().static_paths())
            ),
        }
    }

    /// Whether it is sure by which cookies visitors are told apart.
    pub fn knows_cookies(&self) -> bool {
        !self.notes.in_doubt && !self.identity.is_empty()
    }

    fn lifetimes(&self) -> &'static str {
        match self.flavour {
            Flavour::Django => {
                "# For pages that state no lifetime; `cache_control` and `never_cache` on a view win. It is 0\n\
                 # until you know that none of them is for one visitor without its cookie being named below:\n\
                 # a view may read one of its own, a token's say.\n\
                 # default_ttl = \"60s\"\n"
            }
            Flavour::Wagtail => {
                "# For pages that state no lifetime, as Wagtail's do: it is 0 until you know that none of\n\
                 # them is for one visitor without its cookie being named below. Wagtail purges what it\n\
                 # publishes, but not the pages that list it: raise this once those are purged too.\n\
                 # default_ttl = \"60s\"\n"
            }
            Flavour::Flask => {
                "# For pages that state no lifetime. It is 0 until you know that none of them is for one\n\
                 # visitor without its cookie being named below:\n\
                 # default_ttl = \"60s\"\n"
            }
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}
