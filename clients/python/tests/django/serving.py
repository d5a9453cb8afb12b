"""A Django project under a real server, with a real larder in front."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path

from larder_client.testing import Larder, Response
from larder_client.testing.waiting import wait_until

PROJECT = Path(__file__).parent / "project"
BLOG = Path(__file__).parents[4] / "examples" / "django-blog"
#: How larder is configured, unless a test says more.
PROXY = {"preset": "django"}


@dataclass
class Site:
    """A project that is being served."""

    larder: Larder
    #: What its processes have in their environment.
    environment: dict[str, str]
    folder: Path
    #: What its server has written so far.
    said: Callable[[], str] = str

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py`, in a process of its own as an operator does."""
        command = [sys.executable, "-m", "django", *words]
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=180,
        )


@contextlib.contextmanager
def served(
    server: str,
    *,
    project: Path = PROJECT,
    module: str = "larder_site",
    toml_file: Path | None = None,
    config: Mapping[str, object] = PROXY,
    environment: dict[str, str] | None = None,
) -> Iterator[Site]:
    """Runs a project by `gunicorn` or `uvicorn`, with its database migrated, behind larder."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        path = f"{folder}/app.sock"
        said = {"toml_file": toml_file} if toml_file else config
        larder = stack.enter_context(Larder.start(f"unix:{path}", **said))
        own = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"{module}.settings",
            "PYTHONPATH": str(project),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for prefix in ("SITE", "BLOG"):
            own |= {
                f"{prefix}_DB": f"{folder}/site.sqlite3",
                f"{prefix}_LARDER": larder.admin,
                f"{prefix}_URL": larder.url,
                f"{prefix}_SITE": larder.url,
            }
        own |= environment or {}
        site = Site(larder, own, project)
        migrated = site.manage("migrate", "--verbosity=0")
        assert migrated.returncode == 0, migrated.stderr
        site.said = stack.enter_context(_server(server, module, path, own, project))
        yield site


@contextlib.contextmanager
def _server(
    server: str, module: str, path: str, environment: dict[str, str], project: Path
) -> Iterator[Callable[[], str]]:
    command = {
        "gunicorn": [f"{module}.wsgi", "--bind", f"unix:{path}", "--workers=2", "--threads=4"],
        "uvicorn": [f"{module}.asgi:application", "--uds", path, "--log-level=warning"],
    }[server]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", server, *command],
            env=environment,
            cwd=project,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )

        def said() -> str:
            log.seek(0)
            return log.read().decode(errors="replace")

        def listens() -> bool:
            assert process.poll() is None, said()
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
                return True
            return False

        try:
            wait_until(f"{server} listens", listens, said)
            yield said
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class Visitor:
    """A browser's cookies, and the forms that it fills in."""

    larder: Larder
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Response:
        """A page; cookies that it sets are kept."""
        return self._keep(self.larder.get(path, cookies=self.cookies))

    def post(self, path: str, **data: str) -> Response:
        """What a form sends; the redirect is not followed."""
        # Django asks for it: forms come from where the site is.
        fields = {"Origin": self.larder.url}
        return self._keep(self.larder.post(path, data, cookies=self.cookies, fields=fields))

    def submit(self, page: Response, path: str, **data: str) -> Response:
        """Sends the form of a page, with its token."""
        return self.post(path, csrfmiddlewaretoken=token_of(page), **data)

    def log_in(self, name: str, password: str) -> None:
        """Logs in by the admin's form."""
        page = self.get("/admin/login/")
        data = {"username": name, "password": password, "next": "/admin/"}
        answer = self.submit(page, "/admin/login/", **data)
        assert answer.status == 302, answer.text
        assert "sessionid" in self.cookies

    def _keep(self, response: Response) -> Response:
        for line in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value:
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return response


def token_of(page: Response) -> str:
    """The token in the form of a page."""
    found = re.search('name="csrfmiddlewaretoken" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


def keep(larder: Larder, path: str) -> None:
    """Has a page stored. What was written last is purged by the admin port too, a moment later."""
    wait_until(f"{path} is kept", lambda: larder.get(path).is_hit)
