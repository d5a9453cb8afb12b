//! An application served by gunicorn, on a database of its own.

use crate::harness::{get, python, wait_until};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Which application.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Flask.
    Shop,
    /// Django.
    Blog,
}

/// A folder for a database and a socket; gone when dropped.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Its socket, as `larder --to` takes it.
    pub fn origin(&self) -> String {
        format!("unix:{}", self.file("app.sock").display())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A running application; its processes are killed when it is dropped.
pub struct App {
    kind: Kind,
    child: Child,
    /// Where it listens besides its socket: the way past larder.
    pub address: SocketAddr,
    env: Vec<(String, String)>,
    workers: u32,
    said: Arc<Mutex<String>>,
    place: Place,
}

impl App {
    /// Starts it, on a port that is free and on the socket of its place. One worker alone is a
    /// sync one, as is gunicorn's default: it does one thing at a time.
    pub fn start(kind: Kind, place: Place, workers: u32, more: &[(String, String)]) -> App {
        let mut env = vec![("SHOP_DB".to_string(), place.file("db").display().to_string())];
        if kind == Kind::Blog {
            fs::copy(blog_database(), place.file("db")).expect("the database is copied");
            env[0].0 = "BLOG_DB".to_string();
        }
        env.extend(more.iter().cloned());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut command = gunicorn(kind, &place, address, workers, &env);
        let mut child = command.spawn().expect("gunicorn starts");
        let said = listen_to(&mut child);
        let mut app = App { kind, child, address, env, workers, said, place };
        app.wait_until_ready();
        app
    }

    fn wait_until_ready(&mut self) {
        wait_until("gunicorn says where it listens", || {
            let said = self.said();
            if let Some(status) = self.child.try_wait().expect("its status") {
                panic!("gunicorn ended with {status}:\n{said}");
            }
            let listening = said.split_once("Listening at: http").map(|(_, rest)| rest);
            let listening = listening.map(|rest| rest.trim_start_matches(['s', ':', '/']));
            let address = listening.and_then(|rest| rest.split(',').next()?.parse().ok());
            self.address = address.unwrap_or(self.address);
            address.is_some()
        });
        // What comes before the workers are there waits for them.
        if !self.said().contains("Listening at: https://") {
            assert_eq!(self.computed("/nothing"), 0);
        }
    }

    /// How often a page has been computed, as the app itself counts.
    pub fn computed(&self, path: &str) -> u32 {
        let page = if self.kind == Kind::Shop { "/_hits" } else { "/_hits/" };
        let path = path.replace('?', "%3F").replace('&', "%26").replace('=', "%3D");
        let answer = get(self.address, &format!("{page}?path={path}"), &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().parse().expect("a number")
    }

    /// Runs Python within the blog, in a process of its own; panics if it fails.
    pub fn shell(&self, program: &str) {
        assert!(self.kind == Kind::Blog);
        let mut command = python(&self.env);
        command.arg(apps().join("django_blog/manage.py")).args(["shell", "-v0", "-c", program]);
        run(command);
    }

    /// Changes the database behind the app's back.
    pub fn sql(&self, statement: &str) {
        let program = "import sqlite3, sys\n\
            c = sqlite3.connect(sys.argv[1], timeout=20)\n\
            assert c.execute(sys.argv[2]).rowcount == 1\n\
            c.commit()\n";
        let mut command = python(&[]);
        command.args(["-c", program]).arg(self.place.file("db")).arg(statement);
        run(command);
    }

    /// Kills its workers, and waits until gunicorn has started others.
    pub fn kill_workers(&self) {
        let workers = self.workers();
        let killed = Command::new("kill").arg("-KILL").args(&workers).status();
        assert!(killed.expect("kill runs").success());
        wait_until("there are other workers", || {
            let others = self.workers();
            others.iter().all(|pid| !workers.contains(pid))
        });
    }

    /// Has it start other workers and end these, as `gunicorn` reloads: the sockets
    /// stay open.
    pub fn reload(&self) {
        let workers = self.workers();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("kill runs").success());
        wait_until("there are other workers", || {
            let others = self.workers();
            others.iter().all(|pid| !workers.contains(pid))
        });
        let gone = |pid: &String| !Path::new("/proc").join(pid).exists();
        wait_until("the old ones are gone", || workers.iter().all(gone));
    }

    /// Stops it, as a deployment does, and starts it again on the same sockets.
    pub fn restart(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
        self.child.wait().expect("it ends");
        let mut command = gunicorn(self.kind, &self.place, self.address, self.workers, &self.env);
        self.child = command.spawn().expect("gunicorn starts");
        self.said = listen_to(&mut self.child);
        self.wait_until_ready();
    }

    /// The process ids of its youngest workers.
    fn workers(&self) -> Vec<String> {
        let said = self.said();
        let pids = said.lines().filter_map(|line| Some(line.split_once("worker with pid: ")?.1));
        let mut pids: Vec<String> = pids.map(String::from).collect();
        pids.drain(..pids.len().saturating_sub(self.workers as usize));
        pids
    }

    /// What it has written to standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("what it said").clone()
    }

    /// Waits until it has said this. Its answer to a request may overtake that.
    pub fn says(&self, text: &str) {
        wait_until(&format!("the app says {text:?}"), || self.said().contains(text));
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // gunicorn and its workers are a process group of their own.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the app said:\n{}", self.said());
        }
    }
}

fn gunicorn(
    kind: Kind,
    place: &Place,
    address: SocketAddr,
    workers: u32,
    env: &[(String, String)],
) -> Command {
    let (folder, name) = match kind {
        Kind::Shop => (apps(), "flask_shop:app"),
        Kind::Blog => (apps().join("django_blog"), "django_blog.wsgi:application"),
    };
    let (class, threads) = if workers == 1 { ("sync", "1") } else { ("gthread", "4") };
    let mut command = python(env);
    command
        .args(["-m", "gunicorn", "--no-control-socket", "--preload"])
        .args(["--worker-class", class, "--threads", threads])
        .args(["--workers", &workers.to_string(), "--chdir"])
        .arg(folder)
        .args(["--bind", &address.to_string(), "--bind", &place.origin(), name])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn listen_to(child: &mut Child) -> Arc<Mutex<String>> {
    let said: Arc<Mutex<String>> = Arc::default();
    let heard = Arc::clone(&said);
    let stderr = child.stderr.take().expect("its standard error");
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut heard = heard.lock().expect("what it said");
            heard.push_str(&line);
            heard.push('\n');
        }
    });
    said
}

/// A database with the blog's tables, users and articles, made once for all
/// tests: its name tells what it was made from.
fn blog_database() -> PathBuf {
    let mut made_from = DefaultHasher::new();
    let blog = apps().join("django_blog/blog");
    for source in [
        apps().join("requirements.txt"),
        apps().join("django_blog/django_blog/settings.py"),
        blog.join("models.py"),
        blog.join("migrations/0001_initial.py"),
        blog.join("management/commands/seed.py"),
    ] {
        fs::read(&source).expect("a source of the blog").hash(&mut made_from);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let database = folder.join(format!("blog-{:016x}.db", made_from.finish()));
    if !database.exists() {
        let making = tempfile::tempdir_in(folder).expect("a temporary folder");
        let file = making.path().join("db");
        for step in ["migrate", "seed"] {
            let mut command = python(&[("BLOG_DB".into(), file.display().to_string())]);
            command.arg(apps().join("django_blog/manage.py")).args([step, "-v0"]);
            run(command);
        }
        // Whoever else makes one at this moment makes the same.
        fs::rename(file, &database).expect("the database is put in its place");
    }
    database
}

fn apps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps")
}

fn run(mut command: Command) {
    let output = command.stdin(Stdio::null()).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
