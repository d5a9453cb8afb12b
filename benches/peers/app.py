"""An app with and without the cache: the Django blog of tests/apps, served by gunicorn."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import tools
from clients import raw
from running import Running, free_port

ROOT = Path(__file__).parents[2]
BLOG = ROOT / "tests/apps/django_blog"
PAGE = "/articles/1/"


def python():
    """The one that has Django; None if there is none."""
    path = shutil.which(os.environ.get("LARDER_TEST_PYTHON", ROOT / ".venv/bin/python"))
    tried = [path, "-c", "import django, gunicorn"]
    return path if path and subprocess.run(tried, capture_output=True).returncode == 0 else None


def gunicorn(path, folder):
    """The blog, with some articles, on the servers' core."""
    environment = {**os.environ, "BLOG_DB": str(folder / "blog.sqlite3")}
    for command in ("migrate", "seed"):
        subprocess.run(
            [path, BLOG / "manage.py", command], env=environment, check=True, capture_output=True
        )
    port = free_port()
    words = [path, "-m", "gunicorn", "--no-control-socket", "--chdir", BLOG, "--workers", "2"]
    words += ["--worker-class", "gthread", "--threads", "4", "--bind", f"127.0.0.1:{port}"]
    words += ["--keep-alive", "5", "django_blog.wsgi:application"]
    return Running(words, port, folder, tools.SERVER, environment)


def larder(program, app, folder):
    """With the configuration for Django that comes with it, and a lifetime for its pages."""
    port = free_port()
    environment = {
        **os.environ,
        "LARDER_LISTEN": f"127.0.0.1:{port}",
        "LARDER_ORIGIN__TO": f"127.0.0.1:{app.port}",
        "LARDER_ADMIN__LISTEN": f"127.0.0.1:{free_port()}",
        "LARDER_LOG__ACCESS": "off",
        "LARDER_THREADS": "1",
        "LARDER_CACHE__DEFAULT_TTL": "60s",
    }
    words = [program, "run", "--config", ROOT / "config/django.toml"]
    return Running(words, port, folder, tools.SERVER, environment)


def measure(found, folder, arguments):
    """Rows of requests a second, times and CPU, each a name and its cells."""
    path = python()
    if not path or "larder" not in found:
        print("Django is not measured: make setup", file=sys.stderr)
        return []
    for name in ("app", "larder"):
        (folder / name).mkdir(parents=True)
    with gunicorn(path, folder / "app") as app:
        with larder(found["larder"], app, folder / "larder") as cache:
            return rows(app, cache, arguments)


def rows(app, cache, arguments):
    told = {"gunicorn alone": [], "larder in front of it": []}
    for port in (app.port, cache.port):
        if not re.match(rb"HTTP/1.1 200 ", raw(port, PAGE)[0]):
            raise RuntimeError(f"{PAGE} is not answered")
    for _ in range(arguments.times):
        for name, port in zip(told, (app.port, cache.port)):
            before = app.cpu() + cache.cpu()
            one = tools.wrk(port, PAGE, arguments.seconds)
            one["cpu"] = (app.cpu() + cache.cpu() - before) / one["requests"] * 1e6
            told[name].append(one)
    return list(told.items())
