//! Standard output takes no more.

use crate::harness::{DEADLINE, Larder, Origin, reply, wait_until};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

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
