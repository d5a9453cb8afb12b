"""What of a page counts for its readers, as the database has it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from larder_client.django.orm.names import LISTS
from larder_client.wagtail import places

logger = logging.getLogger("larder_client.wagtail")

#: Fields of a page that no reader sees: a save of these alone, as of a draft, purges nothing.
#: What changes with moves (`path`, `depth`, `numchild`, `url_path`) is purged for by the move.
HIDDEN = frozenset(
    {
        "latest_revision",
        "latest_revision_created_at",
        "has_unpublished_changes",
        "draft_title",
        "live_revision",
        "locked",
        "locked_at",
        "locked_by",
        "wagtail_admin_comments",
        "alias_of",
        "alias_of_id",
        "path",
        "depth",
        "numchild",
        "url_path",
    }
)


def page_model() -> Any:
    """Wagtail's page model; from Wagtail 8 on it may be another than `wagtailcore.Page`."""
    try:
        swapper = import_module("swapper")
    except ImportError:
        return import_module("wagtail.models").Page
    return swapper.load_model("wagtailcore", "Page")


@dataclass(frozen=True)
class PageState:
    """A page at one moment: what its readers see of it, and where."""

    pk: int
    #: The names of its models, `wagtailcore.page` and the more specific ones.
    models: tuple[str, ...]
    path: str
    slug: str
    live: bool
    translation_key: str
    url_path: str
    #: Its URL, and those below it that it answers itself; absolute, without a query.
    urls: frozenset[str]
    #: Its own URL, below which its descendants are; `None` if no site has it.
    root_url: str | None

    def rows(self) -> set[str]:
        """The tags of whoever shows it, in whichever model they read it."""
        return row_tags(self.models, self.pk)


def row_tags(models: Iterable[str], pk: object) -> set[str]:
    """The tags of one row, and those that stand for any row of its models."""
    return {tag for model in models for tag in (f"{model}:{pk}", model)}


def list_tags(models: Iterable[str]) -> set[str]:
    """The tags of all lists of these models, those by a foreign key too."""
    return {tag for model in models for tag in (f"{model}:list", f"{model}:{LISTS}")}


def model_names(model: Any) -> tuple[str, ...]:
    """The names of a model and of those that it inherits from by tables."""
    own = [model, *model._meta.get_parent_list()]
    return tuple(sorted({one._meta.concrete_model._meta.label_lower for one in own}))


def page_state(pk: object, using: str | None) -> PageState | None:
    """The page as it stands in the database, draft or not; `None` if it isn't there."""
    page = page_model()._base_manager.using(using).filter(pk=pk).first()
    return None if page is None else state_of(page)


def state_of(page: Any) -> PageState:
    """Of a page that has just been read from the database, of whichever model."""
    root_url, urls = page_urls(page)
    return PageState(
        pk=page.pk,
        models=model_names(page.specific_class or type(page)),
        path=page.path,
        slug=page.slug,
        live=page.live,
        translation_key=str(page.translation_key),
        url_path=page.url_path,
        urls=frozenset(urls),
        root_url=root_url,
    )


def page_urls(page: Any) -> tuple[str | None, set[str]]:
    """The page's URL, and all that it is cached at; `None` and nothing if no site has it.

    A site's own methods are asked (`get_url_parts`, `get_cached_paths`). What goes wrong in them
    is logged, and doesn't keep an editor from saving: tags are purged in any case.
    """
    try:
        specific = page.specific_deferred
        url = specific.get_full_url()
        if not url:
            return None, set()
        below = (str(path).lstrip("/") for path in specific.get_cached_paths())
        return url, {url, *(url + path for path in below)}
    except Exception:
        logger.exception(
            "The URLs of page %s cannot be worked out: look at its get_url_parts() and "
            "get_cached_paths(). What bears its tags is purged all the same.",
            page.pk,
        )
        return None, set()


def ancestors_urls(path: str, using: str | None) -> set[str]:
    """The URLs of the live pages above a path: they may list what is below them."""
    pages = page_model()._base_manager.using(using).filter(path__in=places.above(path), live=True)
    return set().union(*(page_urls(page)[1] for page in pages))


def translations_urls(state: PageState, using: str | None) -> set[str]:
    """The URLs of a page's live translations: they link to one another."""
    pages = (
        page_model()
        ._base_manager.using(using)
        .filter(translation_key=state.translation_key, live=True)
    )
    return set().union(*(page_urls(page)[1] for page in pages.exclude(pk=state.pk)))


def rows_below(path: str, using: str | None) -> set[str]:
    """The tags of all pages below a path."""
    from django.contrib.contenttypes.models import ContentType

    below = page_model()._base_manager.using(using).filter(path__startswith=path)
    models: dict[int, tuple[str, ...]] = {}
    tags: set[str] = set()
    for pk, kind in below.values_list("pk", "content_type_id").iterator():
        if kind not in models:
            model = ContentType.objects.db_manager(using).get_for_id(kind).model_class()
            models[kind] = model_names(model or page_model())
        tags |= row_tags(models[kind], pk)
    return tags
