//! Standard output takes no more, or the log's file does not.

use crate::harness::{DEADLINE, Larder, Origin, get, reply, wait_until};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn pages() -> Origin {
    Origin::answering(|_| reply(200, &["Cache-Control: max-age=3600"], "page"))
}

/// `larder` started by a shell that turns its standard output elsewhere.
fn with_output(origin: &Origin, output: &str, stdin: Stdio) -> Larder {
    let to = origin.address.to_string();
    let ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let larder = Larder::command(&[&["proxy", "--to", &to], &ports[..]].concat(), &[]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec \"$@\" {output}")).arg("sh");
    shell.arg(larder.get_program()).args(larder.get_args()).stdin(stdin);
    for (name, value) in larder.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Larder::started(shell)
}

#[test]
fn a_full_disk_or_a_closed_output_stops_the_log_and_nothing_else() {
    let origin = pages();
    for (output, is_said) in [(">/dev/full", true), (">&-", false)] {
        let mut larder = with_output(&origin, output, Stdio::null());
        for number in 0..50 {
            assert_eq!(larder.get(&format!("/{}", number % 5)).status, 200);
        }
        if is_said {
            larder.says("the access log cannot be written");
        }
        let said = larder.events().matches("the access log cannot be written").count();
        assert_eq!(said, usize::from(is_said), "it is said once");
        larder.terminate();
        assert_eq!(larder.wait().code(), Some(0));
        assert!(!larder.events().contains("panicked"), "{}", larder.events());
    }
}

/// As the output of a process that shares it with one that doesn't wait.
#[test]
fn the_log_goes_on_when_there_is_room_again() {
    let origin = pages();
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.set_nonblocking(true).expect("it does not wait");
    let larder = with_output(&origin, ">&0", Stdio::from(OwnedFd::from(theirs)));
    let path = format!("/{}", "x".repeat(4_000));
    wait_until("nothing more can be written", || {
        assert_eq!(larder.get(&path).status, 200);
        larder.events().contains("the access log cannot be written")
    });
    ours.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    let mut lines = BufReader::new(ours).lines();
    let reading = std::thread::spawn(move || {
        let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("/after ")));
        line.expect("lines").expect("a line")
    });
    wait_until("lines come again", || {
        assert_eq!(larder.get("/after").status, 200);
        reading.is_finished()
    });
    let line = reading.join().expect("it was read");
    assert!(line.starts_with("127.0.0.1 - - [") && line.contains("\"GET /after HTTP/1.1\" 200 "));
    larder.says("access-log lines were left out");
}

fn into_file(origin: &Origin, file: &Path) -> Larder {
    let file = file.display().to_string();
    Larder::with_env(origin.address, &[], &[("LARDER_LOG__ACCESS_FILE", &file)])
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// As logrotate does it.
#[test]
fn a_file_that_was_moved_away_is_opened_again_when_that_is_said() {
    let (origin, dir) = (pages(), tempfile::tempdir().expect("a directory"));
    let (file, moved) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
    let mut larder = into_file(&origin, &file);
    larder.get("/first");
    wait_until("the line is there", || read(&file).contains("GET /first HTTP/1.1"));
    std::fs::rename(&file, &moved).expect("it is moved");
    larder.get("/second");
    wait_until("the line is there", || read(&moved).contains("GET /second HTTP/1.1"));
    larder.rotated();
    wait_until("the file is there again", || file.exists());
    larder.get("/third");
    wait_until("the line is there", || read(&file).contains("GET /third HTTP/1.1"));
    assert_eq!((read(&moved).lines().count(), read(&file).lines().count()), (2, 1));
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o007, 0, "it is nobody else's");
    larder.get("/last");
    larder.terminate();
    assert_eq!(larder.wait().code(), Some(0));
    assert!(read(&file).contains("GET /last"), "every line is written before it ends");
    assert_eq!(larder.line_within(Duration::ZERO), None, "standard output has nothing");
}

#[test]
fn a_file_that_can_not_be_opened_is_said_and_its_lines_are_counted() {
    let (origin, dir) = (pages(), tempfile::tempdir().expect("a directory"));
    let file = dir.path().join("later").join("access.log");
    let larder = into_file(&origin, &file);
    let shown = file.display().to_string();
    larder.says(&format!("its lines are left out error={shown}: No such file"));
    for number in 0..10 {
        assert_eq!(larder.get(&format!("/{number}")).status, 200);
    }
    wait_until("they are counted", || larder.stat("/log/lost") == 10);
    assert_eq!(larder.events().matches("cannot be").count(), 1, "{}", larder.events());
    std::fs::create_dir(dir.path().join("later")).expect("a directory");
    larder.get("/after");
    wait_until("the line is there", || read(&file).contains("GET /after HTTP/1.1"));
    larder.says("access-log lines were left out count=10");
    assert_eq!(larder.stat("/log/lost"), 10);
}

#[test]
fn a_log_disk_that_is_full_costs_lines_and_nothing_else() {
    let origin = pages();
    let larder = into_file(&origin, Path::new("/dev/full"));
    for number in 0..10 {
        assert_eq!(larder.get(&format!("/{number}")).status, 200);
    }
    larder.says("the access log cannot be written");
    wait_until("they are counted", || larder.stat("/log/lost") == 10);
    let metrics = get(larder.admin, "/metrics", &[("Host", "localhost")]).text();
    assert!(metrics.contains("\nlarder_log_lines_lost_total 10\n"), "{metrics}");
}
