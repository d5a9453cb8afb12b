"""A running larder: the real binary, on free ports, in front of an application."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlencode, urlsplit

from ..client import Client
from ..errors import LarderError
from ..options import Options
from . import toml
from .apps import App, running
from .responses import Response
from .waiting import DEADLINE, wait_until

# Each lives exactly as long as it says, and is fetched when a test asks for it.
_STEADY = {"LARDER_CACHE__JITTER": "0%", "LARDER_CACHE__EARLY_REFRESH": "0%"}


def find_binary() -> str:
    """The larder that is run: that of LARDER_BINARY, else the one on the PATH.

    Raises LarderError, which says what to do, if there is none.
    """
    named = os.environ.get("LARDER_BINARY")
    found = shutil.which(named or "larder")
    if found is None:
        what = (
            f"LARDER_BINARY={named} can't be run" if named else "there is no `larder` on the PATH"
        )
        raise LarderError(
            f"{what}: build it (`cargo build` in larder's folder, then LARDER_BINARY="
            "target/debug/larder) or install it (`cargo install --path .`)"
        )
    return found


class Larder:
    """Made by `start`, or by the fixture `larder`."""

    def __init__(self, process: subprocess.Popen[str], said: _Said, token: str | None) -> None:
        self._process = process
        self._said = said
        self.url = said.address("listening on ", process)
        """Where visitors connect: `http://127.0.0.1:PORT`, without a slash."""
        self.admin = said.address("admin on ", process)
        """Where its administrator connects."""
        self.options = Options(url=self.admin, token=token, timeout=10)
        """What a Client needs to reach it."""
        self.client = Client(self.options)
        """A client of its admin port."""

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        app: App,
        *,
        toml_file: str | Path | None = None,
        token: str | None = None,
        **config: object,
    ) -> Iterator[Larder]:
        """Runs larder in front of `app` meanwhile.

        `app` is an address, a command with `{port}` in it, or a WSGI or ASGI application. What
        larder is to do is said by keywords (`cache={"default_ttl": "60s"}`), or by a file:
        `toml_file="larder.toml"`, with its admin's `token` if it has one. Its ports, and where
        the application is, are set beside that; lifetimes are not jittered, nor pages fetched
        early. Raises LarderError.
        """
        if toml_file is not None and config:
            raise LarderError("toml_file and keywords exclude each other: put the keys there")
        with running(app) as address, tempfile.TemporaryDirectory() as folder:
            file = Path(toml_file or Path(folder, "larder.toml"))
            if toml_file is None:
                file.write_text(toml.document(config), encoding="utf-8")
            with _process(file, address) as (process, said):
                proxy = cls(process, said, token or _token(config))
                yield proxy
                proxy.client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        timeout: float = DEADLINE,
    ) -> Response:
        """What a visitor gets; redirects are not followed.

        `data` is the body, or the fields of a form. `Host` in `fields` is another site's name.
        """
        sent = dict(fields or {})
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if isinstance(data, Mapping):
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
            data = urlencode(data).encode()
        address = urlsplit(self.url)
        host = next((value for name, value in sent.items() if name.lower() == "host"), None)
        connection = http.client.HTTPConnection(
            str(address.hostname), address.port, timeout=timeout
        )
        with contextlib.closing(connection):
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            body = answer.read()
        url = f"http://{host or address.netloc}{path}"
        return Response(method, url, sent, answer.status, answer.headers, body, self)

    def get(
        self,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Response:
        """`request` by GET."""
        return self.request("GET", path, fields=fields, cookies=cookies)

    def post(
        self,
        path: str,
        data: Mapping[str, str] | bytes = b"",
        *,
        fields: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Response:
        """`request` by POST."""
        return self.request("POST", path, fields=fields, cookies=cookies, data=data)

    def stop(self) -> None:
        """Ends it, as if it had crashed; the ports are refused from then on."""
        self._process.kill()
        self._process.wait()

    @property
    def log(self) -> str:
        """What it has written to standard error so far."""
        return self._said.text()


class _Said:
    """What a process writes to standard error, read by a thread."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            self._lines.extend(stream)

    def text(self) -> str:
        return "".join(list(self._lines))

    def address(self, before: str, process: subprocess.Popen[str]) -> str:
        """The URL that it writes after these words. Raises LarderError if it ends first."""
        pattern = re.compile(re.escape(before) + r"(http://[^\s,]+)")

        def there() -> bool:
            return bool(pattern.search(self.text())) or process.poll() is not None

        wait_until("larder says where it listens", there, self.text)
        found = pattern.search(self.text())
        if found is None:
            process.wait()
            self._thread.join(DEADLINE)
            raise LarderError(f"larder ended with {process.returncode}:\n{self.text()}")
        return found[1]


@contextlib.contextmanager
def _process(file: Path, address: str) -> Iterator[tuple[subprocess.Popen[str], _Said]]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LARDER_")}
    placed = {
        "LARDER_LISTEN": "127.0.0.1:0",
        "LARDER_ADMIN__LISTEN": "127.0.0.1:0",
        "LARDER_ORIGIN__TO": address,
        "LARDER_LOG__ACCESS": "off",
        "LARDER_LOG__LEVEL": "info",
    }
    process = subprocess.Popen(
        [find_binary(), "run", "--config", str(file.resolve())],
        env=own | _STEADY | placed,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert process.stderr is not None
    try:
        yield process, _Said(process.stderr)
    finally:
        process.kill()
        process.wait()


def _token(config: Mapping[str, object]) -> str | None:
    admin = config.get("admin")
    token = admin.get("token") if isinstance(admin, Mapping) else config.get("admin.token")
    return token if isinstance(token, str) and token != "off" else None  # noqa: S105
