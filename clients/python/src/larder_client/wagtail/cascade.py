"""What has to be forgotten when a page changes, from what it was and what it is.

Tags find whatever showed the page or listed its part of the tree, wherever it stands. URLs find
the rest: the page's own address when an error or a redirect is stored there, and pages of an
application that sends no tags.
"""

from __future__ import annotations

from larder_client import Purge
from larder_client.wagtail import places
from larder_client.wagtail.addresses import by_urls
from larder_client.wagtail.pages import (
    PageState,
    ancestors_urls,
    list_tags,
    rows_below,
    translations_urls,
)


def changed(before: PageState | None, after: PageState | None, using: str | None) -> Purge:
    """Of a page that was saved, created (`before` is `None`) or deleted (`after` is `None`).

    Called while the database has the new state, or still the old one of a page to be deleted.
    Nothing is purged for a page that no reader sees before or after, unless pages below it move.
    """
    states = [state for state in (before, after) if state is not None]
    seen = [state for state in states if state.live]
    purge = Purge()
    if before and after and before.url_path != after.url_path:
        purge |= _addresses(before, after, using)
    if not seen:
        return purge
    tags: set[str] = set()
    urls: set[str] = set()
    for state in seen:
        tags |= state.rows() | list_tags(state.models)
        tags |= places.touched(state.path, state.slug, state.translation_key)
        urls |= state.urls
    for path in {state.path for state in seen}:
        urls |= ancestors_urls(path, using)
    urls |= translations_urls(seen[-1], using)
    return purge | by_urls(urls, tags)


def hides(before: PageState | None, after: PageState | None) -> bool:
    """Whether readers are not to see the page any more: not even stale, for a while."""
    return before is not None and before.live and (after is None or not after.live)


def moved(before: PageState, after: PageState, using: str | None) -> Purge:
    """Of a page that was moved, or put elsewhere among its siblings."""
    purge = changed(before, after, using)
    if before.path != after.path:
        parents = {places.parent_of(before.path), places.parent_of(after.path)}
        purge |= Purge(tags=frozenset(set().union(*map(places.shuffled, parents))))
    return purge


def hidden_or_shown(state: PageState, using: str | None) -> Purge:
    """Of a page whose whole subtree became private, or public."""
    tags = state.rows() | list_tags(state.models) | rows_below(state.path, using)
    tags |= places.touched(state.path, state.slug, state.translation_key)
    urls = set(state.urls) | ancestors_urls(state.path, using)
    return by_urls(urls, tags) | Purge(prefixes=frozenset(filter(None, [state.root_url])))


def _addresses(before: PageState, after: PageState, using: str | None) -> Purge:
    """A page has another address, and all below it with it: the old ones and the new ones."""
    prefixes = {before.root_url, after.root_url} - {None}
    tags = rows_below(after.path, using)
    return Purge(tags=frozenset(tags), prefixes=frozenset(p for p in prefixes if p))
