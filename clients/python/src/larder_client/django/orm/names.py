"""What models, rows and tables are called, and which models are left out.

A model is `app_label.modelname`; a proxy is what it stands for. The tags of a model:

| tag | a page bears it that | purged by |
|---|---|---|
| `model:pk` | shows this row, or asked for it | a write of this row |
| `model` | depends on rows without knowing which | every write of the model |
| `model:list` | asked which rows there are | new and gone rows; changes that may move one |
| `model:list.field=key` | asked which rows have this foreign key | new rows that have it |
| `model:lists` | bears such a one | as `model:list`, but for new rows |
| `model:rows` | bears `model:pk` for any | writes of which nobody knows the rows |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed

from larder_client import row_key

#: A model's class. Django brings no types of its own.
Model: TypeAlias = Any

#: Models that no page is made of, or that change with every request.
IGNORED = (
    "sessions",
    "admin.logentry",
    "contenttypes",
    "auth.permission",
    "migrations",
    "larder_client",
)

#: What stands in place of a key for rows that nobody knows: `model:rows`.
ROWS = "rows"
#: What stands there for lists by a foreign key, whichever: `model:lists`.
LISTS = "lists"


@cache
def model_name(model: Model) -> str:
    """`app_label.modelname`, of a proxy that of its table's model."""
    return str(model._meta.concrete_model._meta.label_lower)


@cache
def actual(model: Model) -> Model:
    """The model as the site has it now, of one that a migration brings back."""
    try:
        found = apps.get_model(model._meta.app_label, model._meta.model_name)
    except LookupError:
        return model
    return found._meta.concrete_model


@cache
def is_ignored(model: Model) -> bool:
    """Whether reads and writes of this model are left out: by its name, or that of its app."""
    name = model_name(model)
    ignored = ignored_names()
    return name in ignored or name.partition(".")[0] in ignored


def ignore(*models: str) -> None:
    """Leaves out more models, for an app that knows its own: `app` or `app.Model`."""
    _ignored_by_apps.update(model.lower() for model in models)
    forget()


_ignored_by_apps: set[str] = set()


def ignored_names() -> frozenset[str]:
    """`IGNORED`, those of `ignore` and `LARDER["IGNORE_MODELS"]`, in lower case."""
    larder = getattr(settings, "LARDER", None)
    also = larder.get("IGNORE_MODELS", ()) if isinstance(larder, Mapping) else ()
    if isinstance(also, str) or not isinstance(also, Iterable):
        also = ()  # A system check says what is wrong (`problems`).
    return frozenset(str(name).lower() for name in (*IGNORED, *_ignored_by_apps, *also))


def problems(also: object) -> list[str]:
    """What is wrong with a value of `LARDER["IGNORE_MODELS"]`, in sentences."""
    if isinstance(also, str) or not isinstance(also, (list, tuple, set, frozenset)):
        return [f"IGNORE_MODELS is to be a list of 'app' or 'app.Model', not {also!r:.80}"]
    found = []
    for name in also:
        try:
            app, _, model = str(name).partition(".")
            config = apps.get_app_config(app)
            if model:
                config.get_model(model)
        except LookupError as error:
            found.append(f"IGNORE_MODELS names {name!r}: {error}")
    return found


def table_key(table: str) -> str:
    """A table's name without quotes and schema, in lower case."""
    return table.replace('"', "").replace("`", "").rpartition(".")[2].lower()


@lru_cache(maxsize=1)
def tables() -> Mapping[str, tuple[Model, ...]]:
    """The models of each table, without those that are left out."""
    found: dict[str, tuple[Model, ...]] = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy and not is_ignored(model):
            key = table_key(model._meta.db_table)
            found[key] = (*found.get(key, ()), model)
    return found


def models_of(table: str) -> tuple[Model, ...]:
    """The models of a table by its `table_key`; none if they are left out."""
    return tables().get(table, ())


@cache
def sharing(model: Model) -> tuple[Model, ...]:
    """The models that have the table of this one: itself, and views of it by hand."""
    return models_of(table_key(model._meta.db_table))


@cache
def heirs(model: Model) -> tuple[Model, ...]:
    """The models that inherit from this one and have tables of their own."""
    return tuple(
        other
        for other in apps.get_models()
        if not other._meta.proxy and other is not model and model in other._meta.get_parent_list()
    )


@cache
def shares_keys(heir: Model, model: Model) -> bool:
    """Whether a row of the heir has the key of its part in this table, as is usual."""
    return all(path.join_field.primary_key for path in heir._meta.get_path_to_parent(model))


@cache
def key_fields(model: Model) -> tuple[Any, ...]:
    """The fields of the primary key: one, or several of a composite one."""
    key = model._meta.pk
    return tuple(getattr(key, "fields", None) or (key,))


@cache
def links(model: Model) -> tuple[Any, ...]:
    """The foreign keys that a table has itself, but for those that are its own key."""
    return tuple(
        field
        for field in model._meta.local_concrete_fields
        if (field.many_to_one or field.one_to_one) and not field.remote_field.parent_link
    )


def scope(field: Any, value: object) -> str | None:
    """What stands in place of a key for the list of rows with this foreign key.

    None if there is no such list: for NULL, and for what only the database knows.
    """
    key = _plain(field, value)
    return None if key is None else f"list.{field.name}={key}"


def whole(name: str) -> set[str]:
    """The tags that every page has one of that depends on a model in any way."""
    return {name, *(f"{name}:{rest}" for rest in ("list", LISTS, ROWS))}


def key_of(model: Model, value: object) -> object | None:
    """A primary key as both reads and writes give it to `row_key`; None if it can't be one."""
    fields = key_fields(model)
    if len(fields) == 1:
        return _plain(fields[0], value)
    if not isinstance(value, (tuple, list)) or len(value) != len(fields):
        return None
    parts = tuple(_plain(field, part) for field, part in zip(fields, value, strict=True))
    return None if None in parts else parts


def _plain(field: Any, value: object) -> object | None:
    # What a form, a URL or another database brings for a key is the same key.
    if type(value) is int:
        return value
    if value is None or hasattr(value, "resolve_expression"):
        return None
    try:
        return row_key(field.get_prep_value(field.to_python(value)))
    except Exception:
        return None


def forget(**_: Any) -> None:
    """Has all of this found out anew, as after a change of the settings."""
    for cached in (
        model_name,
        actual,
        is_ignored,
        tables,
        sharing,
        heirs,
        shares_keys,
        key_fields,
        links,
    ):
        cached.cache_clear()


def _changed(*, setting: str, **_: Any) -> None:
    if setting in ("LARDER", "INSTALLED_APPS"):
        forget()


setting_changed.connect(_changed, dispatch_uid="larder_client.orm.names")
