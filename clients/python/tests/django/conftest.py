"""Django, set up once with the settings of `project/larder_site`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent / "project"
sys.path[:0] = [str(PROJECT), str(PROJECT.parent)]
os.environ["DJANGO_SETTINGS_MODULE"] = "larder_site.settings"

import django  # noqa: E402

django.setup()

from django.test.utils import setup_databases, setup_test_environment, teardown_databases  # noqa: E402

from larder_client.django import conf  # noqa: E402
from larder_client.notices import Notices  # noqa: E402

setup_test_environment()


@pytest.fixture(autouse=True)
def _notices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test has logged is logged again in the next."""
    monkeypatch.setattr(conf, "notices", Notices(conf.logger))


@pytest.fixture(scope="session")
def databases() -> Iterator[None]:
    """The tables, in a database of the tests' own."""
    created = setup_databases(verbosity=0, interactive=False)
    yield
    teardown_databases(created, verbosity=0)
