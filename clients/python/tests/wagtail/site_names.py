"""What the tests' snippets find by name."""

from datetime import timedelta  # noqa: F401

from blog.models import Author, BlogIndexPage, BlogPage, Footer, HomePage  # noqa: F401
from django.apps import apps
from django.core.management import call_command  # noqa: F401
from django.db import transaction  # noqa: F401
from django.utils import timezone  # noqa: F401
from wagtail.contrib.redirects.models import Redirect  # noqa: F401
from wagtail.images.models import Image, Rendition  # noqa: F401
from wagtail.models import Locale, Page, PageViewRestriction, Site  # noqa: F401

from larder_client.django.models import PendingPurge  # noqa: F401


def post(path: str) -> BlogPage:
    """The English page `notes/first`; the listing may be left out."""
    pages = BlogPage.objects.filter(locale__language_code="en")
    return pages.get(url_path__endswith=f"/{path}/")


def section(slug: str) -> BlogIndexPage:
    """A live listing below the English home page, made when it is first asked for."""
    found = BlogIndexPage.objects.filter(slug=slug, locale__language_code="en").first()
    if found is None:
        home = HomePage.objects.get(locale__language_code="en")
        found = BlogIndexPage(slug=slug, title=slug.capitalize(), show_in_menus=True)
        home.add_child(instance=found)
    return found


def new_post(path: str, **fields: object) -> BlogPage:
    """A page that is live: `notes/first` is below the listing `notes`."""
    parent, _, slug = path.partition("/")
    page = BlogPage(slug=slug, title=fields.pop("title", slug), **fields)
    section(parent).add_child(instance=page)
    page.save_revision().publish()
    return page


def delivered() -> bool:
    """Waits until larder has been told."""
    if not apps.is_installed("larder_client.django"):
        return True
    from larder_client.django import conf

    return conf.sender().flush()
