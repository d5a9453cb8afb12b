"""Where Django is hooked into: four methods of its compilers, `save_base`, `commit`, `callproc`,
and a wrapper around the statements of every connection."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import apps
from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.db.models.signals import class_prepared
from django.db.models.sql import compiler as compilers
from django.db.models.sql.constants import MULTI

from . import changes, names, pending, raw, reading, registry, sql, writing

logger = logging.getLogger("larder_client")


def install() -> None:
    """Has reads recorded and writes purged from now on. Does nothing the second time."""
    if hasattr(compilers.SQLCompiler.execute_sql, "larder"):
        return
    _hook(compilers.SQLCompiler, "execute_sql", _execute)
    _hook(compilers.SQLInsertCompiler, "execute_sql", _insert)
    _hook(compilers.SQLUpdateCompiler, "execute_sql", _update)
    if hasattr(compilers.SQLUpdateCompiler, "execute_returning_sql"):
        _hook(compilers.SQLUpdateCompiler, "execute_returning_sql", _update)
    _hook(Model, "save_base", _save_base)
    _hook(BaseDatabaseWrapper, "commit", pending.commit)
    _hook(CursorWrapper, "callproc", raw.procedure)
    class_prepared.connect(_new_model, dispatch_uid="larder_client.orm")
    setting_changed.connect(sql.forget, dispatch_uid="larder_client.orm.sql")
    registry.register_users()
    connection_created.connect(_connected, dispatch_uid="larder_client.orm")
    for connection in connections.all(initialized_only=True):
        _watch(connection)


def uninstall() -> None:
    """Takes it all back; for tests that compare with and without."""
    for owner, name in _HOOKED:
        setattr(owner, name, getattr(owner, name).__wrapped__)
    _HOOKED.clear()
    connection_created.disconnect(dispatch_uid="larder_client.orm")
    for connection in connections.all(initialized_only=True):
        connection.execute_wrappers[:] = [
            one for one in connection.execute_wrappers if one is not raw.execute
        ]


_HOOKED: list[tuple[Any, str]] = []


def _hook(owner: Any, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def hooked(self: Any, *args: Any, **how: Any) -> Any:
        return around(original, self, *args, **how)

    hooked.larder = True  # type: ignore[attr-defined]
    setattr(owner, name, hooked)
    _HOOKED.append((owner, name))


def _connected(*, connection: Any, **_: Any) -> None:
    _watch(connection)


def _watch(connection: Any) -> None:
    # First in the list: `connection.execute_wrapper` takes away the last one.
    if raw.execute not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, raw.execute)


def _new_model(**_: Any) -> None:
    """A model that is made while the site runs, as by tests."""
    if apps.models_ready:
        names.forget()
        registry.forget()
        sql.forget()


def _execute(
    original: Callable[..., Any], compiler: Any, result_type: Any = MULTI, *args: Any, **how: Any
) -> Any:
    if not apps.models_ready or isinstance(compiler, compilers.SQLUpdateCompiler):
        return original(compiler, result_type, *args, **how)
    if isinstance(compiler, compilers.SQLDeleteCompiler):
        return writing.delete(original, compiler, result_type, *args, **how)
    return reading.select(original, compiler, result_type, *args, **how)


def _insert(original: Callable[..., Any], compiler: Any, returning_fields: Any = None) -> Any:
    if not apps.models_ready:
        return original(compiler, returning_fields)
    return writing.insert(original, compiler, returning_fields)


def _update(original: Callable[..., Any], compiler: Any, *args: Any, **how: Any) -> Any:
    if not apps.models_ready:
        return original(compiler, *args, **how)
    return writing.update(original, compiler, *args, **how)


def _save_base(original: Callable[..., Any], instance: Any, *args: Any, **how: Any) -> Any:
    with changes.saving(instance):
        return original(instance, *args, **how)
