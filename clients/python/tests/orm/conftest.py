"""Django, set up once with the settings of `project/orm_site`."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent / "project"
sys.path[:0] = [str(PROJECT), str(Path(__file__).parent)]
os.environ["DJANGO_SETTINGS_MODULE"] = "orm_site.settings"

import django  # noqa: E402

django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test.utils import setup_databases, setup_test_environment, teardown_databases  # noqa: E402
from support import Sent  # noqa: E402

from larder_client.django import conf  # noqa: E402
from larder_client.django.orm import names  # noqa: E402

setup_test_environment()

VIEW = (
    "CREATE VIEW shelf_listing AS SELECT shelf_article.title AS title, "
    "shelf_author.name AS author_name FROM shelf_article "
    "INNER JOIN shelf_author ON shelf_author.id = shelf_article.author_id"
)


@pytest.fixture(scope="session")
def _databases() -> Iterator[None]:
    created = setup_databases(verbosity=0, interactive=False)
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute(VIEW)
    yield
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute("DROP VIEW shelf_listing")
    # The thread of asynchronous queries has connections of its own.
    asyncio.run(sync_to_async(connections.close_all)())
    teardown_databases(created, verbosity=0)


@pytest.fixture
def sent(_databases: None) -> Iterator[Sent]:
    """Real tables, emptied before, and real commits; what is purged is kept, not sent."""
    recorder = Sent()
    with conf.stand_in(recorder):
        names.forget()
        for alias in connections:
            call_command(
                "flush",
                database=alias,
                interactive=False,
                verbosity=0,
                inhibit_post_migrate=True,
            )
        ContentType.objects.clear_cache()
        recorder.clear()
        yield recorder
        for connection in connections.all(initialized_only=True):
            assert not connection.in_atomic_block


@pytest.fixture
def db(sent: Sent) -> None:
    """For tests that don't look at what is purged."""
