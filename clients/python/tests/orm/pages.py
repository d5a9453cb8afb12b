"""Pages of every kind: each is made by a random query, and gives what a visitor would see."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import (
    Avg,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    Window,
)
from django.db.models.functions import Lower, Rank
from shelf import models
from shelf.models import (
    Article,
    Author,
    Boat,
    Brief,
    Cinema,
    Comment,
    Country,
    Listing,
    Note,
    Owned,
    Place,
    Profile,
    Pub,
    Restaurant,
    Tag,
    Ticket,
)

import django

Page = Callable[[], Any]

FIELDS = (
    "id",
    "title",
    "slug",
    "author_id",
    "second_id",
    "parent_id",
    "published",
    "views",
    "data",
)


def shown(article: Any) -> list[Any]:
    return [getattr(article, field) for field in FIELDS]


def one(found: Any) -> Any:
    return None if found is None else shown(found)


def article_queryset(rng: Random, model: Any = Article) -> Any:
    """Articles, filtered, ordered and cut in some way."""
    queryset = model.objects.all()
    for _ in range(rng.randrange(3)):
        queryset = (
            queryset.filter(condition(rng))
            if rng.random() < 0.8
            else queryset.exclude(condition(rng))
        )
    if rng.random() < 0.7:
        queryset = queryset.order_by(*rng.sample(ORDERS, rng.randint(1, 2)), "pk").distinct()
    if rng.random() < 0.3:
        start = rng.randrange(3)
        queryset = queryset[start : start + rng.randint(1, 3)]
    return queryset


ORDERS = ["title", "-views", "author", "-author__name", "parent__title", "published", "second__pk"]


def condition(rng: Random) -> Q:
    key = rng.randint(1, 8)
    choices = [
        Q(published=rng.random() < 0.5),
        Q(views__gt=rng.randint(0, 5)),
        Q(author=key),
        Q(author__in=[key, key + 1]),
        Q(author__name__startswith=rng.choice("ab")),
        Q(pk=key),
        Q(pk__in=[key, key + 1, 99]),
        Q(pk=key) | Q(published=True),
        ~Q(pk=key),
        Q(slug=f"s{key}"),
        Q(parent__title__contains=rng.choice("ab")),
        Q(parent__isnull=True),
        Q(tags__name__contains=rng.choice("ab")),
        Q(tags=key),
        Q(comments__text__contains=rng.choice("ab")),
        Q(comments__isnull=True),
        Q(second__profile__text__contains="a"),
        Q(data__x=rng.randint(0, 2)),
        Q(pk__in=Comment.objects.filter(likes__gt=1).values("article")),
        Q(pk__in=Article.objects.filter(views__lt=3)),
        Q(Exists(Comment.objects.filter(article=OuterRef("pk"), likes=1))),
        Q(title=F("author__name")),
        Q(notes__text__contains="a"),
    ]
    return rng.choice(choices)


def _lists(rng: Random) -> list[Page]:
    queryset = article_queryset(rng)
    briefs = article_queryset(rng, Brief)
    return [
        lambda: [shown(article) for article in queryset.all()],
        lambda: [shown(article) for article in briefs.all()],
        lambda: [shown(article) for article in queryset.all().iterator(chunk_size=2)],
        lambda: [article.title for article in queryset.only("title")],
        lambda: [[a.title, a.slug] for a in queryset.defer("slug", "data")],
        lambda: list(queryset.values("title")),
        lambda: list(queryset.values("pk", "title")),
        lambda: list(queryset.values_list("author__name", "id")),
        lambda: list(queryset.values_list("views", flat=True)),
        lambda: list(queryset.values_list("title", "tags__name", named=True)),
        lambda: queryset.count(),
        lambda: queryset.exists(),
        lambda: queryset.aggregate(Sum("views"), Max("title"), Avg("author__visits")),
        lambda: one(queryset.all().first()) if not queryset.query.is_sliced else None,
        lambda: [
            [a.title, a.author.name, a.second and a.second.name, a.parent and a.parent.title]
            for a in queryset.select_related("author", "second", "parent")
        ],
        lambda: [[a.title, a.author.name] for a in queryset.select_related("author")],
        lambda: [[a.title, a.author.name] for a in queryset.all()],
        lambda: [
            [a.title, [c.text for c in a.comments.all()], [t.name for t in a.tags.all()]]
            for a in queryset.prefetch_related("comments", "tags")
        ],
        lambda: [
            [a.title, [[c.text, c.article.title] for c in a.comments.all()]]
            for a in queryset.prefetch_related(
                Prefetch("comments", Comment.objects.filter(likes__gt=0).order_by("-likes"))
            )
        ],
        lambda: [[a.title, [n.text for n in a.notes.all()]] for a in queryset.all()],
    ]


def _grouped(rng: Random) -> list[Page]:
    key = rng.randint(1, 8)
    first = Article.objects.select_related("author", "parent").order_by("author__name", "pk")[:2]
    last = Comment.objects.select_related("article").order_by("article", "-pk")[:2]
    newest = Comment.objects.filter(article=OuterRef("pk")).order_by("-likes", "pk")
    articles = Article.objects.order_by("pk")
    return [
        lambda: [[a.title, a.author.name] for a in first.all()],
        lambda: [
            [a.title, a.author.name]
            for a in articles.select_related("author").filter(author__name__startswith="a")
        ],
        lambda: [[c.text, c.article.title] for c in last.all()],
        lambda: list(articles.annotate(n=Count("comments")).values_list("pk", "n")),
        lambda: [[a.pk, a.n] for a in articles.annotate(n=Count("comments"))],
        lambda: list(Article.objects.values("author").annotate(n=Count("pk")).order_by("author")),
        lambda: list(Author.objects.annotate(n=Sum("articles__views")).values_list("name", "n")),
        lambda: [
            [a.pk, a.best] for a in articles.annotate(best=Subquery(newest.values("text")[:1]))
        ],
        lambda: [
            [a.pk, a.rank]
            for a in Article.objects.annotate(rank=Window(Rank(), order_by=F("views").desc()))
            .filter(pk__lt=99)
            .order_by("rank", "pk")
        ],
        lambda: [[a.pk, a.low] for a in articles.annotate(low=Lower("author__name"))],
        lambda: [
            shown(a)
            for a in Article.objects.order_by().union(
                Article.objects.filter(author__name="a1").order_by()
            )
        ],
        lambda: list(Author.objects.values_list("name").union(Tag.objects.values_list("name"))),
        lambda: [
            [a.title, a.n]
            for a in Article.objects.extra(
                select={"n": "SELECT count(*) FROM shelf_comment WHERE likes > 1"}
            ).order_by("pk")
        ],
        lambda: [
            [a.name, [x.title for x in a.articles.filter(published=True)]]
            for a in Author.objects.filter(pk=key)
        ],
        lambda: [
            [a.name, getattr(a, "good", None) and a.good.title]
            for a in Author.objects.annotate(
                good=FilteredRelation("articles", condition=Q(articles__views__gt=2))
            )
            .select_related("good")
            .order_by("pk", "good__pk")
        ],
    ]


def _single(rng: Random) -> list[Page]:
    key = rng.randint(1, 10)
    slug = f"s{key}"
    return [
        lambda: one(Article.objects.filter(pk=key).first()),
        lambda: one(Article.objects.filter(slug=slug).first()),
        lambda: one(Article.objects.filter(slug=slug, published=True).first()),
        lambda: one(Article.objects.filter(slug=slug, author__name__startswith="a").first()),
        lambda: one(Article.objects.filter(pk=key, views__gt=2).first()),
        lambda: Article.objects.filter(pk=key).exists(),
        lambda: Article.objects.filter(pk=key).count(),
        lambda: list(Article.objects.filter(pk=key).values_list("title", flat=True)),
        lambda: [one(a) for a in Article.objects.in_bulk([key, key + 1]).values()],
        lambda: [t.name for t in Tag.objects.filter(articles=key).order_by("pk")],
        lambda: [c.text for c in Comment.objects.filter(article=key).order_by("pk")],
        lambda: [c.text for c in Comment.objects.filter(article__in=[key, key + 1])],
        lambda: [
            [c.text for c in a.comments.order_by("-likes", "pk")[:2]]
            for a in Article.objects.filter(pk=key)
        ],
        lambda: [[t.pk for t in a.tags.all()] for a in Article.objects.filter(pk=key)],
        lambda: [a.tags.count() for a in Article.objects.filter(pk=key)],
        lambda: [a.comments.count() for a in Article.objects.filter(pk=key)],
        lambda: [[b.title for b in a.parts.all()] for a in Article.objects.filter(pk=key)],
        lambda: [getattr(a, "profile", None) and a.profile.text for a in Author.objects.all()],
        lambda: [
            getattr(a, "profile", None) and a.profile.text
            for a in Author.objects.select_related("profile").order_by("pk")
        ],
        lambda: [p.author.name for p in Profile.objects.select_related("author")],
        lambda: [[n.text, n.about and n.about.title] for n in Note.objects.filter(kind=_kind())],
        lambda: [
            [n.text, n.about and n.about.title] for n in Note.objects.prefetch_related("about")
        ],
        lambda: [t.text for t in Ticket.objects.order_by("text")],
        lambda: [t.text for t in Ticket.objects.filter(pk=_ticket(key))],
        lambda: [c.name for c in Country.objects.filter(code=f"c{key}")],
        lambda: [[c.code, c.name] for c in Country.objects.order_by("name")],
    ]


def _kind() -> Any:
    return ContentType.objects.get_for_model(Article)


def _ticket(number: int) -> Any:
    import uuid

    return uuid.UUID(int=number)


def _inherited(rng: Random) -> list[Page]:
    key = rng.randint(1, 8)
    pages: list[Page] = [
        lambda: [p.name for p in Place.objects.order_by("name")],
        lambda: [[r.name, r.stars] for r in Restaurant.objects.filter(stars__gt=1)],
        lambda: [[r.name, r.stars] for r in Restaurant.objects.filter(name__contains="a")],
        lambda: [[p.name, p.stars, p.beers] for p in Pub.objects.order_by("name")],
        lambda: [[p.name, p.stars, p.beers] for p in Pub.objects.filter(pk=key)],
        lambda: [p.beers for p in Pub.objects.only("beers")],
        lambda: [p.name for p in Pub.objects.only("name")],
        lambda: list(Pub.objects.values_list("name", "beers")),
        lambda: list(Pub.objects.values_list("pk", "name")),
        lambda: [[c.name, c.seats] for c in Cinema.objects.all()],
        lambda: [[b.name, b.owner, b.knots] for b in Boat.objects.all()],
        lambda: [[b.name, b.owner] for b in Boat.objects.filter(pk=key)],
        lambda: [o.owner for o in Owned.objects.all()],
        lambda: [
            [p.name, getattr(p, "restaurant", None) and p.restaurant.stars]
            for p in Place.objects.select_related("restaurant", "restaurant__pub").order_by("pk")
        ],
        lambda: Restaurant.objects.aggregate(Sum("stars"), Count("pub")),
    ]
    if hasattr(models, "Seat"):
        seat = models.Seat
        pages += [
            lambda: [[s.row, s.number, s.guest] for s in seat.objects.order_by("pk")],
            lambda: [s.guest for s in seat.objects.filter(pk=("a", key))],
            lambda: [s.guest for s in seat.objects.filter(row="a", number=key)],
            lambda: [s.guest for s in seat.objects.filter(row="b")],
            lambda: list(seat.objects.values("pk", "guest")),
        ]
    if hasattr(models, "Shard"):
        pages.append(lambda: [s.text for s in models.Shard.objects.all()])
    return pages


def _by_hand(rng: Random) -> list[Page]:
    return [
        lambda: _rows("SELECT title, views FROM shelf_article WHERE views > 1"),
        lambda: _rows('SELECT a.name, b.title FROM "shelf_author" a, shelf_article b'),
        lambda: _rows("WITH x AS (SELECT * FROM shelf_comment) SELECT count(*), max(text) FROM x"),
        lambda: [shown(a) for a in Article.objects.raw("SELECT * FROM shelf_article ORDER BY id")],
        lambda: [[v.title, v.author_name] for v in Listing.objects.order_by("title")],
    ]


def _rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def all_pages(rng: Random) -> list[tuple[str, Page]]:
    """A page of each kind, of what is random in it, and a name for it."""
    kinds = [_lists, _grouped, _single, _inherited, _by_hand]
    return [
        (f"{kind.__name__}[{number}] of Django {django.get_version()}", page)
        for kind in kinds
        for number, page in enumerate(kind(rng))
    ]
