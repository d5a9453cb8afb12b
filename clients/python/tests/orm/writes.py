"""Writes of every kind, of random rows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import F, Value
from django.db.models.functions import Concat, Upper
from shelf import models
from shelf.models import (
    Article,
    Author,
    Boat,
    Brief,
    Cinema,
    Comment,
    Country,
    Note,
    Owned,
    Place,
    Profile,
    Pub,
    Restaurant,
    Tag,
    Ticket,
)

Write = Callable[[], Any]

SCHEMA = "main" if connection.vendor == "sqlite" else "public"


def word(rng: Random) -> str:
    return rng.choice("abc") + str(rng.randrange(10))


def pick(rng: Random, model: Any) -> Any:
    """A row, or one that is new."""
    keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
    return model.objects.get(pk=rng.choice(keys)) if keys else new(rng, model)


def new(rng: Random, model: Any) -> Any:
    """A row that wasn't there."""
    made: dict[Any, Callable[[], dict[str, Any]]] = {
        Author: lambda: {"name": word(rng)},
        Tag: lambda: {"name": word(rng)},
        Article: lambda: {
            "title": word(rng),
            "author": pick(rng, Author),
            "slug": _free_slug(rng),
            "views": rng.randrange(6),
            "published": rng.random() < 0.5,
            "data": {"x": rng.randrange(3)},
        },
        Comment: lambda: {
            "article": pick(rng, Article),
            "text": word(rng),
            "likes": rng.randrange(3),
        },
        Place: lambda: {"name": word(rng)},
        Restaurant: lambda: {"name": word(rng), "stars": rng.randrange(4)},
        Pub: lambda: {"name": word(rng), "stars": rng.randrange(4), "beers": rng.randrange(9)},
        Cinema: lambda: {"name": word(rng), "seats": rng.randrange(9)},
        Boat: lambda: {"name": word(rng), "owner": word(rng)},
        Owned: lambda: {"owner": word(rng)},
        Ticket: lambda: {"id": _free_uuid(rng), "text": word(rng)},
        Note: lambda: {"about": pick(rng, Article), "text": word(rng)},
    }
    return model.objects.create(**made[model]())


def _free_slug(rng: Random) -> str | None:
    slug = f"s{rng.randint(1, 10)}"
    return None if Article.objects.filter(slug=slug).exists() else slug


def _free_uuid(rng: Random) -> uuid.UUID:
    key = uuid.UUID(int=rng.randint(1, 10))
    return uuid.uuid4() if Ticket.objects.filter(pk=key).exists() else key


def _change(row: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _asynchronously(write: Any, **values: Any) -> None:
    # It has a connection of its own, which would wait for this one's transaction.
    if not connection.in_atomic_block:
        asyncio.run(write(**values))


def _saves(rng: Random) -> list[Write]:
    text, number = word(rng), rng.randrange(6)
    return [
        lambda: _change(pick(rng, Article), title=text).save(),
        lambda: _change(pick(rng, Article), views=number).save(update_fields=["views"]),
        lambda: _change(pick(rng, Article), published=number > 2).save(),
        lambda: _change(pick(rng, Article), data={"x": number > 1}).save(),
        lambda: _change(pick(rng, Article), views=F("views") + 1).save(),
        lambda: _change(pick(rng, Article), author=pick(rng, Author)).save(),
        lambda: _change(pick(rng, Article), parent=pick(rng, Article)).save(),
        lambda: _change(pick(rng, Article), second=pick(rng, Author)).save(),
        lambda: _change(pick(rng, Article), slug=_free_slug(rng)).save(),
        lambda: _change(pick(rng, Brief), title=text).save(),
        lambda: _change(
            Article.objects.only("title").first() or pick(rng, Article), title=text
        ).save(),
        lambda: _change(pick(rng, Author), name=text).save(),
        lambda: _asynchronously(_change(pick(rng, Author), name=text).asave),
        lambda: _change(pick(rng, Tag), name=text).save(),
        lambda: _change(pick(rng, Comment), text=text).save(),
        lambda: _change(pick(rng, Comment), article=pick(rng, Article)).save(),
        lambda: _change(pick(rng, Note), about=pick(rng, Article)).save(),
        lambda: _change(pick(rng, Ticket), text=text).save(),
        lambda: Profile.objects.update_or_create(author=pick(rng, Author), defaults={"text": text}),
        lambda: Country.objects.update_or_create(code=f"c{number}", defaults={"name": text}),
        lambda: Country(code=f"c{number}", name=text).save(),
        lambda: Tag.objects.get_or_create(pk=number + 1, defaults={"name": text}),
        lambda: _copy(pick(rng, Comment)),
    ]


def _copy(comment: Any) -> None:
    comment.pk = None
    comment._state.adding = True
    comment.save()


def _creates(rng: Random) -> list[Write]:
    text, number = word(rng), rng.randint(1, 10)
    article_keys = list(Article.objects.values_list("pk", flat=True)) or [pick(rng, Article).pk]
    kinds = (Author, Tag, Article, Comment, Note, Ticket)
    return [
        lambda: new(rng, rng.choice(kinds)),
        lambda: new(rng, Comment),
        lambda: new(rng, Article),
        lambda: Comment.objects.bulk_create(
            [Comment(article_id=rng.choice(article_keys), text=word(rng)) for _ in range(3)]
        ),
        lambda: Tag.objects.bulk_create([Tag(pk=number, name=text)], ignore_conflicts=True),
        lambda: Tag.objects.bulk_create(
            [Tag(pk=number, name=text), Tag(pk=number + 1, name=text)],
            update_conflicts=True,
            update_fields=["name"],
            unique_fields=["id"],
        ),
        lambda: Article.objects.bulk_create(
            [Article(title=text, slug=f"s{number}", author=pick(rng, Author), views=1)],
            update_conflicts=True,
            update_fields=["title", "views"],
            unique_fields=["slug"],
        ),
        lambda: pick(rng, Article).comments.create(text=text),
        lambda: pick(rng, Article).notes.create(text=text),
        lambda: pick(rng, Article).tags.create(name=text),
    ]


def _updates(rng: Random) -> list[Write]:
    text, number = word(rng), rng.randrange(6)
    articles = Article.objects
    return [
        lambda: articles.filter(published=True).update(views=number),
        lambda: articles.filter(pk=pick(rng, Article).pk).update(title=text),
        lambda: articles.update(title=Concat("title", Value("!"))),
        lambda: articles.filter(author__name__startswith="a").update(published=number > 2),
        lambda: articles.filter(views__lt=3).update(author=pick(rng, Author)),
        lambda: articles.filter(pk__in=[number, number + 1]).update(parent=None, slug=None),
        lambda: Brief.objects.filter(views__gt=2).update(title=text),
        lambda: Comment.objects.filter(likes=1).update(text=text, likes=F("likes") + 1),
        lambda: Comment.objects.filter(article__published=True).update(likes=number),
        lambda: _bulk(rng, text),
        lambda: Author.objects.filter(articles__views__gt=2).update(name=Upper("name")),
        lambda: pick(rng, Author).articles.update(views=number),
        lambda: pick(rng, Article).comments.set(Comment.objects.filter(likes=1)),
        lambda: pick(rng, Article).comments.add(pick(rng, Comment)),
        lambda: pick(rng, Article).parts.set(Article.objects.filter(views=number)),
        lambda: pick(rng, Article).parts.clear(),
        lambda: _asynchronously(Tag.objects.filter(name__startswith="b").aupdate, name=text),
    ]


def _bulk(rng: Random, text: str) -> None:
    comments = list(Comment.objects.order_by("pk")[:3])
    for comment in comments:
        comment.text = text
        comment.likes = rng.randrange(3)
    Comment.objects.bulk_update(comments, ["text", "likes"])


def _deletes(rng: Random) -> list[Write]:
    number = rng.randrange(4)
    return [
        lambda: pick(rng, Comment).delete(),
        lambda: pick(rng, Article).delete(),
        lambda: pick(rng, Author).delete(),
        lambda: pick(rng, Tag).delete(),
        lambda: pick(rng, Note).delete(),
        lambda: pick(rng, Ticket).delete(),
        lambda: Comment.objects.filter(likes=number).delete(),
        lambda: Comment.objects.filter(article__views=number).delete(),
        lambda: Comment.objects.filter(likes=number)._raw_delete("default"),
        lambda: Article.objects.filter(views=number).delete(),
        lambda: Profile.objects.all().delete(),
        lambda: Country.objects.filter(code=f"c{number}").delete(),
    ]


def _many_to_many(rng: Random) -> list[Write]:
    tags = list(Tag.objects.all())
    some = rng.sample(tags, min(len(tags), 2))
    return [
        lambda: pick(rng, Article).tags.add(*some),
        lambda: pick(rng, Article).tags.remove(*some),
        lambda: pick(rng, Article).tags.set(some),
        lambda: pick(rng, Article).tags.clear(),
        lambda: pick(rng, Tag).articles.add(pick(rng, Article)),
        lambda: pick(rng, Tag).articles.clear(),
        lambda: pick(rng, Tag).articles.set([pick(rng, Article)]),
    ]


def _inherited(rng: Random) -> list[Write]:
    text, number = word(rng), rng.randrange(6)
    writes: list[Write] = [
        lambda: new(rng, rng.choice((Place, Restaurant, Pub, Cinema, Boat, Owned))),
        lambda: _change(pick(rng, Pub), name=text).save(),
        lambda: _change(pick(rng, Pub), beers=number).save(update_fields=["beers"]),
        lambda: _change(pick(rng, Place), name=text).save(),
        lambda: _change(pick(rng, Restaurant), stars=number, name=text).save(),
        lambda: _change(pick(rng, Cinema), name=text).save(),
        lambda: _change(pick(rng, Boat), owner=text).save(),
        lambda: _change(pick(rng, Owned), owner=text).save(),
        lambda: Pub.objects.filter(beers__gt=3).update(name=text, stars=number),
        lambda: Pub.objects.update(name=text),
        lambda: Place.objects.filter(name__startswith="a").update(name=text),
        lambda: Restaurant.objects.filter(stars=number).update(stars=F("stars") + 1),
        lambda: Owned.objects.filter(owner__startswith="b").update(owner=text),
        lambda: pick(rng, Pub).delete(),
        lambda: pick(rng, Pub).delete(keep_parents=True),
        lambda: pick(rng, Place).delete(),
        lambda: pick(rng, Boat).delete(),
        lambda: Restaurant.objects.filter(stars=number).delete(),
    ]
    if hasattr(models, "Seat"):
        seat = models.Seat
        writes += [
            lambda: seat(row=rng.choice("ab"), number=number, guest=text).save(),
            lambda: seat.objects.filter(row="a").update(guest=text),
            lambda: seat.objects.filter(pk=("a", number)).delete(),
        ]
    if hasattr(models, "Shard"):
        writes += [
            lambda: models.Shard.objects.create(place=pick(rng, Place), text=text),
            lambda: Place.objects.filter(name__startswith="a").delete(),
        ]
    return writes


def _by_hand(rng: Random) -> list[Write]:
    text, number = word(rng), rng.randrange(6)
    statements: list[tuple[str, list[Any]]] = [
        ("UPDATE shelf_article SET title = %s WHERE views > %s", [text, number]),
        ('UPDATE "shelf_author" SET "name" = %s', [text]),
        ("DELETE FROM shelf_comment WHERE likes = %s", [number]),
        (f'delete from {SCHEMA}."shelf_comment" where likes = %s', [number]),
        ("INSERT INTO shelf_tag (name) VALUES (%s)", [text]),
        ("INSERT INTO shelf_tag (name) SELECT name || %s FROM shelf_author", [text]),
        (
            "INSERT INTO shelf_tag (id, name) VALUES (%s, %s) "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            [number, text],
        ),
        (
            "WITH x AS (SELECT id FROM shelf_article WHERE views < 3) "
            "UPDATE shelf_comment SET text = %s WHERE article_id IN (SELECT id FROM x)",
            [text],
        ),
        ("/* DELETE */ UPDATE shelf_place SET name = 'it''s ' || %s -- none", [text]),
    ]
    if connection.vendor == "sqlite":
        statements += [
            ("REPLACE INTO shelf_tag (id, name) VALUES (%s, %s)", [number, text]),
            ("INSERT OR REPLACE INTO shelf_tag (id, name) VALUES (%s, %s)", [number, text]),
        ]
    else:
        statements += [
            (
                "MERGE INTO shelf_tag t USING (SELECT %s AS name) n ON t.name = n.name "
                "WHEN MATCHED THEN DELETE",
                [text],
            ),
            ("TRUNCATE shelf_comment", []),
            (
                "WITH gone AS (DELETE FROM shelf_comment WHERE likes = %s RETURNING text) "
                "UPDATE shelf_tag SET name = gone.text FROM gone",
                [number],
            ),
        ]
    sql, params = rng.choice(statements)

    def execute() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)

    def many() -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE shelf_comment SET text = %s WHERE likes = %s", [(text, 0), (text, 1)]
            )

    return [execute, execute, many]


KINDS = [_saves, _saves, _creates, _updates, _deletes, _many_to_many, _inherited, _by_hand]


def random_write(rng: Random) -> tuple[str, Write]:
    """A write, and a name for it."""
    kind = rng.choice(KINDS)
    writes = kind(rng)
    number = rng.randrange(len(writes))

    def write() -> None:
        try:
            writes[number]()
        except IntegrityError:
            if connection.in_atomic_block:
                raise

    return f"{kind.__name__}[{number}]", write


def fill(rng: Random) -> None:
    """Some rows to begin with."""
    for model in (Author, Tag, Article, Comment, Pub, Cinema, Boat, Place, Ticket, Note):
        for _ in range(4):
            new(rng, model)
    for article in Article.objects.all():
        article.tags.add(pick(rng, Tag))
