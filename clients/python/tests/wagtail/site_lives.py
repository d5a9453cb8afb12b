"""Random lives of a tree: whatever is done to it, what a page has shown is purged or still so.

That is the one thing that tags and purges have to hold together. A query's answer is kept with
its tags, as larder would keep a page; after each change it is either met by the purge, or is
worked out again and has to be the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from blog.models import Author, BlogIndexPage, BlogPage
from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.test import RequestFactory, override_settings
from wagtail.models import Page

from larder_client import Purge, collecting
from larder_client.django import conf

SLUGS = ["a", "b", "c", "d", "e"]


class Recorder:
    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.number = 0

    def send(self, purge: Purge, *, key: object | None = None) -> None:
        self.tags |= purge.tags
        self.number += 1


class Life:
    def __init__(self, root: Page, seed: int) -> None:
        self.root = root.pk
        self.random = random.Random(seed)
        self.authors = [Author.objects.create(name=name) for name in ("Ann", "Bob")]
        self.kept: dict[str, tuple[object, frozenset[str]]] = {}
        self.recorder = Recorder()
        self.hits = self.met = self.number = 0

    def run(self, steps: int) -> None:
        off = {**settings.LARDER, "OUTBOX": False}
        with override_settings(LARDER=off), conf.stand_in(self.recorder):
            for _ in range(12):
                self.create()
            for step in range(steps):
                self.keep()
                self.recorder.tags.clear()
                self.recorder.number = 0
                name = self.random.choice(CHANGES)
                with transaction.atomic():
                    done = getattr(self, name)()
                self.judge(f"step {step}: {name} {done}", name == "draft")

    def keep(self) -> None:
        for name, ask in self.questions().items():
            if name not in self.kept:
                with collecting() as collected:
                    answer = ask()
                self.kept[name] = (answer, frozenset(collected.tags()))

    def judge(self, what: str, is_draft: bool) -> None:
        assert not is_draft or not self.recorder.number, f"{what} purges {self.recorder.tags}"
        asked = self.questions()
        for name, (answer, tags) in list(self.kept.items()):
            if tags & self.recorder.tags or name not in asked:
                self.met += 1
                del self.kept[name]
                continue
            self.hits += 1
            now = asked[name]()
            assert now == answer, f"{what}: {name} was {answer}, is {now}; it has {sorted(tags)}"

    # What pages ask.

    def questions(self) -> dict[str, Callable[[], object]]:
        home = self.root
        found: dict[str, Callable[[], object]] = {
            "menu": lambda: shown(page(home).get_children().live().in_menu()),
            "newest": lambda: shown(newest(BlogPage.objects.descendant_of(page(home)))[:3]),
            "below": lambda: shown(page(home).get_descendants().live()),
            "by Ann": lambda: shown(BlogPage.objects.filter(author=self.authors[0]).live()),
            "all": lambda: shown(BlogPage.objects.live().order_by("title")),
            "any": lambda: Page.objects.child_of(page(home)).live().exists(),
        }
        for first in SLUGS:
            found[f"/{first}"] = lambda first=first: self.route([first])
            for second in SLUGS[:2]:
                path = [first, second]
                found["/" + "/".join(path)] = lambda path=path: self.route(path)
        for pk in page(home).get_descendants().values_list("pk", flat=True)[:6]:
            found[f"row {pk}"] = lambda pk=pk: shown([page(pk).specific])
            found[f"children of {pk}"] = lambda pk=pk: shown(page(pk).get_children().live())
            found[f"count of {pk}"] = lambda pk=pk: count(BlogPage.objects.child_of(page(pk)))
            found[f"siblings of {pk}"] = lambda pk=pk: shown(page(pk).get_siblings().live())
            found[f"above {pk}"] = lambda pk=pk: shown(page(pk).get_ancestors().live())
        return found

    def route(self, path: list[str]) -> object:
        request = RequestFactory().get("/")
        try:
            return shown([page(self.root).specific.route(request, path)[0]])
        except Http404:
            return "not found"

    # What editors do.

    def one(self) -> Page | None:
        pages = list(page(self.root).get_descendants())
        return self.random.choice(pages).specific if pages else None

    def place(self) -> Page:
        return self.random.choice([page(self.root), *page(self.root).get_descendants()])

    def slug_for(self, parent: Page) -> str:
        taken = set(parent.get_children().values_list("slug", flat=True))
        free = [slug for slug in SLUGS if slug not in taken]
        self.number += 1
        return self.random.choice(free) if free else f"x{self.number}"

    def create(self, live: bool = True) -> str:
        parent = self.place()
        kind = self.random.choice([BlogPage, BlogIndexPage])
        new = kind(title=f"T{self.number}", slug=self.slug_for(parent), live=False)
        new.show_in_menus = self.random.random() < 0.5
        if kind is BlogPage:
            new.author = self.random.choice([*self.authors, None])
        page(parent.pk).add_child(instance=new)
        revision = new.save_revision()
        if live:
            revision.publish()
        return f"{new.pk} below {parent.pk}"

    def draft(self) -> str:
        chosen = self.one()
        if chosen is None or chosen.alias_of_id or self.random.random() < 0.3:
            return self.create(live=False)
        chosen.title, chosen.slug = f"Draft {chosen.pk}", f"draft-{chosen.pk}"
        chosen.save_revision()
        return str(chosen.pk)

    def publish(self) -> str:
        chosen = self.one()
        if chosen is None or chosen.alias_of_id:
            return "nothing"
        self.number += 1
        chosen.title = f"T{self.number}"
        if self.random.random() < 0.5:
            chosen.slug = self.slug_for(chosen.get_parent())
        chosen.save_revision().publish()
        return f"{chosen.pk} as {chosen.title} at {chosen.slug}"

    def unpublish(self) -> str:
        chosen = self.one()
        if chosen is not None:
            chosen.unpublish()
        return str(chosen and chosen.pk)

    def move(self) -> str:
        chosen, target = self.one(), self.place()
        if chosen is None or target.pk == chosen.pk or target.is_descendant_of(chosen):
            return "nothing"
        if target.get_children().filter(slug=chosen.slug).exclude(pk=chosen.pk).exists():
            return "nothing"
        chosen.move(target, self.random.choice(["first-child", "last-child"]))
        return f"{chosen.pk} below {target.pk}"

    def reorder(self) -> str:
        chosen = self.one()
        others = [] if chosen is None else list(chosen.get_siblings().exclude(pk=chosen.pk))
        if not others:
            return "nothing"
        other = self.random.choice(others)
        chosen.move(other, self.random.choice(["left", "right"]))
        return f"{chosen.pk} beside {other.pk}"

    def copy(self) -> str:
        chosen = self.one()
        if chosen is None:
            return "nothing"
        slug = self.slug_for(chosen.get_parent())
        copied = chosen.copy(recursive=True, update_attrs={"slug": slug})
        return f"{chosen.pk} as {copied.pk}"

    def alias(self) -> str:
        chosen = self.one()
        if chosen is None:
            return "nothing"
        made = chosen.create_alias(update_slug=self.slug_for(chosen.get_parent()))
        return f"of {chosen.pk}: {made.pk}"

    def delete(self) -> str:
        chosen = self.one()
        if chosen is None or page(self.root).get_descendants().count() < 6:
            return self.create()
        pk = chosen.pk
        chosen.delete()
        return str(pk)


CHANGES = [
    *("create", "draft", "publish", "publish", "unpublish", "move", "reorder", "copy", "alias"),
    "delete",
]


def page(pk: int) -> Page:
    return Page.objects.filter(pk=pk).first() or Page(pk=pk, path="9999", depth=1, title="gone")


def newest(pages: object) -> object:
    return pages.live().order_by("-first_published_at", "pk")


def count(pages: object) -> int:
    return pages.live().count()


def shown(pages: object) -> list[tuple]:
    return [(one.pk, one.title, one.slug, one.url_path, one.live) for one in pages]
