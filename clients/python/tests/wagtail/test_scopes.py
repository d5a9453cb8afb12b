"""Which part of the tree a query is found to ask about, with Wagtail's own querysets."""

from __future__ import annotations

import pytest
from wagtail_site import Site

# The home page is at 00010001; what `post` finds is in the first section below it.
CASES = {
    "home.get_children().live().in_menu()": "children:HOME",
    "Page.objects.child_of(home).order_by('title')": "children:HOME",
    "BlogPage.objects.child_of(blog).filter(author__name='Ann')": "children:BLOG",
    "home.get_children().filter(slug='blog')": "child:HOME:blog",
    "BlogPage.objects.descendant_of(home)[:3]": "below:HOME",
    "home.get_descendants().exclude(slug='x')": "below:HOME",
    "page.get_siblings()": "children:BLOG",
    "Page.objects.sibling_of(page, inclusive=False)": "children:BLOG",
    "page.get_translations().live()": "translations:KEY",
    "page.get_ancestors().filter(depth=2)": "at:PAGE at:BLOG at:HOME at:ROOT",
    "Page.objects.parent_of(page)": "at:BLOG",
    # What could be anywhere.
    "BlogPage.objects.live()": None,
    "Page.objects.not_child_of(blog)": None,
    "Page.objects.child_of(home) | Page.objects.filter(slug='x')": None,
    "home.get_children().union(blog.get_children())": None,
    "Page.objects.filter(path__startswith='')": None,
    "Page.objects.filter(path__gt=blog.path)": None,
    "Page.objects.filter(alias_of__path__startswith=blog.path)": None,
    "BlogPage.objects.filter(read_next__path__startswith=blog.path)": None,
    "Page.objects.filter(translation_key__in=Page.objects.values('translation_key'))": None,
}


@pytest.mark.parametrize(("query", "part"), CASES.items())
def test_parts(site: Site, query: str, part: str | None) -> None:
    said = site.shell(f"""
from larder_client.wagtail.scopes import page_scope
home, blog, page = HomePage.objects.get(locale_id=1), section("blog"), post("blog/post-3")
found = page_scope(({query}).query, Page)
said.append(None if found is None else sorted(found))
said += [home.path, blog.path, page.path, str(page.translation_key)]
    """)
    found, home, blog, page, key = said
    if part is None:
        assert found is None
        return
    assert found is not None
    named = {tag for tag in found if not tag.startswith("wagtail.order:")}
    known = {"HOME": home, "BLOG": blog, "PAGE": page, "ROOT": home[:4], "KEY": key}
    for name, value in known.items():
        part = part.replace(name, value)
    assert named == {f"wagtail.{one}" for one in part.split(" ")}
    if not part.startswith("translations"):
        assert f"wagtail.order:{home[:4]}" in found
