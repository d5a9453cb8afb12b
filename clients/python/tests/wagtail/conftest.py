"""One site for the whole folder; a test works on pages of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.importorskip("wagtail")

from wagtail_browser import Browser
from wagtail_site import Site, logged_in


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
    assert running.failures() == []


@pytest.fixture(scope="session")
def editor(site: Site) -> Browser:
    """Somebody who is logged in to /admin, through larder."""
    return logged_in(site)
