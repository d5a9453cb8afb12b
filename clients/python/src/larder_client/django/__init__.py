"""larder for Django: put `larder_client.django` into INSTALLED_APPS.

docs/django.md goes from nothing to a correct cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .decorators import larder_cache
from .purging import purge

if TYPE_CHECKING:
    from .orm import changed, register, unregister, unwatched

__all__ = ["changed", "larder_cache", "purge", "register", "unregister", "unwatched"]

#: They need the models, which are not there yet when Django imports this package.
_OF_ORM = ("changed", "register", "unregister", "unwatched")


def __getattr__(name: str) -> Any:
    if name not in _OF_ORM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import orm

    return getattr(orm, name)
