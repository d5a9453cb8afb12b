"""What recording the ORM's reads costs a page of 200 objects.

    pip install ./clients/python Django && python clients/python/benches/orm_reads.py

The page is a Django view with a template: 200 articles with their authors (`select_related`) in a
table, from a SQLite file. It is asked for through Django's WSGI handler, in turns with and without
the recording (hooks, collecting, and the `Cache-Tag` field), so that what else the machine does
meets both. Printed is the median of what a pair differs by, in process time, with quartiles.
`--check 5` ends with 1 if that is above 5 percent.

On a busy two-core machine, 120 pairs (quartiles are that wide because it was busy):

    Django 4.2, Python 3.10: 26.6 ms, with recording 27.3 ms; +2.6 % (-1.6 to +6.8)
    Django 5.2, Python 3.11: 16.1 ms, with recording 16.2 ms; +1.4 % (-1.5 to +4.1)
    Django 6.1, Python 3.12: 17.3 ms, with recording 17.3 ms; +0.6 % (-2.2 to +3.6)
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings

import django

TEMPLATE = """<!doctype html><title>{{ title }}</title><table>{% for article in articles %}
<tr><td><a href="/articles/{{ article.slug }}/">{{ article.title }}</a></td>
<td>{{ article.author.name }}</td><td>{{ article.published|date:"j F Y" }}</td>
<td>{{ article.summary|truncatewords:12 }}</td></tr>{% endfor %}</table>"""


def configure(folder: Path) -> None:
    """A site of one page."""
    settings.configure(
        SECRET_KEY="bench",  # noqa: S106
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "bench.sqlite3"}
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": [("django.template.loaders.cached.Loader", [LOADER])]},
            }
        ],
        LARDER={"ENABLED": False},
    )
    django.setup()


LOADER = ("django.template.loaders.locmem.Loader", {"articles.html": TEMPLATE})

with_larder = False
urlpatterns: list[Any] = []


def site(rows: int) -> None:
    """The models, the rows and the view."""
    from django.db import connection, models
    from django.http import HttpResponse
    from django.shortcuts import render
    from django.urls import path
    from django.utils import timezone

    from larder_client import collecting, emit
    from larder_client.django import conf

    class Author(models.Model):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "bench"

    class Article(models.Model):
        title = models.CharField(max_length=100)
        slug = models.SlugField()
        author = models.ForeignKey(Author, models.CASCADE)
        summary = models.TextField()
        body = models.TextField()
        published = models.DateTimeField()
        views = models.IntegerField(default=0)

        class Meta:
            app_label = "bench"

    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Article)
    authors = [Author.objects.create(name=f"Author {n}") for n in range(10)]
    text = "What there is to say about it. " * 8
    Article.objects.bulk_create(
        Article(
            title=f"Article {n}",
            slug=f"article-{n}",
            author=authors[n % 10],
            summary=text,
            body=text * 4,
            published=timezone.now(),
        )
        for n in range(rows)
    )

    def page(request: Any) -> HttpResponse:
        articles = Article.objects.select_related("author").order_by("-published", "pk")[:rows]
        return render(request, "articles.html", {"title": "Articles", "articles": articles})

    def view(request: Any) -> HttpResponse:
        if not with_larder:
            return page(request)
        with collecting(conf.larder().proxy) as collected:
            response = page(request)
            for name, value in emit(collected):
                response.headers[name] = value
        return response

    urlpatterns.append(path("", view))


def asker() -> Callable[[], bytes]:
    """Asks for the page as a server would."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    environment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }

    def ask() -> bytes:
        status: list[str] = []
        response = application(dict(environment), lambda said, fields: status.append(said))
        body = b"".join(response)
        response.close()
        assert status == ["200 OK"], status
        return body

    return ask


def switch(on: bool) -> None:
    """Has reads recorded, or Django as it comes."""
    global with_larder
    from larder_client.django.orm import hooks

    with_larder = on
    if on:
        hooks.install()
    else:
        hooks.uninstall()


def seconds(ask: Callable[[], bytes], times: int) -> float:
    """Process time of one request, the mean of a few."""
    ask()
    began = time.process_time()
    for _ in range(times):
        ask()
    return (time.process_time() - began) / times


def main() -> int:
    """Prints the figures; 1 if they are above `--check`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--check", type=float, help="percent that it may take at most")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        configure(Path(folder))
        site(given.rows)
        ask = asker()
        plain, recorded = [], []
        gc.disable()
        for pair in range(given.pairs):
            for on in (True, False) if pair % 2 else (False, True):
                switch(on)
                (recorded if on else plain).append(seconds(ask, 5))
            gc.collect()
    more = [100 * (b / a - 1) for a, b in zip(plain, recorded, strict=True)]
    low, median, high = statistics.quantiles(more, n=4)
    print(  # noqa: T201
        f"Django {django.get_version()}, Python {sys.version.split()[0]}, {given.rows} objects: "
        f"{1e3 * statistics.median(plain):.2f} ms, with recording "
        f"{1e3 * statistics.median(recorded):.2f} ms; {median:+.1f} % ({low:+.1f} to {high:+.1f})"
    )
    return int(given.check is not None and median > given.check)


if __name__ == "__main__":
    sys.modules[Path(__file__).stem] = sys.modules[__name__]
    raise SystemExit(main())
