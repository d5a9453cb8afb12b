//! `larder log`, `larder stats` and `larder top`.

use crate::harness::{DEADLINE, Larder, Origin, reply, wait_until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

fn pages() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/cookie" => reply(200, &["Set-Cookie: a=b"], "for you"),
        _ => reply(200, &["Cache-Control: max-age=60"], "page"),
    })
}

fn larder(origin: &Origin) -> (Larder, String) {
    let larder = Larder::in_front_of(origin.address, &["--access-log", "off"]);
    let admin = larder.admin.to_string();
    (larder, admin)
}

/// A command with its standard output, line by line; ends when dropped.
struct Running(Child, Receiver<String>);

impl Running {
    fn command(args: &[&str]) -> Running {
        let mut command = Larder::command(args, &[]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("larder runs");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Running(child, lines)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line that comes while a page is asked for again and again.
fn first_line(larder: &Larder, command: &Running, path: &str) -> String {
    let mut line = None;
    wait_until("a line comes", || {
        larder.get(path);
        line = command.1.try_recv().ok();
        line.is_some()
    });
    line.expect("a line")
}

#[test]
fn the_log_is_followed_and_goes_on_behind_a_reload() {
    let origin = pages();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("larder.toml");
    let write = |more: &str| {
        let text = format!(
            "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n\
             log.access = 'off'\n{more}",
            origin.address
        );
        std::fs::write(&file, text).expect("a file");
    };
    write("");
    let larder = Larder::spawn(&["run", "--config", &file.display().to_string()], &[]);
    let admin = larder.admin.to_string();
    let log = Running::command(&["log", "--filter", "outcome=miss path=/c*", "--admin", &admin]);
    let line = first_line(&larder, &log, "/cookie");
    let expected = "GET site.test/cookie  (set-cookie)";
    assert!(line.contains(" uri-miss  200 ") && line.ends_with(expected), "{line}");
    write("cache.keep = '1d'\n");
    assert_eq!(larder.reload().status, 200);
    // What came before the reload is over once there is nothing more for a while.
    while log.1.try_recv().is_ok() {}
    let line = first_line(&larder, &log, "/cookie");
    assert!(line.ends_with(expected), "{line}");
    let json = Running::command(&["log", "--json", "--admin", &admin]);
    let line: Value =
        serde_json::from_str(&first_line(&larder, &json, "/page")).expect("a JSON object");
    assert_eq!(line["target"], "/page");
}

#[test]
fn a_wrong_filter_is_shown_with_its_place() {
    let (code, said, why) = Larder::run(&["log", "--filter", "path=/a status>=abc"], &[]);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert_eq!(
        why,
        "error: at character 17 of the filter: `abc` is no number\n  path=/a status>=abc\n  \
         \x20               ^\n"
    );
}

#[test]
fn the_numbers_are_a_table_or_a_document() {
    let origin = pages();
    let (larder, admin) = larder(&origin);
    for path in ["/", "/", "/", "/cookie"] {
        larder.get(path);
    }
    let (code, table, _) = Larder::run(&["stats", "--admin", &admin], &[]);
    assert_eq!(code, Some(0));
    for part in ["hit ratio                    50.0 %", "set-cookie", "well   0 in flight, "] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    assert!(!table.contains('\u{1b}'), "nothing for a terminal: {table}");
    let (_, document, _) = Larder::run(&["stats", "--json", "--admin", &admin], &[]);
    let document: Value = serde_json::from_str(&document).expect("a document");
    assert_eq!(document["requests"]["hit"], 2);
    for command in ["stats", "top", "log"] {
        let (code, _, why) = Larder::run(&[command, "--admin", "127.0.0.1:1"], &[]);
        assert_eq!(code, Some(1));
        assert!(why.starts_with("error: no larder answers at http://127.0.0.1:1: "), "{why}");
    }
}

#[test]
fn top_prints_plain_frames_where_there_is_no_terminal() {
    let origin = pages();
    let (larder, admin) = larder(&origin);
    for path in ["/", "/", "/", "/cookie"] {
        larder.get(path);
    }
    let (code, frame, _) = Larder::run(&["top", "--once", "--admin", &admin], &[]);
    assert_eq!(code, Some(0));
    assert!(!frame.contains('\u{1b}'), "{frame}");
    assert!(frame.lines().count() <= 24 && frame.lines().all(|line| line.chars().count() <= 80));
    for part in ["requests/s ", "since the start 50.0 %", "  set-cookie ", " well "] {
        assert!(frame.contains(part), "{part}\n{frame}");
    }
    let top = Running::command(&["top", "--admin", &admin]);
    for _ in 0..2 {
        let line = std::iter::from_fn(|| top.1.recv_timeout(DEADLINE).ok())
            .find(|line| line.starts_with("larder "));
        assert!(line.is_some_and(|line| line.contains(&admin)));
    }
}

/// A terminal of 24 lines of 80, as a program and as who sits in front of it have it.
struct Terminal {
    inside: File,
    outside: File,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn open() -> Terminal {
        let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&outside).expect("it is ours");
        unlockpt(&outside).expect("it can be opened");
        let path = ptsname(&outside, Vec::new()).expect("its name");
        let path = PathBuf::from(path.to_str().expect("text"));
        let inside = File::options().read(true).write(true).open(path).expect("its inside");
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&inside, size).expect("a size");
        let outside = File::from(outside);
        let (shown, heard) = (Arc::default(), outside.try_clone().expect("the other half"));
        let writing: Arc<Mutex<String>> = Arc::clone(&shown);
        std::thread::spawn(move || {
            let (mut heard, mut bytes) = (heard, [0; 4096]);
            while let Ok(count) = heard.read(&mut bytes) {
                writing.lock().expect("text").push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Terminal { inside, outside, shown }
    }

    fn shows(&self, text: &str) {
        let shown = || self.shown.lock().expect("text").clone();
        wait_until(&format!("the terminal shows {text:?}"), || shown().contains(text));
    }

    fn run(&self, args: &[&str]) -> Child {
        let side = || Stdio::from(self.inside.try_clone().expect("the other half"));
        Larder::command(args, &[]).stdin(side()).stdout(side()).spawn().expect("larder runs")
    }
}

#[test]
fn top_leaves_the_terminal_as_it_was() {
    let origin = pages();
    let (_larder, admin) = larder(&origin);
    let ends: [fn(&mut Terminal, &Child); 3] = [
        |terminal, _| terminal.outside.write_all(b"xq").expect("it is typed"),
        |terminal, _| terminal.outside.write_all(&[3]).expect("it is typed"),
        |_, top| {
            let sent = Command::new("kill").arg(top.id().to_string()).status();
            assert!(sent.expect("kill runs").success());
        },
    ];
    for end in ends {
        let mut terminal = Terminal::open();
        let before = tcgetattr(&terminal.inside).expect("its modes");
        let mut top = terminal.run(&["top", "--admin", &admin]);
        terminal.shows("\u{1b}[?1049h\u{1b}[?25l");
        terminal.shows("q ends");
        let during = tcgetattr(&terminal.inside).expect("its modes");
        assert_ne!(during.local_modes, before.local_modes);
        end(&mut terminal, &top);
        let mut code = None;
        wait_until("it ends", || {
            code = top.try_wait().expect("its status");
            code.is_some()
        });
        assert_eq!(code.expect("a status").code(), Some(0));
        terminal.shows("\u{1b}[?25h\u{1b}[?1049l");
        let after = tcgetattr(&terminal.inside).expect("its modes");
        assert_eq!(after.local_modes, before.local_modes);
        assert_eq!(after.input_modes, before.input_modes);
        assert_eq!(after.output_modes, before.output_modes);
    }
}
