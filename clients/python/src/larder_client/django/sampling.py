"""Some pages of the site to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from django.urls import (
    NoReverseMatch,
    Resolver404,
    URLPattern,
    URLResolver,
    get_resolver,
    get_script_prefix,
    reverse,
)
from django.utils.regex_helper import normalize

#: What asks for some text that it does not name: `[a-z]`, `\d`, `.+`, `a|b`.
_OPEN = re.compile(r"\[|\||\\[dDwWsS]|(?<!\\)\.[+{]")

#: What needs no encoding in a path.
_AS_IT_STANDS = "/~:@!$&'()*+,;="


def paths_of_urlconf() -> list[str]:
    """The paths of the URLconf's patterns that take no arguments, the admin's left out.

    Of those without a name only where the pattern says one path.
    """
    return list(dict.fromkeys(_paths(get_resolver().url_patterns, "", "")))


def _paths(
    patterns: Iterable[URLPattern | URLResolver], namespace: str, before: str | None
) -> Iterator[str]:
    """`before` is what stands before them in a path; None if nobody knows."""
    for pattern in patterns:
        text = _text_of(pattern.pattern)
        here = None if before is None or text is None else before + text
        if isinstance(pattern, URLResolver):
            if pattern.app_name not in ("admin", "djdt"):
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from _paths(pattern.url_patterns, inner, here)
            continue
        path = _named(namespace + pattern.name) if pattern.name else _unnamed(pattern, here)
        # A GET may log out (before Django 5.0).
        names = f"{path} {namespace}{pattern.name} {pattern.lookup_str}"
        if path is not None and "logout" not in names.lower():
            yield path


def _named(name: str) -> str | None:
    try:
        return str(reverse(name))
    except NoReverseMatch:
        return None


def _unnamed(pattern: URLPattern, text: str | None) -> str | None:
    """The path, if it leads to this pattern and no earlier one."""
    if text is None:
        return None
    try:
        found = get_resolver().resolve(f"/{text}")
    except Resolver404:
        return None
    if found.func is not pattern.callback:
        return None
    return f"{get_script_prefix()}{quote(text, safe=_AS_IT_STANDS)}"


def _text_of(pattern: Any) -> str | None:
    """A text that a part of a URLconf matches; None if it has arguments, or one had to guess."""
    regex = pattern.regex
    found = [] if regex.groups or _OPEN.search(regex.pattern) else normalize(regex.pattern)
    # As `reverse` has it: with placeholders for arguments, of which there are none.
    return str(found[0][0]) % () if len(found) == 1 else None
