"""What the recorder of the ORM's reads and writes is told about Wagtail's models."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from django.apps import apps

from larder_client import current, record
from larder_client.django.orm import expert, names, register
from larder_client.wagtail import places
from larder_client.wagtail.pages import HIDDEN, page_model
from larder_client.wagtail.scopes import page_scope

#: Wagtail's book-keeping: it changes with drafts, searches and mere views, and no page shows it.
#: A rendition is made while a page is; it hangs on its image, which counts. Receivers see to
#: renditions that are deleted.
BOOK_KEEPING = (
    "wagtailcore.Revision",
    "wagtailcore.PageLogEntry",
    "wagtailcore.ModelLogEntry",
    "wagtailcore.ReferenceIndex",
    "wagtailcore.UploadedFile",
    "wagtailcore.PageSubscription",
    "wagtailcore.Comment",
    "wagtailcore.CommentReply",
    "wagtailcore.Task",
    "wagtailcore.TaskState",
    "wagtailcore.GroupApprovalTask",
    "wagtailcore.Workflow",
    "wagtailcore.WorkflowState",
    "wagtailcore.WorkflowTask",
    "wagtailcore.WorkflowPage",
    "wagtailcore.WorkflowContentType",
    "wagtailadmin",
    "wagtailusers",
    "wagtailsearch",
    "wagtailembeds",
    "wagtailsearchpromotions.Query",
    "wagtailsearchpromotions.QueryDailyHits",
    "modelsearch",
    "django_tasks",
    "django_tasks_database",
)


def register_models() -> None:
    """Called once, when all models are there."""
    names.ignore(*BOOK_KEEPING)
    if apps.is_installed("wagtail.images"):
        from wagtail.images import get_image_model

        names.ignore(get_image_model().get_rendition_model()._meta.label)
    page = page_model()
    for model in apps.get_models():
        if model._meta.proxy:
            continue
        if issubclass(model, page):
            expert.tell_parts(model, partial(page_scope, page_model=page))
        elif not has_drafts(model):
            continue
        expert.see_to_saves(model)
        register(model, ignore_fields=_hidden(model))
    _record_leaves(page)


def _record_leaves(page: Any) -> None:
    """A page without children is asked for none: that there are none has to be recorded here."""
    is_leaf, count = page.is_leaf, page.get_children_count

    @wraps(is_leaf)
    def recorded_is_leaf(self: Any) -> Any:
        leaf = is_leaf(self)
        return _children_asked(self, leaf) if leaf else leaf

    @wraps(count)
    def recorded_count(self: Any) -> Any:
        return _children_asked(self, count(self))

    page.is_leaf, page.get_children_count = recorded_is_leaf, recorded_count


def _children_asked(page: Any, answer: Any) -> Any:
    if current() is not None:
        record(places.children_tag(page.path), *places.standing(page.path))
    return answer


def has_drafts(model: Any) -> bool:
    """Whether it is a model other than pages that is published, such as a snippet."""
    from wagtail.models import DraftStateMixin

    return issubclass(model, DraftStateMixin) and not issubclass(model, page_model())


def _hidden(model: Any) -> set[str]:
    return {field.name for field in model._meta.local_concrete_fields} & HIDDEN
