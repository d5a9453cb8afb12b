"""Whenever a page's content has changed, a tag that it bore has been purged.

Lives of a site, each made by a seed: pages of random queries, then random writes, alone or in
transactions that may be rolled back in part or as a whole. More of them:

    LARDER_SEEDS=500 pytest tests/orm/test_invariant.py
    LARDER_SEED=7 pytest tests/orm/test_invariant.py
"""

import os
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pages import Page, all_pages
from shelf.models import Article, Author, Listing
from support import RolledBack, Sent, registered
from writes import fill, random_write

from larder_client import Options, collecting

STEPS = 20
SEEDS = (
    [int(os.environ["LARDER_SEED"])]
    if "LARDER_SEED" in os.environ
    else range(int(os.environ.get("LARDER_SEEDS", "8")))
)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_has_changed_was_purged(seed: int, sent: Sent) -> None:
    rng = Random(seed)
    fill(rng)
    pages = all_pages(rng)
    with registered(Listing, reads_from=[Article, Author]):
        before = [_rendered(page, rng) for _, page in pages]
        for step in range(STEPS):
            sent.clear()
            done = _step(rng)
            after = [_rendered(page, rng) for _, page in pages]
            purged = sent.tags
            for (name, _), (content, tags), (now, _) in zip(pages, before, after, strict=True):
                assert now == content or tags & purged, (
                    f"seed {seed}, step {step}: {name} has changed by {done}.\n"
                    f"It bore {sorted(tags)}\nand there were purged {sorted(purged)}.\n"
                    f"It was {content}\nand is {now}"
                )
            before = after


def _rendered(page: Page, rng: Random) -> tuple[Any, set[str]]:
    with collecting(Options(max_tags=rng.choice([1, 5, 64, 1000]))) as collected:
        content = page()
    return content, set(collected.tags())


def _step(rng: Random) -> str:
    if rng.random() < 0.6:
        name, write = random_write(rng)
        write()
        return name
    return _transaction(rng)


def _transaction(rng: Random) -> str:
    names = []
    try:
        with transaction.atomic():
            for _ in range(rng.randint(1, 4)):
                try:
                    with transaction.atomic():
                        name, write = random_write(rng)
                        names.append(name)
                        write()
                        if rng.random() < 0.3:
                            raise RolledBack
                except (RolledBack, IntegrityError):
                    names[-1] += " (rolled back)"
            if rng.random() < 0.2:
                raise RolledBack
    except RolledBack:
        names.append("all rolled back")
    return f"a transaction of {', '.join(names)}"


def test_the_invariant_can_fail(sent: Sent) -> None:
    """The test above would see a write that is missed."""
    from django.db import connection

    from larder_client.django.orm import unwatched

    article = Article.objects.create(title="a", author=Author.objects.create(name="a"))
    content, tags = _rendered(lambda: list(Article.objects.values_list("title")), Random(1))
    sent.clear()
    with unwatched(connection.alias):
        Article.objects.filter(pk=article.pk).update(title="b")
    now, _ = _rendered(lambda: list(Article.objects.values_list("title")), Random(1))
    assert now != content
    assert not tags & sent.tags
