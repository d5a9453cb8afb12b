"""The proxy is down, slow, or answers nonsense: no page fails, and none waits."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

pytest.importorskip("flask_sqlalchemy")

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from flask import Flask
from larder_client.flask import Larder
from larder_client.sqlalchemy import receivers

db = SQLAlchemy()


class Entry(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(80))


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that answers everything with these bytes; None: it is never heard of."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        held = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in held:
            connection.close()


def _status(line: str) -> bytes:
    return f"HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


ANSWERS: dict[str, tuple[bytes | None, str]] = {
    "slow": (None, "took longer than 0.2 s"),
    "401": (_status("401 Unauthorized"), "LARDER_TOKEN in the environment"),
    "403": (_status("403 Forbidden"), "whose scope covers this"),
    "404": (_status("404 Not Found"), "admin.listen in larder.toml"),
    "500": (_status("500 Internal Server Error"), "status 500"),
    "an empty page": (_status("200 OK"), "without larder's document"),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello", "without larder's document"),
    "nonsense": (b"\x00\xff\r\n\r\n", "no answer of HTTP"),
    "an end": (b"", "can't be reached"),
}


@pytest.mark.parametrize("name", ["down", *ANSWERS])
def test_no_page_fails_or_waits(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    answer, said = ANSWERS.get(name, (b"", "can't be reached"))
    with answering(answer) as url:
        if name == "down":
            with closing(socket.create_server(("127.0.0.1", 0))) as closed:
                url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        app = _app(url)
        client = app.test_client()
        began = time.monotonic()
        for _ in range(5):
            assert client.post("/").status_code == 200
            assert client.get("/").text.isdigit()
        assert time.monotonic() - began < 2, "requests don't wait for it"
        state = app.extensions["larder"]
        state.sender.close(3)
        receivers.remove(state)
    assert said in caplog.text
    result = app.test_cli_runner().invoke(args=["larder", "purge", "--all"])
    assert result.exit_code == 1
    assert "Nothing was purged." in result.output
    assert app.test_cli_runner().invoke(args=["larder", "ping"]).exit_code == 1
    assert app.test_cli_runner().invoke(args=["larder", "doctor"]).exit_code == 1


def _app(url: str) -> Any:
    app = Flask(__name__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI="sqlite://",
        LARDER_URL=url,
        LARDER_TIMEOUT=0.2,
        LARDER_ATTEMPTS=2,
    )
    db.init_app(app)
    Larder(app)
    with app.app_context():
        db.create_all()

    @app.route("/", methods=["GET", "POST"])
    def entries() -> str:
        db.session.add(Entry(text="x"))
        db.session.commit()
        return str(db.session.query(Entry).count())

    return app
