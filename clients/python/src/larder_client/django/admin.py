"""The admin's action "Purge from the cache".

    class ArticleAdmin(PurgeFromCache, admin.ModelAdmin): ...

or `actions = [purge_from_cache]`, or for every model: `admin.site.add_action(purge_from_cache)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from larder_client import LarderError, Purge, row_tag

from . import conf
from .orm import names, registry

#: Of more objects than this, every page that any object of the model is on is purged.
MOST = 1_000


@admin.action(description=_("Purge from the cache"), permissions=["change"])
def purge_from_cache(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Has larder forget all pages that the chosen objects are on, and says what that met."""
    chosen = list(queryset[: MOST + 1])
    if len(chosen) > MOST:
        name = names.model_name(modeladmin.model)
        purge = Purge(tags=frozenset({name, row_tag(name, names.ROWS)}))
    else:
        purge = Purge(tags=frozenset(tag for one in chosen for tag in tags_of(one)))
    if conf.larder().problem or not conf.larder().proxy.enabled:
        why = conf.larder().problem or "LARDER['ENABLED'] is False"
        modeladmin.message_user(request, f"Nothing was purged: {why}.", messages.ERROR)
        return
    try:
        purged = conf.client().purge(purge)
    except LarderError as error:
        # It is tried again behind; whoever asked should know that it isn't done.
        conf.sender().send(purge)
        modeladmin.message_user(request, f"Not purged yet: {error}", messages.ERROR)
        return
    number = purged.gone + purged.stale
    said = "1 page" if number == 1 else f"{number} pages"
    modeladmin.message_user(request, f"{said} of {len(chosen)} objects purged.", messages.SUCCESS)


def tags_of(instance: Model) -> set[str]:
    """The tags by which the pages are purged that an object is on."""
    model = instance._meta.concrete_model
    found = {tag for rule in registry.tagging(model) for tag in rule.tags_of(instance)}
    for part in (model, *model._meta.get_parent_list()):
        name = names.model_name(part)
        key = names.key_of(part, getattr(instance, part._meta.pk.attname))
        found |= {name, row_tag(name, key)}
    return found


class PurgeFromCache:
    """A mixin for a ModelAdmin: adds the action, for those who may change the objects."""

    actions: Sequence[Any] | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # None: there are to be no actions.
        if self.actions is not None and purge_from_cache not in self.actions:
            self.actions = [*self.actions, purge_from_cache]
