"""`flask larder`, with the real larder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("flask_login")

from flask_login import LoginManager

from flask import Flask, redirect, session
from larder_client.flask import Larder
from larder_client.sqlalchemy import receivers
from larder_client.testing import Larder as Proxy

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def app() -> Iterator[Flask]:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="x")
    extension = Larder(app)

    @app.get("/")
    @extension.cached("1h", tags=["start"])
    def start() -> str:
        return "start"

    @app.get("/untagged")
    @extension.cached("1h")
    def untagged() -> str:
        return "untagged"

    @app.get("/visitor")
    def visitor() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    @app.get("/sitemap.xml")
    def sitemap() -> tuple[str, dict[str, str]]:
        urls = "".join(f"<url><loc>{path}</loc></url>" for path in ("/", "/untagged", "/visitor"))
        return f"<urlset>{urls}</urlset>", {"Content-Type": "application/xml"}

    yield app
    receivers.remove(app.extensions["larder"])


def _run(app: Flask, proxy: Any, **config: Any) -> Run:
    """The application as it is on the command line, with its own settings."""

    def run(*args: str) -> tuple[int, str]:
        command_line = Flask(app.name)
        command_line.config.update(LARDER_URL=proxy.admin, LARDER_SITE=proxy.url, **config)
        if "login_manager" in vars(app):
            LoginManager(command_line)
        Larder(command_line)
        command_line.url_map = app.url_map
        command_line.view_functions = app.view_functions
        result = command_line.test_cli_runner().invoke(args=["larder", *args])
        receivers.remove(command_line.extensions["larder"])
        return result.exit_code, result.output

    return run


def test_ping_and_purge(app: Flask, larder: Callable[..., Proxy]) -> None:
    proxy = larder(app)
    run = _run(app, proxy)
    code, said = run("ping")
    assert (code, "is larder, and takes the token" in said) == (0, True)
    for options, met in [
        (["--tag", "start"], "1 response forgotten\n  tag start: 1 response\n"),
        (["--tag", "start", "--dry-run"], "1 response would be met\n  tag start: 1 response\n"),
        (["--url", f"{proxy.url}/", "--soft"], "1 response made stale\n"),
        (["--path", f"{proxy.url}/"], "1 response forgotten\n"),
        (["--path", "/"], f"1 response forgotten\n  path {proxy.url}/: 1 response\n"),
        (["--url", "/"], f"1 response forgotten\n  url {proxy.url}/: 1 response\n"),
        (["--prefix", "/"], f"1 response forgotten\n  prefix {proxy.url}/: 1 response\n"),
        (["--prefix", f"{proxy.url}/"], "1 response forgotten\n"),
        (["--host", proxy.url.removeprefix("http://")], "1 response forgotten\n"),
        (["--all"], "1 response forgotten\n"),
        (["--tag", "no such"], "0 responses forgotten\n  tag no such: 0 responses\n"),
    ]:
        proxy.get("/")
        code, said = run("purge", *options)
        assert code == 0, said
        assert said.startswith(met), said
    proxy.get("/")
    code, said = run("purge", "--tag", "start", "--json")
    assert json.loads(said)["counts"] == {"tags": {"start": 1}}
    code, said = run("purge")
    assert code == 2
    assert "--tag, --url" in said
    code, said = run("purge", "--tag", "")
    assert code == 1


def test_warm(app: Flask, larder: Callable[..., Proxy]) -> None:
    proxy = larder(app, cache={"cookies": ["session"]})
    run = _run(app, proxy)
    code, said = run("warm")
    assert code == 0, said
    assert "3 pages asked for\n  2 stored\n  1 not stored (set-cookie)" in said
    assert run("warm", "/")[1] == "1 pages asked for\n  1 already stored\n"
    address = proxy.url.removeprefix("http://")
    for via in (address, proxy.url + "/"):
        code, said = run("warm", "http://tea.example/Café au lait", "--via", via)
        assert (code, "1 not stored (no-lifetime)" in said) == (0, True), said
    code, said = run("warm", "--sitemap", "/untagged")
    assert code == 1
    assert "is no sitemap" in said
    code, said = run("warm", "http://127.0.0.1:1/")
    assert code == 1
    assert "does not answer" in said
    code, said = run("warm", "nonsense")
    assert "is no URL of a page" in said


def test_the_doctor_says_what_is_well(app: Flask, larder: Callable[..., Proxy]) -> None:
    proxy = larder(app, cache={"cookies": ["session"]})
    code, said = _run(app, proxy)("doctor")
    assert code == 0, said
    assert "larder tells visitors apart by session\n" in said
    assert "Views" not in said
    assert f"{proxy.url}/\n  kept, fresh for another" in said
    assert "tags: start" in said
    assert "no tags: a purge finds it by its URL only." in said
    assert "not kept: the response sets a cookie" in said
    advice = f"Sessions\n  advice: {proxy.url}/visitor looks at the session."
    assert advice in said
    assert "set SESSION_REFRESH_EACH_REQUEST to False" in said
    # Nothing is to be advised of what is not used, or not so.
    assert "advice: " not in _run(app, proxy)("doctor", "/", "/untagged")[1]
    off = _run(app, proxy, SESSION_REFRESH_EACH_REQUEST=False)
    assert "advice: " not in off("doctor", "/visitor")[1]


def test_the_doctor_sees_who_only_looks_at_the_session(larder: Callable[..., Proxy]) -> None:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="x")
    app.add_url_rule("/", "start", lambda: str(session.get("name")))
    proxy = larder(app, cache={"cookies": ["session"]})
    code, said = _run(app, proxy)("doctor")
    assert (code, f"advice: {proxy.url}/ looks at the session" in said) == (0, True)


def test_the_doctor_finds_a_decorator_above_the_route(larder: Callable[..., Proxy]) -> None:
    app = Flask(__name__)

    @Larder.cached("1h")
    @app.get("/above")
    def above() -> str:
        return "above"

    proxy = larder(app, cache={"cookies": ["session"]})
    code, said = _run(app, proxy)("doctor")
    assert code == 1
    assert "Views\n  mend: " in said
    assert "above: @larder.cached stands above the route" in said
    assert "first @app.route, then @larder.cached" in said


def test_the_doctor_says_what_is_to_be_mended(app: Flask, larder: Callable[..., Proxy]) -> None:
    LoginManager(app)
    proxy = larder(app, cache={"cookies": ["sessionid"]})
    run = _run(app, proxy, SESSION_COOKIE_NAME="shop", LARDER_TOKEN="x")
    code, said = run("doctor", "/")
    assert code == 1
    assert "takes visitors with the cookie shop or remember_token for anonymous ones" in said
    assert "cache.cookies = ['shop', 'remember_token']" in said
    assert "tells visitors apart" not in said
    assert "Flask-Login is there, so every answer says Vary: Cookie" in said


def test_the_doctor_advises_by_the_status(larder: Callable[..., Proxy]) -> None:
    app = Flask(__name__)
    extension = Larder(app)
    app.add_url_rule("/page", "page", lambda: "page")
    app.add_url_rule("/moved", "moved", lambda: redirect("/page"))
    app.add_url_rule("/kept", "kept", extension.cached("1h")(lambda: redirect("/page")))
    app.add_url_rule("/failing", "failing", lambda: ("failing", 500))
    proxy = larder(app, cache={"cookies": ["session"]})
    code, said = _run(app, proxy)("doctor", "/page", "/moved", "/kept", "/nowhere")
    assert code == 0, said
    assert (
        "/page\n  not kept: the response states no lifetime and has no validator\n  - have" in said
    )
    assert "- have its view state a lifetime: @larder.cached(ttl=...). larder keeps" in said
    assert "max_age" not in said
    assert "(status 302)\n  - a redirect mostly need not be kept." in said
    assert "/kept\n  kept, fresh for another" in said
    assert "- cache.negative_ttl in larder.toml has pages kept that are not there, and @l" in said
    code, said = _run(app, proxy)("doctor", "/failing")
    assert (code, "  mend: the app failed with 500: its log says why\n" in said) == (1, True)
    receivers.remove(app.extensions["larder"])


def test_the_doctor_says_that_it_has_found_no_page(larder: Callable[..., Proxy]) -> None:
    app = Flask(__name__)
    app.add_url_rule("/notes/<int:number>", "note", lambda number: "note")
    proxy = larder(app, cache={"cookies": ["session"]})
    code, said = _run(app, proxy)("doctor")
    assert code == 1
    assert "Pages\n  mend: no page found to look at: name some, as `flask larder doctor" in said
    assert _run(app, proxy)("doctor", "/notes/1")[0] == 0


def test_a_token_is_needed_and_said(app: Flask, larder: Callable[..., Proxy]) -> None:
    proxy = larder(app, admin={"token": "a-secret-that-is-long-enough-for-it"})
    code, said = _run(app, proxy)("ping")
    assert code == 1
    assert "LARDER_TOKEN" in said
    assert _run(app, proxy, LARDER_TOKEN="a-secret-that-is-long-enough-for-it")("ping")[0] == 0


def test_what_can_not_be_done_is_said(app: Flask) -> None:
    runner = app.test_cli_runner()
    result = runner.invoke(args=["larder", "warm"])
    assert (result.exit_code, "set LARDER_SITE" in result.output) == (1, True)
    for option in ("--url", "--path", "--prefix"):
        result = runner.invoke(args=["larder", "purge", option, "/notes"])
        assert (result.exit_code, "/notes is a path" in result.output) == (1, True)
        assert "set LARDER_SITE" in result.output
    result = runner.invoke(args=["larder", "outbox"])
    assert (result.exit_code, "Set LARDER_OUTBOX to True" in result.output) == (1, True)
