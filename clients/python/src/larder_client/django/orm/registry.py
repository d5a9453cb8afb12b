"""What a site has said about its models: `register`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured

from . import names
from .names import Model

logger = logging.getLogger("larder_client")

Tags = Callable[[Model], Iterable[str]]


@dataclass(frozen=True)
class Rule:
    """One registration."""

    #: The class whose instances `tags` is given.
    model: Model
    tags: Tags | None
    #: Names of fields that no page shows.
    ignored: frozenset[str]
    #: Names of the fields that lists filter and order by; None if that may be any.
    listed: frozenset[str] | None
    #: Models that this one, a view, is made of.
    reads_from: tuple[Model, ...]

    def tags_of(self, instance: Model) -> set[str]:
        """The tags of one row. An error in the site's function is logged, and never raised."""
        if self.tags is None:
            return set()
        try:
            tags = self.tags(instance)
            return {tags} if isinstance(tags, str) else {str(tag) for tag in tags if tag}
        except Exception:
            logger.exception(
                "The tags registered for %s can't be worked out for the row %r: mend the function "
                "given to register(). Only the row's own tags are purged.",
                *(self.model._meta.label, instance.pk),
            )
            return set()


_rules: list[Rule] = []
#: What holds without a registration: that of `register_users`.
_own_rules: list[Rule] = []


def register(
    model: Model,
    *,
    tags: Tags | None = None,
    ignore_fields: Collection[str] = (),
    list_fields: Collection[str] | None = None,
    reads_from: Collection[Model] = (),
) -> None:
    """Says how writes of a model are purged; best called in `AppConfig.ready`.

    `tags` are purged besides the row's own, of the row as it was and as it is after the write.
    A write that changes only `ignore_fields` purges nothing. One that changes none of
    `list_fields`, by which all lists of the site filter and order, purges no lists. A page that
    reads the model, say an unmanaged view, depends on the models of `reads_from` too.

    A model may be registered more than once: tags and ignored fields add up. Raises TypeError
    or ValueError for what can't be meant.
    """
    if not hasattr(model, "_meta") or model._meta.abstract:
        raise TypeError(f"register() takes a model with a table, not {model!r:.80}")
    if tags is not None and not callable(tags):
        raise TypeError(f"tags= is a function of an instance, not {tags!r:.80}")
    for other in reads_from:
        if not hasattr(other, "_meta"):
            raise TypeError(f"reads_from= is a list of models; {other!r:.80} is none")
    rule = Rule(
        model=model,
        tags=tags,
        ignored=_fields(model, ignore_fields, "ignore_fields"),
        listed=None if list_fields is None else _fields(model, list_fields, "list_fields"),
        reads_from=tuple(reads_from),
    )
    if rule not in _rules:
        _rules.append(rule)
    forget()


def register_users() -> None:
    """A login writes to the user's row; no page shows that."""
    try:
        user = get_user_model()
    except ImproperlyConfigured:
        return
    there = {field.name for field in user._meta.concrete_model._meta.local_concrete_fields}
    if ignored_fields := there & {"last_login", "password"}:
        rule = Rule(user, None, frozenset(ignored_fields), None, ())
        _own_rules[:] = [rule]
        forget()


def unregister(model: Model) -> None:
    """Forgets what was registered for this very class; for tests."""
    _rules[:] = [rule for rule in _rules if rule.model is not model]
    forget()


def _fields(model: Model, given: Collection[str], argument: str) -> frozenset[str]:
    if isinstance(given, str):
        raise TypeError(f"{argument}= is a list of names, not the string {given!r}")
    found = set()
    for name in given:
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist as error:
            raise ValueError(f"{argument}= of {model._meta.label}: {error}") from None
        if not field.concrete or field.many_to_many:
            raise ValueError(f"{argument}= of {model._meta.label}: {name!r} has no column there")
        if field.model._meta.concrete_model is not model._meta.concrete_model:
            raise ValueError(
                f"{argument}= of {model._meta.label}: {name!r} is a field of "
                f"{field.model._meta.label}; register that"
            )
        found.add(field.name)
    return frozenset(found)


@cache
def rules_for(model: Model) -> tuple[Rule, ...]:
    """The rules of a table's model, registered under its own name or that of a proxy."""
    concrete = model._meta.concrete_model
    rules = (*_own_rules, *_rules)
    return tuple(rule for rule in rules if rule.model._meta.concrete_model is concrete)


@cache
def tagging(model: Model) -> tuple[Rule, ...]:
    """The rules with tags that a write of this table may concern: its own and its heirs'."""
    models = (model._meta.concrete_model, *names.heirs(model._meta.concrete_model))
    return tuple(rule for one in models for rule in rules_for(one) if rule.tags)


@cache
def ignored(model: Model) -> frozenset[str]:
    """The fields of this table that no page shows."""
    return frozenset().union(*(rule.ignored for rule in rules_for(model)))


@cache
def listed(model: Model) -> frozenset[str] | None:
    """The fields that lists of this model filter and order by; None if that may be any."""
    given = [rule.listed for rule in rules_for(model) if rule.listed is not None]
    return frozenset().union(*given) if given else None


@cache
def sources(model: Model) -> tuple[Model, ...]:
    """The models that a view is made of."""
    return tuple(source for rule in rules_for(model) for source in rule.reads_from)


def forget() -> None:
    """Has it found out anew what holds for which model."""
    for cached in (rules_for, tagging, ignored, listed, sources):
        cached.cache_clear()
