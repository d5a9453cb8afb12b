//! The commands beside the proxy, and the ways in which it is configured.

use crate::harness::{Gate, Larder, Origin, nobody, reply, wait_until};
use std::io::Write;
use std::path::PathBuf;

fn file(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("larder.toml");
    std::fs::write(&path, text).expect("the file is written");
    path
}

fn shop() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/private" => reply(200, &["Cache-Control: private"], "yours"),
        "/default" => reply(200, &[], "page"),
        _ => reply(200, &["Cache-Control: max-age=60", "Cache-Tag: shop"], "page"),
    })
}

#[test]
fn a_file_then_the_environment_then_the_options() {
    let origin = shop();
    let (_held, wrong) = nobody();
    let dir = tempfile::tempdir().expect("a folder");
    let path = file(
        &dir,
        &format!(
            "listen = \"127.0.0.1:0\"\n[origin]\nto = \"{wrong}\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
             [cache]\ndefault_ttl = \"10s\"\n[log]\naccess = \"off\"\n"
        ),
    );
    let path = path.to_str().expect("text");
    let to = origin.address.to_string();
    let ttl = |larder: &Larder| {
        larder.get("/default");
        let hit = larder.get("/default");
        let ttl = hit.cache_status().strip_prefix("larder; hit; ttl=").map(str::to_string);
        ttl.and_then(|ttl| ttl.parse::<u64>().ok()).map(|ttl| ttl.div_ceil(10) * 10)
    };
    let run = |more: &[&str], env: &[(&str, &str)]| {
        Larder::spawn(&[&["run", "--config", path], more].concat(), env)
    };
    // The file alone: its origin is not there.
    assert_eq!(run(&[], &[]).get("/default").status, 502);
    let env = [("LARDER_ORIGIN__TO", to.as_str()), ("LARDER_CACHE__DEFAULT_TTL", "20s")];
    assert_eq!(ttl(&run(&[], &env[..1])), Some(10));
    assert_eq!(ttl(&run(&[], &env)), Some(20));
    let larder = run(&["--default-ttl", "30s", "--access-log", "json"], &env);
    assert_eq!(ttl(&larder), Some(30));
    assert!(larder.next_line().starts_with('{'));
    let larder = run(&["--to", &to, "--connect-timeout", "5s"], &[]);
    assert_eq!(ttl(&larder), Some(10));
    // $LARDER_CONFIG says where the file is.
    let found = Larder::spawn(&["run", "--to", &to], &[("LARDER_CONFIG", path)]);
    assert_eq!(ttl(&found), Some(10));
}

#[test]
fn the_time_outs_can_be_given_beside_a_file() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |_| {
        waits.pass();
        reply(200, &[], "late")
    });
    let dir = tempfile::tempdir().expect("a folder");
    let path = file(&dir, &format!("[origin]\nto = \"{}\"\n", origin.address));
    let path = path.to_str().expect("text");
    let more = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let args = [&["run", "--config", path, "--first-byte-timeout", "300ms"], &more[..]].concat();
    assert_eq!(Larder::spawn(&args, &[]).get("/").status, 504);
    gate.open();
}

#[test]
fn check_says_where_a_configuration_is_wrong() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = file(
        &dir,
        "[origin]\nto = \"127.0.0.1:8000\"\n\n[cache]\ndefualt_ttl = \"60s\"\nmemory = \"lots\"\n",
    );
    let name = path.to_str().expect("text");
    for command in ["check", "run"] {
        let (status, output, errors) = Larder::run(&[command, "--config", name], &[]);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{command}");
        for words in [
            &format!("{name}:5:1"),
            "5 | defualt_ttl = \"60s\"",
            "^^^^^^^^^^^",
            "did you mean `default_ttl`?",
            &format!("{name}:6:10"),
            "6 | memory = \"lots\"",
        ] {
            assert!(errors.contains(words), "{command}: {words:?} is not in\n{errors}");
        }
        // The caret stands under the word.
        let lines: Vec<&str> = errors.lines().collect();
        let at = lines.iter().position(|line| line.contains("defualt_ttl = ")).expect("the line");
        assert_eq!(lines[at].find("defualt_ttl"), lines[at + 1].find('^'), "{errors}");
    }
}

#[test]
fn check_knows_what_is_wrong_wherever_it_stands() {
    let dir = tempfile::tempdir().expect("a folder");
    for (text, env, words) in [
        ("[origin]\nto = \"a:1\"\n[chache]\n", None, "did you mean `cache`?"),
        ("[origin\nto = 1\n", None, ":1:"),
        ("[origin]\nto = \"a:1\"\nto = \"b:1\"\n", None, ":3:1"),
        ("[cache]\ndefault_ttl = \"60s\"\n", None, "the address of the application is missing"),
        ("[origin]\nto = \"a:1\"\nconnect_timeout = 5\n", None, ":3:19"),
        (
            "[origin]\nto = \"a:1\"\n",
            Some(("LARDER_CACHE__MEMROY", "1MiB")),
            "LARDER_CACHE__MEMROY",
        ),
        (
            "[origin]\nto = \"a:1\"\n",
            Some(("LARDER_CACHE__MEMORY", "1 elephant")),
            "LARDER_CACHE__MEMORY",
        ),
    ] {
        let path = file(&dir, text);
        let args = ["check", "--config", path.to_str().expect("text")];
        let (status, _, errors) = Larder::run(&args, env.as_slice());
        assert_eq!(status, Some(1), "{text}");
        assert!(errors.contains(words), "{text}: {errors}");
    }
    let missing = dir.path().join("missing.toml");
    let (status, _, errors) =
        Larder::run(&["check", "--config", missing.to_str().expect("text")], &[]);
    assert!(status == Some(1) && errors.contains("missing.toml"), "{errors}");
}

#[test]
fn check_says_that_a_good_configuration_is_good() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = file(&dir, "listen = \"127.0.0.1:7000\"\n[origin]\nto = \"127.0.0.1:8000\"\n");
    let args = ["check", "--config", path.to_str().expect("text")];
    let (status, output, errors) = Larder::run(&args, &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let expected = "the configuration is good: 127.0.0.1:7000 in front of 127.0.0.1:8000\n";
    assert_eq!(output, expected);
}

#[test]
fn a_command_that_makes_no_sense_ends_with_2() {
    for args in [
        &["serve"][..],
        &[],
        &["proxy", "--too", "x"],
        &["purge"],
        &["get"],
        &["purge", "--admin", "127.0.0.1:1"],
    ] {
        let (status, output, errors) = Larder::run(args, &[]);
        assert_eq!((status, output.as_str()), (Some(2), ""), "{args:?}");
        assert!(errors.contains("Usage: larder"), "{args:?}: {errors}");
    }
    // An option that is understood and has a wrong value makes no sense either.
    for (option, value) in
        [("--to", ""), ("--default-ttl", "soon"), ("--access-log", "xml"), ("--memory", "1GB?")]
    {
        let (status, _, errors) = Larder::run(&["proxy", "--to", "a:1", option, value], &[]);
        assert_eq!(status, Some(2), "{option}");
        assert!(errors.contains(option), "{errors}");
    }
    for (args, words) in [
        (&["proxy", "--to", "8000"][..], "`8000` is not an address"),
        (&["run", "--to", "a:1", "--default-ttl", "soon"], "option --default-ttl"),
        (&["check", "--to", "8000"], "option --to"),
        (&["get", "/x"], "an absolute URL is needed"),
        (&["get", "http://x/", "-H", "no colon"], "is not a field"),
        (&["warm", "/x"], "an absolute URL is needed"),
        (&["bench", "/x"], "an absolute URL is needed"),
        (&["log", "--filter", "outcom=miss"], "`outcom`"),
    ] {
        let (status, output, errors) = Larder::run(args, &[]);
        assert_eq!((status, output.as_str()), (Some(2), ""), "{args:?}: {errors}");
        assert!(errors.contains(words), "{args:?}: {errors}");
    }
    // What a command reads may be wrong though the command makes sense.
    let env = [("LARDER_CACHE__MEMORY", "1 elephant")];
    assert_eq!(Larder::run(&["check", "--to", "a:1"], &env).0, Some(1));
}

#[test]
fn purge_forgets_and_says_how_much() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    let admin = larder.admin.to_string();
    let purge = |args: &[&str]| {
        let (status, output, errors) =
            Larder::run(&[&["purge", "--admin", &admin], args].concat(), &[]);
        assert_eq!((status, errors.as_str()), (Some(0), ""), "{args:?}");
        output
    };
    let pages = ["/a", "/b", "/c/d"];
    let fill = || pages.iter().for_each(|path| drop(larder.get(path)));
    let a = "http://site.test/a";
    for (args, output, left) in [
        (&[a][..], "1 response forgotten\n  url http://site.test/a: 1 response\n", 2),
        (&[a, "http://site.test/x"], "", 2),
        (&["--tag", "shop"], "3 responses forgotten\n  tag shop: 3 responses\n", 0),
        (&["--tag", "none"], "0 responses forgotten\n  tag none: 0 responses\n", 3),
        (
            &["--prefix", "http://site.test/c/"],
            "1 response forgotten\n  prefix http://site.test/c/: 1 response\n",
            2,
        ),
        (&["--all"], "3 responses forgotten\n", 0),
    ] {
        fill();
        let said = purge(args);
        assert!(output.is_empty() || said == output, "{said}");
        let hits = pages.iter().filter(|path| larder.get(path).is_hit()).count();
        assert_eq!(hits, left, "{args:?}");
    }
    fill();
    assert!(purge(&["--all", "--soft"]).starts_with("3 responses made stale (purge "));
    assert!(larder.get("/a").cache_status().contains("soft-purge"));
    wait_until("it is validated", || {
        larder.get("/a").cache_status().contains("ttl=6")
            || larder.get("/a").cache_status().contains("ttl=5")
    });
}

#[test]
fn purge_that_fails_says_why() {
    let (_held, nobody) = nobody();
    let nobody = nobody.to_string();
    let (status, output, errors) = Larder::run(&["purge", "--all", "--admin", &nobody], &[]);
    assert_eq!((status, output.as_str()), (Some(1), ""));
    assert!(errors.contains(&format!("no larder answers at http://{nobody}")), "{errors}");

    let origin = shop();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_ADMIN__TOKEN", "s3cret")]);
    let admin = larder.admin.to_string();
    let env = [("LARDER_ADMIN", admin.as_str()), ("LARDER_TOKEN", "s3cret")];
    let (status, _, errors) = Larder::run(&["purge", "--all"], &env[..1]);
    assert!(status == Some(1) && errors.contains("401"), "{errors}");
    let (status, output, _) = Larder::run(&["purge", "--all"], &env);
    assert_eq!((status, output.as_str()), (Some(0), "0 responses forgotten\n"));
    let (status, _, errors) = Larder::run(&["purge", "/no-host"], &env);
    assert!(status == Some(1) && errors.contains("urls[0]"), "{errors}");
}

#[test]
fn tags_that_were_run_together_are_noticed() {
    let groups = "Cache-Groups: \"two words\"";
    let origin =
        Origin::answering(move |_| reply(200, &["Cache-Control: max-age=60", groups], "page"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let admin = larder.admin.to_string();
    let purge = |tag: &str| Larder::run(&["purge", "--admin", &admin, "--tag", tag], &[]);
    for (tag, meant) in [
        ("a b", "--tag a --tag b?"),
        ("article:1,article:2", "--tag article:1 --tag article:2?"),
        (" a", "--tag a?"),
    ] {
        let (status, _, errors) = purge(tag);
        assert_eq!(status, Some(2), "{errors}");
        let expected = format!("error: nothing bears the tag {tag:?}: ");
        assert!(
            errors.starts_with(&expected) && errors.ends_with(&format!("{meant}\n")),
            "{errors}"
        );
    }
    // A group may be called so, and is met then.
    larder.get("/a");
    let (status, output, _) = purge("two words");
    assert_eq!((status, output.lines().next()), (Some(0), Some("1 response forgotten")));
}

#[test]
fn another_port_than_the_admins_is_noticed() {
    for status in [200, 404] {
        let origin = Origin::answering(move |_| reply(status, &[], "page"));
        let larder = Larder::in_front_of(origin.address, &[]);
        let proxy = larder.proxy.to_string();
        for args in [&["stats"][..], &["top", "--once"], &["purge", "--all"], &["reload"]] {
            let (code, said, why) = Larder::run(&[args, &["--admin", &proxy]].concat(), &[]);
            assert_eq!((code, said.as_str()), (Some(1), ""), "{args:?}: {why}");
            assert!(why.contains("the admin port is 6082 by default"), "{args:?}: {why}");
        }
    }
}

#[test]
fn purge_of_nothing_says_what_there_is() {
    let (code, _, errors) = Larder::run(&["purge"], &[]);
    assert_eq!(code, Some(2));
    for what in ["<URL|", "--tag <TAG>", "--all", "--undo <NUMBER>"] {
        assert!(errors.contains(what), "{errors}");
    }
}

#[test]
fn purge_finds_the_admin_port_and_token_in_the_configuration() {
    let origin = shop();
    let env = [("LARDER_ADMIN__TOKEN", "s3cret")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/a");
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!(
        "[origin]\nto = \"{}\"\n[admin]\nlisten = \"{}\"\ntoken = \"s3cret\"\n",
        origin.address, larder.admin
    );
    let path = file(&dir, &text);
    let args = ["purge", "--all", "--config", path.to_str().expect("text")];
    let (status, output, errors) = Larder::run(&args, &[]);
    assert_eq!((status, output.as_str()), (Some(0), "1 response forgotten\n"), "{errors}");
}

#[test]
fn get_shows_the_head_and_says_what_was_decided() {
    let origin = shop();
    let larder = Larder::in_front_of(origin.address, &[]);
    let via = larder.proxy.to_string();
    let ask = |args: &[&str]| {
        let (status, output, errors) = Larder::run(&[&["get", "--via", &via], args].concat(), &[]);
        assert_eq!((status, errors.as_str()), (Some(0), ""), "{args:?}");
        output
    };
    let first = ask(&["http://site.test/a"]);
    assert!(first.starts_with("HTTP/1.1 200 OK\n"), "{first}");
    assert!(first.contains("cache-status: larder; fwd=uri-miss; stored\n"), "{first}");
    let words = "Forwarded to the app: nothing was stored for this URL. The answer was stored.\n";
    assert!(first.contains(words), "{first}");
    let second = ask(&["http://site.test/a", "--body"]);
    assert!(second.contains("A hit: from the cache, fresh for another "), "{second}");
    assert!(second.ends_with("\npage\n"), "{second}");
    let private = ask(&["http://site.test/private", "-H", "X-A: 1"]);
    assert!(private.contains("It was not stored: the response says private"), "{private}");
    assert_eq!(origin.last().field("x-a"), Some("1"));
    assert_eq!(origin.last().field("host"), Some("site.test"));

    // Its own host and port, when nothing else is said.
    let (status, output, _) = Larder::run(&["get", &format!("http://{via}/a")], &[]);
    assert!(status == Some(0) && output.starts_with("HTTP/1.1 200 OK\n"));
    let (_held, nobody) = nobody();
    let (status, _, errors) = Larder::run(&["get", &format!("http://{nobody}/")], &[]);
    assert!(status == Some(1) && errors.contains(&nobody.to_string()), "{errors}");
}

#[test]
fn get_ends_though_the_body_does_not() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Origin::scripted(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
        let is_sent = stream.write_all(head.as_bytes()).is_ok();
        held.pass();
        is_sent
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let url = format!("http://{}/", larder.proxy);
    let (status, output, errors) = Larder::run(&["get", &url], &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(output.contains("detail=event-stream"), "{output}");
    let last = "\nThe body is a stream of events, which has no end: it was not read.\n";
    assert!(output.ends_with(last), "{output}");
    let (_, output, _) = Larder::run(&["get", &url, "--json"], &[]);
    assert!(output.contains("\"left\":\"The body is a stream of events"), "{output}");
    gate.open();
}

#[test]
fn healthcheck_tells_whether_it_is_ready() {
    let larder = Larder::in_front_of(shop().address, &[]);
    let admin = larder.admin.to_string();
    assert_eq!(Larder::run(&["healthcheck", "--admin", &admin], &[]).0, Some(0));
    let (_held, nobody) = nobody();
    let (status, _, errors) = Larder::run(&["healthcheck", "--admin", &nobody.to_string()], &[]);
    assert!(status == Some(1) && errors.contains(&nobody.to_string()), "{errors}");
}

#[test]
fn the_tour_of_the_demo_is_run_and_ends_well() {
    let (status, output, errors) = Larder::run(&["demo", "--once", "--listen", "127.0.0.1:0"], &[]);
    assert_eq!(status, Some(0), "{output}{errors}");
    for words in ["miss", "hit", "304", "50", "purge", "tag"] {
        assert!(output.to_lowercase().contains(words), "{words} is not in\n{output}");
    }
}
