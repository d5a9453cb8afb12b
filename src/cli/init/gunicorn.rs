//! Where gunicorn listens, by its own file or the Procfile.

use super::assignments::Literal;
use super::project::{self, Notes, Source};
use std::path::Path;

/// Where gunicorn listens when nothing is said.
const DEFAULT: &str = "127.0.0.1:8000";

/// The address for `origin.to`.
pub(super) fn origin(root: &Path, notes: &mut Notes) -> String {
    let file = root.join("gunicorn.conf.py");
    if file.is_file() {
        if let Some(address) = from_file(&file, root, notes) {
            return address;
        }
    } else if let Some(address) = from_procfile(&root.join("Procfile"), root, notes) {
        return address;
    }
    notes.read(format!("where the app listens was not found: {DEFAULT} is gunicorn's own"));
    DEFAULT.to_string()
}

fn from_file(file: &Path, root: &Path, notes: &mut Notes) -> Option<String> {
    // Nothing in it is about cookies.
    let in_doubt = notes.in_doubt;
    let source = Source::read(file, notes);
    notes.in_doubt = in_doubt;
    let source = source?;
    let set = source.assignments().filter(|set| set.name == "bind").last()?;
    let place = source.place(set.line);
    let bind = match set.value {
        Some(Literal::Text(bind)) => bind,
        Some(Literal::List(_)) => set.texts.first()?.clone(),
        _ => {
            notes.unread(format!("{place}: bind is not written out"));
            return None;
        }
    };
    understood(&bind, &place, root, notes)
}

fn from_procfile(file: &Path, root: &Path, notes: &mut Notes) -> Option<String> {
    let text = file.is_file().then(|| project::text(file).ok())??;
    let (line, number) = text.lines().zip(1..).find(|(line, _)| line.contains("gunicorn"))?;
    let mut words = line.split_whitespace();
    let bind = words.find_map(|word| match word {
        "-b" | "--bind" => Some(""),
        _ => word.strip_prefix("--bind=").or_else(|| word.strip_prefix("-b")),
    })?;
    let bind = if bind.is_empty() { words.next()? } else { bind };
    let place = format!("{}:{number}", file.display());
    understood(bind.trim_matches(['"', '\'']), &place, root, notes)
}

fn understood(bind: &str, place: &str, root: &Path, notes: &mut Notes) -> Option<String> {
    let found = target(bind, root);
    match &found {
        Some(to) => notes.read(format!("{place}: gunicorn listens on {to}")),
        None => notes.unread(format!("{place}: the address {bind:?} can't be told from here")),
    }
    found
}

/// What connects to where gunicorn listens.
fn target(bind: &str, root: &Path) -> Option<String> {
    if let Some(path) = bind.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let whole = std::path::absolute(root.join(path)).ok()?;
        return Some(format!("unix:{}", whole.display()));
    }
    let bind = bind.strip_prefix("tcp://").unwrap_or(bind);
    let (host, port) = match bind.rfind(':') {
        Some(at) if !bind.ends_with(']') => (&bind[..at], &bind[at + 1..]),
        _ => (bind, "8000"),
    };
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let host = match host {
        "" | "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host if host.chars().all(is_host) => host,
        _ => return None,
    };
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gunicorn_binds_to_can_be_connected_to() {
        for (bind, expected) in [
            ("127.0.0.1:9000", Some("127.0.0.1:9000")),
            ("0.0.0.0:8000", Some("127.0.0.1:8000")),
            (":8000", Some("127.0.0.1:8000")),
            ("[::]:8000", Some("[::1]:8000")),
            ("tcp://10.0.0.1:80", Some("10.0.0.1:80")),
            ("localhost", Some("localhost:8000")),
            ("unix:/run/g.sock", Some("unix:/run/g.sock")),
            ("unix://run/g.sock", Some("unix:/srv/run/g.sock")),
            ("unix:g.sock", Some("unix:/srv/g.sock")),
            ("fd://3", None),
            ("0.0.0.0:$PORT", None),
            ("0.0.0.0:0", None),
            ("a b:80", None),
        ] {
            assert_eq!(target(bind, Path::new("/srv")).as_deref(), expected, "{bind}");
        }
    }
}
