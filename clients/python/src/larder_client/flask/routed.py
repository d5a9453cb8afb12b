"""Whether an application answers by the views that `@larder.cached` has made.

`@app.route` registers what stands below it. With `@larder.cached` above it Flask has the view
alone, and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from types import FunctionType
from typing import Any
from weakref import WeakSet

from flask import Flask

#: The views that were decorated, and what was made of them.
_views: WeakSet[FunctionType] = WeakSet()
_kept: WeakSet[FunctionType] = WeakSet()


def note(view: Callable[..., Any], kept: Callable[..., Any]) -> None:
    """Remembers what was decorated, as long as it is there."""
    # Others may be neither hashable nor weakly referenced.
    if isinstance(view, FunctionType) and isinstance(kept, FunctionType):
        _views.add(view)
        _kept.add(kept)


def past_cached(app: Flask) -> list[str]:
    """The names of views that are decorated, but that the application only has without that."""
    chains = [list(_chain(view)) for view in app.view_functions.values()]
    reached = {inner for chain in chains for outer, inner in pairwise(chain) if outer in _kept}
    found = [view for chain in chains for view in chain if view in _views and view not in reached]
    return list(dict.fromkeys(f"{view.__module__}.{view.__qualname__}" for view in found))


def _chain(view: object) -> Iterator[FunctionType]:
    """A view and what it wraps, from the outermost decorator on."""
    seen = set()
    while isinstance(view, FunctionType) and view not in seen:
        seen.add(view)
        yield view
        view = getattr(view, "__wrapped__", None)
