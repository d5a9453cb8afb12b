"""Some pages of the site to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse


def paths_of_urlconf() -> list[str]:
    """The paths of the URLconf's named patterns that take no arguments, the admin's left out."""
    found = []
    for name in _names(get_resolver().url_patterns, ""):
        # A GET may log out (before Django 5.0).
        if "logout" in name:
            continue
        try:
            found.append(reverse(name))
        except NoReverseMatch:
            continue
    return list(dict.fromkeys(found))


def _names(patterns: Iterable[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name not in ("admin", "djdt"):
                inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
                yield from _names(pattern.url_patterns, inner)
        elif pattern.name:
            yield prefix + pattern.name
