"""The plugin itself, as somebody's tests use it."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from larder_client import LarderError, Purge, Unreachable
from larder_client.testing import (
    Recorder,
    assert_hit,
    assert_miss,
    assert_not_shared,
    assert_purged,
)

MINUTE = {"cache": {"default_ttl": "60s", "cookies": ["session"]}}


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """`/private` says who one is; `/leak` too, and forgets to say that it does."""
    path, cookie = environ["PATH_INFO"], environ.get("HTTP_COOKIE", "")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    fields = [("Content-Type", "text/plain"), ("Cache-Tag", "page")]
    if path == "/private":
        fields += [("Vary", "Cookie"), ("Cache-Control", "max-age=60")]
    if path == "/leak":
        fields += [("Cache-Control", "max-age=60")]
    if path == "/cookie":
        fields += [("Set-Cookie", "a=b")]
    start_response("200 OK", fields)
    return [f"{environ['REQUEST_METHOD']} {cookie} ".encode() + body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def test_before_a_wsgi_application(larder: Any) -> None:
    proxy = larder(wsgi, **MINUTE)
    assert_miss(proxy.get("/"))
    assert_hit(proxy.get("/"))
    answer = proxy.post("/", {"a": "b c"}, fields={"X-A": "1"})
    assert_miss(answer)
    assert (answer.status, answer.text) == (200, "POST  a=b+c")


def test_before_an_asgi_application(larder: Any) -> None:
    pytest.importorskip("uvicorn")
    proxy = larder(asgi, **MINUTE)
    assert_miss(proxy.get("/a"))
    assert_hit(proxy.get("/a"))
    assert proxy.get("/a").text == "/a"


def test_before_a_command(larder: Any, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("hello")
    os.utime(page, (0, 0))  # As old as it is, it is fresh for a day (RFC 9111 section 4.2.2).
    serve = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
    proxy = larder([*serve, "--directory", str(tmp_path)], **MINUTE)
    assert proxy.get("/").text == "hello"
    assert_hit(proxy.get("/"))


def test_by_a_file_with_a_token(larder: Any, tmp_path: Path) -> None:
    file = tmp_path / "larder.toml"
    file.write_text(
        'origin.to = "127.0.0.1:1"\nadmin.token = "secret"\ncache.default_ttl = "60s"\n'
    )
    proxy = larder(wsgi, toml_file=file, token="secret")
    proxy.client.ping()
    assert_miss(proxy.get("/"))
    assert_hit(proxy.get("/"))


def test_a_failure_says_why(larder: Any) -> None:
    proxy = larder(wsgi, **MINUTE)
    proxy.get("/cookie")
    with pytest.raises(AssertionError) as failed:
        assert_hit(proxy.get("/cookie"))
    said = str(failed.value)
    assert "/cookie did not come from the cache" in said
    assert "the response sets a cookie" in said
    assert "if `Set-Cookie: a` were absent" in said
    with pytest.raises(AssertionError, match="came from the cache"):
        proxy.get("/")
        assert_miss(proxy.get("/"))


def test_what_is_purged(larder: Any) -> None:
    proxy = larder(wsgi, **MINUTE)
    with assert_purged(proxy, "/", "/private"):
        proxy.client.purge(Purge(tags={"page"}))
    with (
        pytest.raises(AssertionError, match="its tags: page"),
        assert_purged(proxy, "/", within=0.1),
    ):
        proxy.client.purge(Purge(tags={"other"}))


def test_who_is_given_what_is_anothers(larder: Any) -> None:
    proxy = larder(wsgi, **MINUTE)
    one, other = {"session": "1"}, {"session": "2"}
    assert_not_shared(proxy, "/private", one, other)
    with pytest.raises(AssertionError, match="given the very same page from the cache"):
        assert_not_shared(proxy, "/leak", one, other)


def test_what_cannot_start_says_why(larder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LarderError, match="default_ttl"):
        larder(wsgi, cache={"default_ttl": "sixty"})
    with pytest.raises(LarderError, match="ended with 3:\nno"):
        larder([sys.executable, "-c", "print('no'); exit(3)", "{port}"])
    with pytest.raises(LarderError, match="'{port}' has to stand where"):
        larder(["true"])
    with pytest.raises(TypeError, match=r"cache\.memory: larder.toml has strings"):
        larder(wsgi, cache={"memory": 1.5})
    monkeypatch.setenv("LARDER_BINARY", "/nowhere")
    with pytest.raises(LarderError, match="LARDER_BINARY=/nowhere can't be run: build it"):
        larder(wsgi)


def test_the_recorder_keeps_what_would_be_sent() -> None:
    recorder = Recorder()
    recorder.assert_nothing_purged()
    recorder.send(Purge(tags={"a", "b"}))
    recorder.send(Purge())
    recorder.client.purge(Purge(urls={"http://x.test/"}))
    recorder.client.purge(Purge(urls={"http://y.test/"}), dry_run=True)
    recorder.assert_purged(tags=["a"], urls=["http://x.test/"])
    with pytest.raises(AssertionError, match=r"not purged: tags \['c'\]"):
        recorder.assert_purged(tags=["c"])
    with pytest.raises(AssertionError, match="purged"):
        recorder.assert_nothing_purged()
    recorder.clear()
    recorder.client.failing = Unreachable("down")
    with pytest.raises(Unreachable):
        recorder.client.purge(Purge(tags={"a"}))
    assert recorder.flush()
    recorder.assert_nothing_purged()
