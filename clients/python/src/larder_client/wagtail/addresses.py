"""URLs as a purge."""

from __future__ import annotations

from larder_client import Purge


def by_urls(urls: set[str], tags: set[str] | None = None) -> Purge:
    """URLs with any query; those that have one of their own, just so."""
    whole = {url.partition("#")[0] for url in urls}
    return Purge(
        tags=frozenset(tags or ()),
        urls=frozenset(url for url in whole if "?" in url),
        paths=frozenset(url for url in whole if "?" not in url),
    )
