//! The real binary.

use super::client::{self, Response};
use super::{DEADLINE, wait_until};
use rustix::process::{Resource, getrlimit};
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running larder; killed when dropped.
pub struct Larder {
    child: Child,
    /// Where clients connect.
    pub proxy: SocketAddr,
    /// Where the operator connects.
    pub admin: SocketAddr,
    events: Arc<Mutex<String>>,
    lines: Receiver<String>,
}

impl Larder {
    /// `larder proxy --to ORIGIN` on free ports, with more arguments.
    pub fn in_front_of(origin: impl Display, more: &[&str]) -> Larder {
        let origin = origin.to_string();
        let mut args = vec!["proxy", "--to", &origin, "--listen", "127.0.0.1:0"];
        args.extend(["--admin", "127.0.0.1:0"]);
        args.extend(more);
        Larder::spawn(&args, &[])
    }

    /// The same, with environment variables.
    pub fn with_env(origin: impl Display, more: &[&str], env: &[(&str, &str)]) -> Larder {
        let origin = origin.to_string();
        let mut args = vec!["proxy", "--to", &origin, "--listen", "127.0.0.1:0"];
        args.extend(["--admin", "127.0.0.1:0"]);
        args.extend(more);
        Larder::spawn(&args, env)
    }

    /// `larder` with these arguments, once it says where it listens.
    pub fn spawn(args: &[&str], env: &[(&str, &str)]) -> Larder {
        let mut command = Larder::command(args, env);
        command.stdin(Stdio::null());
        Larder::started(command)
    }

    /// What this command starts, once it says where it listens.
    pub fn started(mut command: Command) -> Larder {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("larder starts");
        let events = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("its standard error");
        let heard = Arc::clone(&events);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().expect("the events");
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        let stdout = child.stdout.take().expect("its standard output");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut addresses = None;
        wait_until("larder says where it listens", || {
            let said = events.lock().expect("the events").clone();
            if let Some(status) = child.try_wait().expect("its status") {
                panic!("larder ended with {status}:\n{said}");
            }
            addresses =
                address(&said, "listening on http://").zip(address(&said, "admin on http://"));
            addresses.is_some()
        });
        let (proxy, admin) = addresses.expect("addresses");
        Larder { child, proxy, admin, events, lines }
    }

    /// Asks the proxy for a path.
    pub fn get(&self, path: &str) -> Response {
        client::get(self.proxy, path, &[])
    }

    /// Asks the proxy for a path with these fields.
    pub fn get_with(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        client::get(self.proxy, path, fields)
    }

    /// `POST /v1/purge` with a JSON document.
    pub fn purge(&self, document: &str) -> Response {
        client::request(
            self.admin,
            "POST",
            "/v1/purge",
            &[("Host", "localhost")],
            document.as_bytes(),
        )
    }

    /// A number of `GET /v1/stats`, by its JSON pointer.
    pub fn stat(&self, pointer: &str) -> u64 {
        let answer = client::get(self.admin, "/v1/stats", &[("Host", "localhost")]);
        let document: serde_json::Value =
            serde_json::from_slice(&answer.body).expect("a JSON document");
        document.pointer(pointer).and_then(|v| v.as_u64()).expect("a number")
    }

    /// What it has written to standard error so far.
    pub fn events(&self) -> String {
        self.events.lock().expect("the events").clone()
    }

    /// Waits until it has written this to standard error. Its answer to a request
    /// may overtake what it says of it.
    pub fn says(&self, text: &str) {
        wait_until(&format!("larder says {text:?}"), || self.events().contains(text));
    }

    /// The next line of its access log.
    pub fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("a line of the access log")
    }

    /// The next line of its access log, if it comes within this time.
    pub fn line_within(&self, time: Duration) -> Option<String> {
        self.lines.recv_timeout(time).ok()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("the process's status");
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS");
        let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
        kib * 1024
    }

    /// Bounds its open files from now on; `None` is as many as a process may have.
    pub fn limit_descriptors(&self, most: Option<u64>) {
        let highest = getrlimit(Resource::Nofile).maximum.unwrap_or(1 << 20);
        let limit = format!("--nofile={}:", most.unwrap_or(highest));
        let pid = self.pid().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
        assert!(set.expect("prlimit runs").success());
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Sends SIGUSR1.
    pub fn rotated(&self) {
        self.signal("-USR1");
    }

    /// Sends a signal, as `kill` calls it.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// `POST /v1/reload`.
    pub fn reload(&self) -> Response {
        client::request(self.admin, "POST", "/v1/reload", &[("Host", "localhost")], b"")
    }

    /// Waits for it to end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("larder ends", || {
            ended = self.child.try_wait().expect("its status");
            ended.is_some()
        });
        ended.expect("a status")
    }

    /// The binary, with no setting of this machine's environment, and without
    /// what makes lifetimes and fetches hard to count.
    pub fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_larder"));
        let is_setting = |name: &str| name.starts_with("LARDER_") || name.starts_with("OTEL_");
        for (name, _) in std::env::vars().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command.env("LARDER_CACHE__JITTER", "0%").env("LARDER_CACHE__EARLY_REFRESH", "0%");
        command.args(args).envs(env.iter().copied());
        command
    }

    /// Runs `larder` with these arguments to its end: status, output, errors.
    pub fn run(args: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let output = Larder::command(args, env).stdin(Stdio::null()).output().expect("larder runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }
}

impl Drop for Larder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- larder said:\n{}", self.events());
        }
    }
}

fn address(said: &str, before: &str) -> Option<SocketAddr> {
    let rest = said.split_once(before)?.1;
    let end = rest.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Reads everything there is, for those who keep a pipe of their own.
pub fn read_all(mut from: impl Read) -> String {
    let mut text = String::new();
    let _ = from.read_to_string(&mut text);
    text
}
