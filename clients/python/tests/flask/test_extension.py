"""The extension in an application: what its answers say, and what it has purged."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("flask_sqlalchemy")

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import Unauthorized
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask import Blueprint, Flask, Response, abort, redirect, request, session, stream_with_context
from larder_client import ConfigurationError, Purge
from larder_client.flask import Larder, State
from larder_client.sqlalchemy import receivers
from larder_client.testing import Recorder

db = SQLAlchemy()
larder = Larder()


class Note(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(80))


bp = Blueprint("notes", __name__)


@bp.get("/notes/<int:number>")
@larder.cached("5m", swr=30, sie="1d", tags=lambda number: [f"page:{number}"])
def note(number: int) -> str:
    return str(db.get_or_404(Note, number).text)


@bp.get("/notes")
@larder.cached(60)
def notes() -> list[str]:
    return [one.text for one in db.session.scalars(select(Note))]


@bp.post("/notes/<int:number>")
def save(number: int) -> Any:
    found = db.session.get(Note, number) or Note(id=number)
    found.text = request.form["text"]
    db.session.add(found)
    if found.text == "no":
        db.session.rollback()
        abort(400)
    db.session.commit()
    if found.text == "crash":
        raise RuntimeError("after the commit")
    return redirect("/notes", 303)


def make_app(**config: Any) -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="x",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        LARDER_URL="http://127.0.0.1:1",
        LARDER_ENABLED=True,
        **config,
    )
    db.init_app(app)
    larder.init_app(app)
    app.register_blueprint(bp)
    with app.app_context():
        db.create_all()
        db.session.add(Note(id=1, text="first"))
        db.session.commit()
    state(app).sender.close(0)
    state(app).sender = Recorder(state(app).settings.options)
    return app


def state(app: Flask) -> State:
    found = app.extensions["larder"]
    assert isinstance(found, State)
    return found


def recorder(app: Flask) -> Recorder:
    found = state(app).sender
    assert isinstance(found, Recorder)
    return found


@pytest.fixture
def app() -> Iterator[Flask]:
    made = make_app()
    yield made
    receivers.remove(state(made))


def tags(response: Any) -> set[str]:
    return set(filter(None, response.headers.get("Cache-Tag", "").split(",")))


def test_a_page_bears_its_tags_and_its_lifetime(app: Flask) -> None:
    for method in ("get", "head"):
        response = getattr(app.test_client(), method)("/notes/1")
        assert tags(response) == {"note:1", "note:rows", "page:1"}
        lifetime = "max-age=300, stale-while-revalidate=30, stale-if-error=86400"
        assert response.headers["Larder-Cache-Control"] == lifetime
        assert response.headers["Cache-Control"] == "no-cache"
    assert tags(app.test_client().get("/notes")) == {"note:list"}


def test_a_page_that_is_not_there_is_kept_until_it_is(app: Flask) -> None:
    response = app.test_client().get("/notes/7")
    assert response.status_code == 404
    assert "max-age=300" in response.headers["Larder-Cache-Control"]
    app.test_client().post("/notes/7", data={"text": "now it is"})
    assert tags(response) & recorder(app).purge.tags


def test_what_abort_makes_is_no_stream(app: Flask) -> None:
    @app.get("/untagged/<int:number>")
    @larder.cached(60)
    def untagged(number: int) -> str:
        return str(db.get_or_404(Note, number).text)

    response = app.test_client().get("/untagged/7")
    assert response.headers["Larder-Cache-Control"] == "max-age=60"
    assert tags(response) == {"note:7", "note:rows"}


def test_an_unsafe_request_says_what_it_has_changed(app: Flask) -> None:
    response = app.test_client().post("/notes/1", data={"text": "second"})
    said = response.headers["X-LiteSpeed-Purge"]
    written = {f"tag=public:note{rest}" for rest in ("", ":1", ":list", ":lists")}
    assert set(said.split(",")) == written
    assert response.headers["Cache-Group-Invalidation"].startswith('"')
    recorder(app).assert_purged(tags=["note:1", "note:list", "note"])
    assert "Larder-Cache-Control" not in response.headers


def test_what_the_view_has_larder_forget_is_said_too(app: Flask) -> None:
    @app.post("/hand-written")
    def view() -> Response:
        larder.purge_tags("note:1")
        own = [("X-LiteSpeed-Purge", line) for line in ("private,tag=x", "/legacy")]
        return Response("done", headers=[*own, ("Cache-Group-Invalidation", '"legacy"')])

    headers = app.test_client().post("/hand-written").headers
    assert headers.getlist("X-LiteSpeed-Purge") == ["private,tag=x;/legacy;tag=public:note:1"]
    (groups,) = headers.getlist("Cache-Group-Invalidation")
    assert groups.startswith('"legacy", "')


def test_what_is_rolled_back_is_not_said(app: Flask) -> None:
    response = app.test_client().post("/notes/1", data={"text": "no"})
    assert response.status_code == 400
    assert "X-LiteSpeed-Purge" not in response.headers
    recorder(app).assert_nothing_purged()


def test_an_error_after_the_commit_is_purged_all_the_same(app: Flask) -> None:
    response = app.test_client().post("/notes/1", data={"text": "crash"})
    assert response.status_code == 500
    assert "X-LiteSpeed-Purge" not in response.headers, "larder heeds no failure"
    recorder(app).assert_purged(tags=["note:1"])
    assert not tags(response)


def test_requests_do_not_see_each_others(app: Flask) -> None:
    with app.app_context():  # as in suites of tests: one context around several requests
        client = app.test_client()
        client.post("/notes/2", data={"text": "x"})
        db.session.remove()
        assert tags(client.get("/notes/1")) == {"note:1", "note:rows", "page:1"}
        db.session.remove()
        assert "note:2" not in client.post("/notes/1", data={"text": "y"}).headers.get(
            "X-LiteSpeed-Purge", ""
        )


def test_a_session_that_outlives_its_request_is_said(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        kept = db.session.get(Note, 1)
        response = app.test_client().get("/notes/1")
        assert "note" in tags(response)
        assert "Close sessions" in caplog.text
        assert kept is not None


def test_tags_and_purges_by_hand(app: Flask) -> None:
    @app.route("/hand", methods=["GET", "POST"])
    def hand() -> str:
        larder.record("menu", "two words")
        if request.method == "POST":
            larder.purge_tags("menu")
            larder.purge_urls("http://shop.example/a", soft=True)
            recorder(app).assert_nothing_purged()  # not before the view has ended
        return "x"

    assert tags(app.test_client().get("/hand")) == {"menu", "two%20words"}
    response = app.test_client().post("/hand")
    assert response.headers["X-LiteSpeed-Purge"] == "tag=public:menu"
    recorder(app).assert_purged(tags=["menu"], urls=["http://shop.example/a"])
    recorder(app).clear()
    with app.app_context():
        larder.purge_tags("menu", soft=True)
        assert recorder(app).purge == Purge(tags=frozenset({"menu"}), soft=True)
    larder.record("nothing happens")


def test_a_commit_outside_of_requests(app: Flask) -> None:
    with app.app_context():
        db.session.add(Note(id=5, text="x"))
        db.session.commit()
    recorder(app).assert_purged(tags=["note:5", "note", "note:list"])


def test_two_applications_of_one_process(app: Flask) -> None:
    other = make_app(LARDER_SOFT=True, LARDER_HASH_TAGS=True)
    try:
        app.test_client().post("/notes/1", data={"text": "a"})
        recorder(other).assert_nothing_purged()
        recorder(app).clear()
        mounted = DispatcherMiddleware(app.wsgi_app, {"/other": other})  # type: ignore[arg-type]
        app.wsgi_app = mounted  # type: ignore[method-assign]
        response = app.test_client().get("/other/notes/1")
        assert len(tags(response)) == 3
        assert all(len(tag) == 11 for tag in tags(response))
        app.test_client().post("/other/notes/1", data={"text": "b"})
        recorder(app).assert_nothing_purged()
        assert recorder(other).purge.soft
    finally:
        receivers.remove(state(other))


def test_a_commit_of_no_application_is_told_to_all(app: Flask) -> None:
    with app.app_context():
        engine = db.engine

    def work() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM note")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    recorder(app).assert_purged(tags=["note", "note:rows"])


def test_async_views(app: Flask) -> None:
    pytest.importorskip("asgiref")

    @app.get("/async")
    @larder.cached(60)
    async def view() -> str:
        await asyncio.sleep(0)
        found = db.session.get(Note, 1)
        larder.record("by-hand")
        return str(found and found.text)

    @app.post("/async")
    async def change() -> str:
        found = db.session.get(Note, 1)
        assert found is not None
        found.text = "by async"
        db.session.commit()
        return "x"

    response = app.test_client().get("/async")
    assert tags(response) == {"note:1", "note:rows", "by-hand"}
    assert response.headers["Larder-Cache-Control"] == "max-age=60"
    assert "note:1" in app.test_client().post("/async").headers["X-LiteSpeed-Purge"]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_errors_are_not_kept(app: Flask, status: int) -> None:
    @app.get("/error")
    @larder.cached(60)
    def error() -> None:
        abort(status)

    response = app.test_client().get("/error")
    assert response.status_code == status
    assert "Larder-Cache-Control" not in response.headers


def test_what_the_view_says_of_itself_stands(app: Flask) -> None:
    @app.get("/own/<directive>")
    @larder.cached(60)
    def own(directive: str) -> Response:
        return Response("x", headers={"Cache-Control": directive, "Cache-Tag": "own"})

    client = app.test_client()
    for directive in ("private", "no-store", "private, max-age=3"):
        response = client.get(f"/own/{directive}")
        assert response.headers["Larder-Cache-Control"] == "no-store"
        assert response.headers["Cache-Control"] == directive
    response = client.get("/own/max-age=7")
    assert response.headers["Larder-Cache-Control"] == "max-age=60"
    assert response.headers["Cache-Control"] == "max-age=7"
    assert tags(response) == {"own"}


def rows() -> Iterator[str]:
    for one in db.session.scalars(select(Note)):
        yield one.text


def test_streams(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/stream")
    @larder.cached(60)
    def stream() -> Response:
        return Response(stream_with_context(rows()))

    @app.get("/tagged-stream")
    @larder.cached(60, tags=["note", "note:rows"])
    def tagged() -> Response:
        return Response(stream_with_context(rows()))

    response = app.test_client().get("/stream")
    assert response.text == "first"
    assert response.headers["Larder-Cache-Control"] == "no-store"
    assert "comes too late for tags" in caplog.text
    response = app.test_client().get("/tagged-stream")
    assert response.headers["Larder-Cache-Control"] == "max-age=60"
    assert tags(response) == {"note", "note:rows"}


def test_what_streams_without_a_lifetime_is_not_kept_by_larders_default(app: Flask) -> None:
    @app.get("/stream")
    def stream() -> Response:
        return Response(stream_with_context(rows()))

    @app.get("/named")
    def named() -> Response:
        larder.record("note", "note:rows")
        return Response(iter(["a", "b"]))

    assert app.test_client().get("/stream").headers["Larder-Cache-Control"] == "no-store"
    assert "Larder-Cache-Control" not in app.test_client().get("/named").headers


def test_what_streams_may_look_at_the_session_yet(app: Flask) -> None:
    @app.get("/stream")
    @larder.cached(60, tags=["note"])
    def stream() -> Response:
        return Response(stream_with_context(f"for {session.get('user')}" for _ in range(1)))

    response = app.test_client().get("/stream")
    assert response.text == "for None"
    assert response.headers["Larder-Cache-Control"] == "max-age=60"
    assert response.headers["Vary"] == "Cookie"


@pytest.mark.parametrize("error", [RuntimeError("the database is away"), Unauthorized()])
@pytest.mark.parametrize("status", [200, 302, 500])
def test_what_is_made_of_a_views_error_is_not_kept(
    app: Flask, error: Exception, status: int
) -> None:
    @app.errorhandler(type(error))
    def sorry(_: Exception) -> tuple[str, int, dict[str, str]]:
        return "another time", status, {"Location": "/login"}

    @app.get("/fails")
    @larder.cached(60)
    def fails() -> str:
        raise error

    @app.get("/fails-async")
    @larder.cached(60)
    async def fails_async() -> str:
        raise error

    for path in ("/fails", "/fails-async"):
        response = app.test_client().get(path)
        assert response.status_code == status
        assert response.headers.get("Larder-Cache-Control", "no-store") == "no-store"
        assert ("Larder-Cache-Control" in response.headers) == (status < 400)


def test_what_is_raised_about_the_page_itself_is_kept(app: Flask) -> None:
    @app.get("/there/<path:where>")
    @larder.cached(60)
    def there(where: str) -> str:
        if where == "gone":
            abort(410)
        abort(redirect(f"/{where}"))

    for where, status in (("gone", 410), ("here", 302)):
        response = app.test_client().get(f"/there/{where}")
        assert response.status_code == status
        assert response.headers["Larder-Cache-Control"] == "max-age=60"


@pytest.mark.parametrize(
    "lines",
    [
        [("Cache-Control", "max-age=7"), ("Cache-Control", "private")],
        [("Vary", "Accept"), ("Vary", "*")],
    ],
)
def test_all_lines_of_a_field_count(app: Flask, lines: list[tuple[str, str]]) -> None:
    @app.get("/lines")
    @larder.cached(60)
    def answer() -> Response:
        response = Response("for one visitor")
        for name, value in lines:
            response.headers.add(name, value)
        return response

    assert app.test_client().get("/lines").headers["Larder-Cache-Control"] == "no-store"


def test_tags_of_the_view_in_several_lines_stay(app: Flask) -> None:
    @app.get("/lines")
    @larder.cached(60, tags=["c"])
    def answer() -> Response:
        return Response("page", headers=[("Cache-Tag", "a"), ("Cache-Tag", "b")])

    assert tags(app.test_client().get("/lines")) == {"a", "b", "c"}


def test_more_tags_than_a_head_takes_are_left_out_and_the_answer_is_not_kept(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/many")
    @larder.cached(60)
    def many() -> Response:
        return Response("page", headers={"Cache-Tag": ",".join(map(str, range(20_000)))})

    response = app.test_client().get("/many")
    assert response.status_code == 200
    assert response.headers["Larder-Cache-Control"] == "no-store"
    assert "Cache-Tag" not in response.headers
    assert "give it fewer" in caplog.text


def test_after_request_functions_of_others_are_seen(app: Flask) -> None:
    @app.after_request
    def private(response: Response) -> Response:
        response.cache_control.private = True
        return response

    assert app.test_client().get("/notes").headers["Larder-Cache-Control"] == "no-store"


def test_a_page_that_looks_at_the_session_says_so(app: Flask) -> None:
    @app.get("/me")
    @larder.cached(60)
    def me() -> str:
        return str(session.get("name"))

    assert app.test_client().get("/me").headers["Vary"] == "Cookie"


def test_tags_that_can_not_be_used_keep_a_page_out(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def bad_tags(kind: str) -> Any:
        return {"raises": lambda: 1 / 0, "string": lambda: "abc", "number": lambda: [1]}[kind]()

    @app.get("/bad/<kind>")
    @larder.cached(60, tags=bad_tags)
    def bad(kind: str) -> str:
        return "still a page"

    for kind in ("raises", "string", "number"):
        response = app.test_client().get(f"/bad/{kind}")
        assert response.text == "still a page"
        assert response.headers["Larder-Cache-Control"] == "no-store"
    assert caplog.text.count("can't be used") == 3


def test_mistakes_are_said_where_they_stand(app: Flask) -> None:
    with pytest.raises(ValueError, match=r'write seconds, a timedelta, or a text as "90s"'):
        larder.cached("soon")
    with pytest.raises(TypeError, match="a list of tags, not the string 'abc'"):
        larder.cached(60, tags="abc")
    with pytest.raises(ValueError, match="at least one character"):
        larder.cached(60, tags=[""])
    with pytest.raises(ConfigurationError, match="has a larder already"):
        larder.init_app(app)
    with Flask("bare").app_context(), pytest.raises(ConfigurationError, match=r"init_app\(app\)"):
        larder.purge_tags("x")


def test_a_view_of_an_application_without_larder(caplog: pytest.LogCaptureFixture) -> None:
    bare = Flask("bare")
    bare.add_url_rule("/", view_func=larder.cached(60)(lambda: "x"))
    response = bare.test_client().get("/")
    assert response.text == "x"
    assert "Larder-Cache-Control" not in response.headers
    assert "no larder.init_app(app)" in caplog.text


def test_too_many_tags_keep_a_page_out(app: Flask) -> None:
    @app.get("/many")
    @larder.cached(60)
    def many() -> str:
        larder.record(*(f"a-long-name-for-a-tag-{number}" for number in range(10_000)))
        return "x"

    assert app.test_client().get("/many").headers["Larder-Cache-Control"] == "no-store"


def test_an_error_of_our_own_is_not_the_pages(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("larder_client.answer.emit", fail)
    response = app.test_client().get("/notes/1")
    assert response.text == "first"
    assert response.headers["Larder-Cache-Control"] == "no-store"
    assert [one.levelno for one in caplog.records] == [logging.ERROR]


def test_disabled_nothing_is_sent_and_all_is_recorded() -> None:
    app = make_app()
    receivers.remove(state(app))
    off = Flask("off")
    off.config.update(LARDER_ENABLED=False, SQLALCHEMY_DATABASE_URI="sqlite://")
    db.init_app(off)
    larder.init_app(off)
    off.register_blueprint(bp)
    with off.app_context():
        db.create_all()
    client = off.test_client()
    assert "X-LiteSpeed-Purge" not in client.post("/notes/1", data={"text": "x"}).headers
    assert "note:1" in tags(client.get("/notes/1"))
    assert state(off).sender.flush(0)
    receivers.remove(state(off))
