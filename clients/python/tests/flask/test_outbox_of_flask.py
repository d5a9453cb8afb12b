"""`LARDER_OUTBOX`, with Flask-SQLAlchemy and with an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flask_sqlalchemy")

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, inspect, text

from flask import Flask
from larder_client import ConfigurationError, Purge
from larder_client.flask import Larder
from larder_client.sqlalchemy import receivers
from larder_client.testing import Recorder


@pytest.fixture(autouse=True)
def _told_no_more() -> Iterator[None]:
    before = list(receivers._receivers)
    yield
    receivers._receivers[:] = before


def _app(**config: Any) -> Flask:
    app = Flask(__name__)
    app.config.update(LARDER_OUTBOX=True, LARDER_URL="http://127.0.0.1:1", **config)
    return app


def test_an_engine_and_the_commands(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/shop.sqlite3")
    app = _app()
    Larder(app, db=engine)
    run = app.test_cli_runner().invoke
    result = run(args=["larder", "outbox"])
    assert (result.exit_code, "`flask larder outbox --create` makes it" in result.output) == (
        1,
        True,
    )
    assert run(args=["larder", "outbox", "--create"]).output == "0 purges wait\n"
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a int)"))
    with app.app_context(), engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    assert run(args=["larder", "outbox"]).output == "1 purge waits\n"
    result = run(args=["larder", "outbox", "--deliver"])
    assert result.exit_code == 1
    assert "what waits is kept" in result.output
    assert run(args=["larder", "outbox"]).output == "1 purge waits\n"
    app.extensions["larder"].sender.close(0)


def test_flask_sqlalchemy_makes_the_table_with_the_others() -> None:
    app = _app(SQLALCHEMY_DATABASE_URI="sqlite://")
    db = SQLAlchemy(app)
    larder = Larder(app)
    state = app.extensions["larder"]
    state.sender = recorder = Recorder()
    with app.app_context():
        db.create_all()
        assert inspect(db.engine).has_table("larder_outbox")
        db.session.execute(text("CREATE TABLE t (a int)"))
        db.session.execute(text("INSERT INTO t VALUES (1)"))
        db.session.commit()
        assert state.outbox.count() == 1
        recorder.assert_purged(tags=["t"])
        larder.purge(Purge(everything=True))
        assert recorder.purge.everything


def test_an_outbox_needs_a_database() -> None:
    with pytest.raises(ConfigurationError, match=r"call db.init_app\(app\) before larder.init_app"):
        Larder(_app())
    with pytest.raises(ConfigurationError, match="LARDER_OUTBOX.* needs SQLAlchemy"):
        Larder(_app(LARDER_SQLALCHEMY=False))


def test_without_sqlalchemy_only_named_tags_count() -> None:
    app = _app(LARDER_SQLALCHEMY=False, SQLALCHEMY_DATABASE_URI="sqlite://")
    app.config["LARDER_OUTBOX"] = False
    before = list(receivers._receivers)
    larder = Larder(app)
    assert receivers._receivers == before

    @app.get("/")
    @larder.cached(60, tags=["start"])
    def start() -> str:
        return "x"

    assert app.test_client().get("/").headers["Cache-Tag"] == "start"
