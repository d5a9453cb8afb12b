"""A real Wagtail site: examples/wagtail-site under gunicorn, with the real larder in front."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from wagtail_browser import Browser, Page
from wagtail_switch import Switch

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[3] / "examples" / "wagtail-site"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(condition: Callable[[], object], seconds: float = 15, what: str = "") -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.02)


class Site:
    """A site of its own: database, gunicorn, larder."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.app_port, self.port, self.admin_port = free_port(), free_port(), free_port()
        #: What stands between the site and larder's admin port.
        self.switch = Switch(self.admin_port)
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "PYTHONPATH": os.pathsep.join([str(EXAMPLE), str(HERE)]),
            "SITE_DATA": str(data),
            "LARDER_URL": f"http://127.0.0.1:{self.switch.port}",
            **environment,
        }
        self.gunicorn: subprocess.Popen[bytes] | None = None
        self.larder: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.start_larder()
        self.run(str(HERE / "site_setup.py"), f"127.0.0.1:{self.port}")
        self.start_app()

    def start_app(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "mysite.wsgi", "--workers=1", "--threads=8"]
        self.gunicorn = subprocess.Popen(
            [*command, f"--bind=127.0.0.1:{self.app_port}", "--log-level=warning"],
            env=self.environment,
            cwd=self.data,
            stderr=(self.data / "gunicorn.log").open("ab"),
        )
        eventually(lambda: answers(self.app_port), 60, "gunicorn answers")

    def start_larder(self) -> None:
        self.larder = subprocess.Popen(
            [
                *(binary(), "run", f"--config={EXAMPLE / 'larder.toml'}"),
                *(f"--to=127.0.0.1:{self.app_port}", f"--listen=127.0.0.1:{self.port}"),
                f"--admin=127.0.0.1:{self.admin_port}",
            ],
            env={name: value for name, value in os.environ.items() if "LARDER_" not in name},
            cwd=self.data,
            stdout=subprocess.DEVNULL,
            stderr=(self.data / "larder.log").open("ab"),
        )
        eventually(lambda: answers(self.port) and answers(self.admin_port), 30, "larder answers")

    def stop(self) -> None:
        if self.worker is not None:
            self.worker.stdin.close()
            self.worker.wait(20)
        for process in (self.gunicorn, self.larder):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (self.gunicorn, self.larder):
            if process is not None:
                process.wait(20)

    def run(self, *arguments: str) -> None:
        """Runs Python in the site's settings, in a process of its own."""
        done = subprocess.run(
            [sys.executable, *arguments], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr

    def shell(self, code: str) -> list:
        """Runs a snippet beside the site, as a command would; gives what it puts into `said`.

        It finds the names of `site_names`. When it returns, larder has been told.
        """
        if self.worker is None:
            self.worker = self.new_worker()
        answer = json.loads(self.tell(self.worker, code).readline())
        assert not answer["failure"], answer["failure"]
        return answer["said"]

    def new_worker(self) -> subprocess.Popen[str]:
        """A process beside the site, which runs what it is told."""
        return subprocess.Popen(
            [sys.executable, str(HERE / "site_worker.py")],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.data / "worker.log").open("a"),
            text=True,
        )

    @staticmethod
    def tell(worker: subprocess.Popen[str], code: str) -> IO[str]:
        """Has a worker run something; gives where it will say what came of it."""
        worker.stdin.write(json.dumps(textwrap.dedent(code)) + "\n")
        worker.stdin.flush()
        return worker.stdout

    def visitor(self) -> Browser:
        return Browser("127.0.0.1", self.port)

    def read(self, path: str, **headers: str) -> Page:
        """What an anonymous reader gets through larder."""
        return self.visitor().get(path, **headers)

    def kept(self, *paths: str) -> None:
        """Has larder keep these pages, once no purge of before is on its way any more."""
        # Of each round in which all were kept, one after another: the last purge until then.
        rounds: list[object] = []

        def nothing_changes() -> bool:
            before = self.last_purge()
            if all(self.read(path).is_hit for path in paths) and self.last_purge() == before:
                rounds.append(before)
            else:
                rounds.clear()
            return len(rounds) >= 5 and rounds[-5] == before

        eventually(nothing_changes, what=f"{', '.join(paths)} are kept")

    def last_purge(self) -> object:
        """The number of the newest purge."""
        return next((purge["number"] for purge in self.purges()), None)

    def purges(self) -> list[dict]:
        """What larder has been told to forget, the newest first."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/v1/purges") as answer:
            return list(json.load(answer)["purges"])

    def failures(self) -> list[str]:
        """What larder's packages have logged as an error of theirs."""
        lines = [line for log in self.data.glob("*.log") for line in log.read_text().splitlines()]
        return [line for line in lines if "cannot be worked out" in line or "please report" in line]


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def binary() -> str:
    found = os.environ.get("LARDER_BINARY") or shutil.which("larder")
    assert found, "set LARDER_BINARY to the larder that is to be tested"
    return found


def logged_in(site: Site, past_larder: bool = False) -> Browser:
    browser = Browser("127.0.0.1", site.app_port if past_larder else site.port)
    browser.submit("/admin/login/", "login", username="admin", password="admin")
    return browser
