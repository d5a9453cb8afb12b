"""Wagtail's and Django's signals, and what each of them purges.

Every page is saved, moved or deleted through one of these, whatever the way: the editor, a
command such as `publish_scheduled`, aliases that follow their original, an import.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from asgiref.local import Local
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from larder_client import Purge
from larder_client.wagtail import cascade
from larder_client.wagtail.addresses import by_urls
from larder_client.wagtail.outlet import forget, forget_all_softly
from larder_client.wagtail.pages import (
    HIDDEN,
    list_tags,
    model_names,
    page_model,
    page_state,
    row_tags,
)
from larder_client.wagtail.registering import has_drafts

logger = logging.getLogger("larder_client.wagtail")

_moving = Local()  # .states: the pages that this thread or task is moving, as they were


def connect() -> None:
    """Called once, when all models are there."""
    from wagtail.models import PageViewRestriction, Site
    from wagtail.signals import page_published, post_page_move, pre_page_move

    for signal, receiver in [
        (pre_save, page_to_be_saved),
        (post_save, page_saved),
        (pre_save, snippet_to_be_saved),
        (post_save, snippet_saved),
        (pre_delete, page_to_be_deleted),
        (page_published, page_shown),
        (pre_page_move, page_to_be_moved),
        (post_page_move, page_moved),
    ]:
        signal.connect(receiver, dispatch_uid=f"larder_client.wagtail.{receiver.__name__}")
    for signal in (post_save, post_delete):
        signal.connect(restriction_changed, sender=PageViewRestriction)
    m2m_changed.connect(restriction_changed, sender=PageViewRestriction.groups.through)
    for signal in (pre_save, post_save, pre_delete):
        signal.connect(site_changed, sender=Site)
    _connect_redirects()
    _connect_files()


def _connect_redirects() -> None:
    from django.apps import apps

    if apps.is_installed("wagtail.contrib.redirects"):
        from wagtail.contrib.redirects.models import Redirect

        for signal in (pre_save, post_save, pre_delete):
            signal.connect(redirect_changed, sender=Redirect)


def _connect_files() -> None:
    from django.apps import apps

    if apps.is_installed("wagtail.images"):
        from wagtail.images import get_image_model

        post_delete.connect(rendition_deleted, sender=get_image_model().get_rendition_model())
    if apps.is_installed("wagtail.documents"):
        from wagtail.documents import get_document_model

        for signal in (post_save, post_delete):
            signal.connect(document_changed, sender=get_document_model())


def _never_raises(receiver: Callable[..., None]) -> Callable[..., None]:
    """Nothing here may fail a save. In doubt more is purged: all of it, softly."""

    @functools.wraps(receiver)
    def guarded(sender: Any, instance: Any, **kwargs: Any) -> None:
        try:
            receiver(sender, instance, **kwargs)
        except Exception:
            logger.exception(
                "%s: what shows %s %s cannot be worked out; every page is purged softly instead.",
                *(receiver.__name__, type(instance).__name__, instance.pk),
            )
            forget_all_softly(kwargs.get("using"))

    return guarded


@_never_raises
def page_to_be_saved(
    sender: Any, instance: Any, using: Any = None, update_fields: Any = None, **_: Any
) -> None:
    """Keeps what readers see until the save."""
    if isinstance(instance, page_model()) and not _is_hidden(update_fields):
        instance._larder_before = page_state(instance.pk, using) if instance.pk else None


@_never_raises
def page_saved(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """Published, unpublished, edited, created, copied, renamed: the difference tells."""
    if isinstance(instance, page_model()) and "_larder_before" in instance.__dict__:
        before = instance.__dict__.pop("_larder_before")
        after = page_state(instance.pk, using)
        purge = cascade.changed(before, after, using)
        forget(purge, using, hard=cascade.hides(before, after))


@_never_raises
def snippet_to_be_saved(
    sender: Any, instance: Any, using: Any = None, update_fields: Any = None, **_: Any
) -> None:
    """Keeps whether readers see it."""
    if has_drafts(type(instance)) and not _is_hidden(update_fields):
        rows = sender._base_manager.using(using).filter(pk=instance.pk)
        instance._larder_before = rows.values_list("live", flat=True).first()


@_never_raises
def snippet_saved(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """A draft is nobody's business, what is or was published is."""
    if has_drafts(type(instance)) and "_larder_before" in instance.__dict__:
        was_live = instance.__dict__.pop("_larder_before")
        if was_live or instance.live:
            models = model_names(type(instance))
            tags = row_tags(models, instance.pk) | list_tags(models)
            forget(Purge(tags=frozenset(tags)), using, hard=not instance.live)


@_never_raises
def page_shown(sender: Any, instance: Any, **_: Any) -> None:
    """Once more when a page is whole: what belongs to it is saved after its own row."""
    using = instance._state.db
    state = page_state(instance.pk, using)
    forget(cascade.changed(state, state, using), using)


@_never_raises
def page_to_be_deleted(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """Each page of a subtree has a signal of its own, and each of its models; one is enough."""
    if sender._meta.concrete_model is page_model():
        purge = cascade.changed(page_state(instance.pk, using), None, using)
        forget(purge, using, hard=True)


@_never_raises
def page_to_be_moved(sender: Any, instance: Any, **_: Any) -> None:
    if not hasattr(_moving, "states"):
        _moving.states = {}
    _moving.states[instance.pk] = page_state(instance.pk, instance._state.db)


@_never_raises
def page_moved(sender: Any, instance: Any, **_: Any) -> None:
    """Under another page, or to another place among its siblings."""
    using = instance._state.db
    before = getattr(_moving, "states", {}).pop(instance.pk, None)
    after = page_state(instance.pk, using)
    if before and after:
        forget(cascade.moved(before, after, using), using)


@_never_raises
def restriction_changed(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """A page and all below it became private, or public."""
    # Asked the other way round, `group.pageviewrestriction_set`, the instance is a group: all
    # pages have the tag of the restrictions' list.
    state = page_state(getattr(instance, "page_id", None), using)
    if state is not None:
        forget(cascade.hidden_or_shown(state, using), using, hard=True)


@_never_raises
def site_changed(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """Its host, its root: every URL may mean another page. The default site has all hosts."""
    site = _as_it_is_stored(sender, instance, using)
    if site is not None and site.is_default_site:
        forget(Purge(everything=True), using)
    elif site is not None:
        forget(Purge(hosts=frozenset({site.root_url.partition("://")[2]})), using)


@_never_raises
def redirect_changed(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """What was answered where it leads away: an error, mostly. With a slash at its end, too."""
    redirect = _as_it_is_stored(sender, instance, using)
    links = set() if redirect is None else set(redirect.old_links())
    forget(by_urls(links | {link + "/" for link in links if "?" not in link}), using)


def _as_it_is_stored(sender: Any, instance: Any, using: Any) -> Any:
    """Of `pre_save` the row that was, of the others the row that is; of a new one `None`."""
    return sender._base_manager.using(using).filter(pk=instance.pk).first()


@_never_raises
def rendition_deleted(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """A page that shows the image names a file that is gone."""
    image = type(instance.image)._meta.label_lower
    purge = by_urls(_at_sites(instance.url), row_tags([image], instance.image_id))
    forget(purge, using)


@_never_raises
def document_changed(sender: Any, instance: Any, using: Any = None, **_: Any) -> None:
    """The document itself; pages that link to it are found by its tag."""
    forget(by_urls(_at_sites(instance.url)), using)


def _at_sites(url: str) -> set[str]:
    """A URL of the media, absolute: where it has no host, at each site."""
    from wagtail.models import Site

    if url.startswith("/") and not url.startswith("//"):
        return {root.root_url + url for root in Site.get_site_root_paths()}
    return {url} if "://" in url else set()


def _is_hidden(update_fields: Any) -> bool:
    return update_fields is not None and set(update_fields) <= HIDDEN
