//! Bytes: downloads in parts, static files, streams, uploads, a unix socket.

use super::BY_SESSION;
use crate::apps::{Site, assert_forwarded, assert_hit, shop};
use crate::harness::{Connection, Response, request};
use std::io::Write;
use std::process::{Command, Stdio};

const MANUAL: &str = include_str!("../../../apps/flask_shop/downloads/manual.txt");
const PATH: &str = "/download/manual.txt";

fn part(site: &Site, range: &str) -> Response {
    site.get_with(PATH, &[("Range", range)])
}

#[test]
fn a_part_of_a_download_comes_from_the_stored_copy() {
    let site = shop().open();
    assert_eq!(site.get(PATH).text(), MANUAL);
    for (range, from, to) in
        [("bytes=64-127", 64, 128), ("bytes=4032-", 4032, 4096), ("bytes=-10", 4086, 4096)]
    {
        let answer = part(&site, range);
        assert_eq!(answer.status, 206, "{range}");
        assert_hit(&answer);
        assert_eq!(answer.text(), MANUAL[from..to], "{range}");
        let place = format!("bytes {from}-{}/4096", to - 1);
        assert_eq!(answer.field("content-range"), Some(place.as_str()));
    }
    let beyond = part(&site, "bytes=5000-");
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.field("content-range"), Some("bytes */4096"));
    assert_eq!(site.computed(PATH), 1);
}

#[test]
fn several_parts_come_from_the_stored_copy() {
    let site = shop().open();
    site.get(PATH);
    let answer = part(&site, "bytes=0-63,128-191,-64");
    assert_eq!(answer.status, 206);
    assert_hit(&answer);
    let kind = answer.field("content-type").expect("a type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
    let text = answer.text();
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let parts: Vec<&str> = text.split(&delimiter).collect();
    assert_eq!(parts.len(), 5, "{text}");
    for (part, from, to) in [(parts[1], 0, 64), (parts[2], 128, 192), (parts[3], 4032, 4096)] {
        let (head, body) = part.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("bytes {from}-{}/4096", to - 1)), "{head}");
        assert_eq!(body.strip_suffix("\r\n"), Some(&MANUAL[from..to]));
    }
    assert_eq!(parts[4].trim_end(), "--");
    assert_eq!(site.computed(PATH), 1);
}

#[test]
fn a_download_goes_on_only_where_the_file_is_still_the_same() {
    let site = shop().open();
    let whole = site.get(PATH);
    let tag = whole.field("etag").expect("an entity tag");
    let date = whole.field("last-modified").expect("a date");
    let resume = |with| site.get_with(PATH, &[("Range", "bytes=2048-"), ("If-Range", with)]);
    for with in [tag, date] {
        let rest = resume(with);
        assert_eq!((rest.status, rest.text().as_str()), (206, &MANUAL[2048..]), "{with}");
        assert_hit(&rest);
    }
    for with in ["\"other\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let all = resume(with);
        assert_eq!((all.status, all.text().as_str()), (200, MANUAL), "{with}");
        assert_hit(&all);
    }
    assert_eq!(site.computed(PATH), 1);
}

#[test]
fn a_part_asked_for_first_is_not_taken_for_the_whole() {
    let site = shop().open();
    let first = part(&site, "bytes=64-127");
    assert_eq!((first.status, first.text().as_str()), (206, &MANUAL[64..128]));
    assert_forwarded(&first);
    let whole = site.get(PATH);
    assert_eq!((whole.status, whole.text().as_str()), (200, MANUAL));
    assert_forwarded(&whole);
    assert_hit(&part(&site, "bytes=64-127"));
}

#[test]
fn a_download_that_was_begun_in_parts_is_made_whole() {
    let site = shop().open();
    for range in ["bytes=0-1023", "bytes=1024-2047"] {
        assert_forwarded(&part(&site, range));
    }
    let across = part(&site, "bytes=1000-1099");
    assert_eq!((across.status, across.text().as_str()), (206, &MANUAL[1000..1100]));
    assert_hit(&across);
    let whole = site.get(PATH);
    assert_eq!((whole.status, whole.text().as_str()), (200, MANUAL));
    assert_eq!(whole.cache_status(), "larder; fwd=partial; stored");
    assert_eq!(site.computed(PATH), 3);
    assert_hit(&site.get(PATH));
}

#[test]
fn static_files_are_validated_each_time_as_flask_asks() {
    let site = shop().open();
    let path = "/static/shop.css";
    let first = site.get(path);
    let tag = first.field("etag").expect("an entity tag");
    for count in 1..=2 {
        let again = site.get(path);
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert!(again.cache_status().contains("fwd-status=304"), "{}", again.cache_status());
        assert_eq!(site.computed(&format!("304:{path}")), count);
    }
    let spared = site.get_with(path, &[("If-None-Match", tag)]);
    assert_eq!((spared.status, spared.body.len()), (304, 0));
    assert_eq!(site.computed(path), 1);
}

#[test]
fn a_stream_is_stored_up_to_the_object_limit_and_passes_through_above() {
    let site = shop().open();
    let byte_right = |answer: &Response, mib: usize| {
        answer.complete
            && answer.body.len() == mib << 20
            && answer.body.iter().enumerate().all(|(n, byte)| *byte == (n % 256) as u8)
    };
    for (path, mib) in [("/large?mib=1", 1), ("/large?mib=6", 6)] {
        let answer = site.get(path);
        assert_eq!(answer.status, 200);
        assert!(byte_right(&answer, mib), "{path}: {} bytes", answer.body.len());
    }
    let small = site.get("/large?mib=1");
    assert_hit(&small);
    assert!(byte_right(&small, 1));
    let large = site.get("/large?mib=6");
    assert_forwarded(&large);
    assert!(byte_right(&large, 6));
    assert_eq!(site.computed("/large?mib=1"), 1);
    assert_eq!(site.computed("/large?mib=6"), 2);
    assert_eq!(site.larder.stat("/memory/targets"), 1);
}

#[test]
fn uploads_arrive_whole_with_a_length_and_in_chunks() {
    let site = shop().open();
    let body: Vec<u8> = (0..5_u32 << 20).map(|n| (n % 251) as u8).collect();
    let expected = format!("\"sha256\":\"{}\"", sha256(&body));
    let length = format!("\"length\":{}", body.len());

    let sized = request(site.larder.proxy, "POST", "/upload", &[], &body);
    let mut connection = Connection::open(site.larder.proxy);
    connection.send(
        b"POST /upload HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\
          Connection: close\r\n\r\n",
    );
    for chunk in body.chunks(70_001) {
        connection.send(format!("{:x}\r\n", chunk.len()).as_bytes());
        connection.send(&[chunk, b"\r\n"].concat());
    }
    connection.send(b"0\r\n\r\n");
    let chunked = connection.answer("POST").expect("an answer");

    for answer in [sized, chunked] {
        assert_eq!(answer.status, 200);
        let text = answer.text().replace(": ", ":");
        assert!(text.contains(&expected) && text.contains(&length), "{text}");
    }
    assert_eq!(site.computed("POST:/upload"), 2);
}

#[test]
fn the_app_may_listen_on_a_unix_socket() {
    let site = shop().with(&BY_SESSION).open_purging();
    site.larder.says("in front of unix:");
    assert_forwarded(&site.get("/"));
    assert_hit(&site.get("/"));
    let answer = site.get("/large?mib=6");
    assert_eq!((answer.complete, answer.body.len()), (true, 6 << 20));
    let body = vec![b'x'; 1 << 20];
    let answer = request(site.larder.proxy, "POST", "/upload", &[], &body);
    assert!(answer.text().contains(&sha256(&body)), "{}", answer.text());
}

#[test]
fn workers_that_die_between_two_requests_are_not_noticed() {
    let site = shop().open();
    for _ in 0..3 {
        // Leaves connections to the workers in the pool.
        assert_eq!(site.get("/whoami").status, 200);
        site.app.kill_workers();
        let answer = site.get("/whoami");
        assert_eq!((answer.status, answer.text().as_str()), (200, "nobody\n"));
    }
}

/// By the machine's own tool.
fn sha256(bytes: &[u8]) -> String {
    let mut tool = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum starts");
    tool.stdin.take().expect("its input").write_all(bytes).expect("the bytes are sent");
    let output = tool.wait_with_output().expect("sha256sum ends");
    String::from_utf8_lossy(&output.stdout)[..64].to_string()
}
