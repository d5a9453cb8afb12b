"""What a write purges, whatever way it is made."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from shelf import models
from shelf.models import Article, Author, Brief, Comment, Place, Profile, Pub, Restaurant, Tag
from support import Sent, tags_of

import django
from larder_client.django.orm import purge_on_commit
from larder_client.django.orm.changes import Change

ARTICLE, AUTHOR, COMMENT, TAG = (
    "shelf." + name for name in ("article", "author", "comment", "tag")
)


@pytest.fixture
def article(sent: Sent) -> Article:
    author = Author.objects.create(name="Ann")
    article = Article.objects.create(title="T", slug="s", author=author)
    sent.clear()
    return article


def row(model: str, *keys: object) -> set[str]:
    """The tags of a write of rows that are known."""
    linked = model.partition(".")[2] in ("article", "comment", "profile", "note", "article_tags")
    lists = {f"{model}:list", f"{model}:lists"} if linked else {f"{model}:list"}
    return {model, *lists, *(f"{model}:{key}" for key in keys)}


def unknown(model: str) -> set[str]:
    """The tags of a write of rows that nobody knows."""
    return row(model, "rows")


def test_a_new_row(article: Article, sent: Sent) -> None:
    tag = Tag.objects.create(name="x")
    assert sent.tags == row(TAG, tag.pk)
    assert len(sent.purges) == 1


def test_a_saved_row(article: Article, sent: Sent) -> None:
    article.title = "U"
    article.save()
    assert sent.tags == row(ARTICLE, article.pk)


def test_ways_to_write_rows_that_are_known(article: Article, sent: Sent) -> None:
    key = article.pk
    ways: list[Callable[[], Any]] = [
        lambda: article.save(update_fields=["title"]),
        lambda: Article.objects.filter(pk=key).update(views=F("views") + 1),
        lambda: Article.objects.filter(pk__in=[key]).update(title=Concat("title", Value("!"))),
        lambda: Article.objects.bulk_update([article], ["title", "views"]),
        lambda: Article.objects.update_or_create(pk=key, defaults={"title": "V"}),
        lambda: Brief.objects.get(pk=key).save(),
        lambda: asyncio.run(article.asave()),
        lambda: asyncio.run(Article.objects.filter(pk=key).aupdate(views=3)),
    ]
    for way in ways:
        sent.clear()
        way()
        assert sent.tags == row(ARTICLE, key)
        assert len(sent.purges) == 1


def test_an_update_by_another_column(article: Article, sent: Sent) -> None:
    Article.objects.filter(title="T").update(views=1)
    assert sent.tags == unknown(ARTICLE)
    sent.clear()
    Article.objects.filter(author__name="Ann").update(views=2)
    assert sent.tags == unknown(ARTICLE)


def test_a_key_that_is_changed_itself(article: Article, sent: Sent) -> None:
    tag = Tag.objects.create(name="x")
    sent.clear()
    Tag.objects.filter(pk=tag.pk).update(id=tag.pk + 1000)
    assert sent.tags == unknown(TAG)


def test_many_new_rows(article: Article, sent: Sent) -> None:
    tags = Tag.objects.bulk_create([Tag(name="a"), Tag(name="b")])
    assert sent.tags == row(TAG, *(tag.pk for tag in tags))
    sent.clear()
    Tag.objects.bulk_create([Tag(pk=tags[0].pk, name="c"), Tag(name="d")], ignore_conflicts=True)
    assert sent.tags >= {TAG, f"{TAG}:list"}
    sent.clear()
    Tag.objects.bulk_create(
        [Tag(pk=tags[0].pk, name="c"), Tag(name="e")],
        update_conflicts=True,
        update_fields=["name"],
        unique_fields=["id"],
    )
    assert Tag.objects.get(pk=tags[0].pk).name == "c"
    assert sent.tags >= {TAG, f"{TAG}:list"}
    assert sent.tags & {f"{TAG}:rows", f"{TAG}:{tags[0].pk}"}


def test_a_row_that_goes(article: Article, sent: Sent) -> None:
    tag = Tag.objects.create(name="x")
    for way in [
        lambda tag: tag.delete(),
        lambda tag: Tag.objects.filter(pk=tag.pk).delete(),
        lambda tag: Tag.objects.filter(pk=tag.pk)._raw_delete("default"),
        lambda tag: asyncio.run(tag.adelete()),
    ]:
        tag = Tag.objects.create(name="x")
        key = tag.pk
        sent.clear()
        way(tag)
        assert sent.tags >= row(TAG, key)
        assert len(sent.purges) == 1


def test_cascades(article: Article, sent: Sent) -> None:
    other = Author.objects.create(name="Bob")
    second = Article.objects.create(title="2", author=other, second=article.author, parent=article)
    Comment.objects.create(article=article, text="c")
    note = article.notes.create(text="n")
    tag = Tag.objects.create(name="t")
    article.tags.add(tag)
    key, note_key, author_key = article.pk, note.pk, article.author_id
    sent.clear()
    article.author.delete()
    assert len(sent.purges) == 1
    assert sent.tags >= row(AUTHOR, author_key) | row(ARTICLE, key) | unknown(COMMENT)
    assert f"{ARTICLE}:{second.pk}" in sent.tags or f"{ARTICLE}:rows" in sent.tags
    assert sent.tags >= row("shelf.note", note_key) or sent.tags >= unknown("shelf.note")
    assert sent.tags >= unknown("shelf.article_tags")
    second.refresh_from_db()
    assert (second.second, second.parent) == (None, None)


def test_many_to_many(article: Article, sent: Sent) -> None:
    between = "shelf.article_tags"
    tag = Tag.objects.create(name="x")
    for way in [
        lambda: article.tags.add(tag),
        lambda: article.tags.remove(tag),
        lambda: article.tags.set([tag]),
        lambda: article.tags.clear(),
        lambda: tag.articles.add(article),
        lambda: asyncio.run(article.tags.aclear()),
    ]:
        sent.clear()
        way()
        assert sent.tags >= {between, f"{between}:list"}
        assert len(sent.purges) == 1


def test_reverse_relations(article: Article, sent: Sent) -> None:
    comment = Comment.objects.create(
        article=Article.objects.create(title="2", author=article.author), text="c"
    )
    sent.clear()
    article.comments.add(comment)
    assert sent.tags == row(COMMENT, comment.pk)
    sent.clear()
    profile = Profile(text="p")
    article.author.profile = profile
    profile.save()
    assert sent.tags == {
        "shelf.profile",
        "shelf.profile:list",
        f"shelf.profile:list.author={article.author_id}",
        f"shelf.profile:{profile.pk}",
    }


def test_a_new_row_leaves_the_lists_of_other_foreign_keys(article: Article, sent: Sent) -> None:
    other = Article.objects.create(title="2", author=article.author)
    page = tags_of(lambda: list(article.comments.all()))
    others = tags_of(lambda: list(other.comments.all()))
    by_text = tags_of(lambda: list(Comment.objects.filter(text="x")))
    for way in [
        lambda: Comment.objects.create(article=article, text="c"),
        lambda: Comment.objects.bulk_create([Comment(article=article, text="c")]),
        lambda: article.comments.create(text="c"),
    ]:
        sent.clear()
        way()
        assert sent.tags & page
        assert sent.tags & by_text
        assert not sent.tags & others
    sent.clear()
    Comment.objects.filter(text="c").update(likes=2)
    assert sent.tags & page
    assert sent.tags & others


def test_tags_of_one_article_leave_those_of_another(article: Article, sent: Sent) -> None:
    other = Article.objects.create(title="2", author=article.author)
    tag = Tag.objects.create(name="t")
    page, others = (
        tags_of(lambda: list(article.tags.all())),
        tags_of(lambda: list(other.tags.all())),
    )
    for way in [lambda: article.tags.add(tag), lambda: article.tags.remove(tag)]:
        sent.clear()
        way()
        assert sent.tags & page
        assert not sent.tags & others
    article.tags.add(tag)
    sent.clear()
    article.tags.clear()
    assert sent.tags & page


def test_inherited_tables(sent: Sent) -> None:
    pub = Pub.objects.create(name="P", stars=1, beers=2)
    key = pub.pk
    names = ["shelf.place", "shelf.restaurant", "shelf.pub"]
    everywhere = set().union(*(row(name, key) for name in names))
    assert sent.tags == everywhere
    sent.clear()
    pub.save()
    # The cinemas' lists stay: it is known that this place is none.
    assert sent.tags == everywhere
    sent.clear()
    pub.save(update_fields=["beers"])
    assert sent.tags == row("shelf.pub", key)
    sent.clear()
    Pub.objects.filter(pk=key).update(name="Q", beers=3)
    assert sent.tags >= everywhere
    sent.clear()
    Place.objects.get(pk=key).save()
    assert sent.tags >= everywhere
    sent.clear()
    Restaurant.objects.filter(stars=1).update(name="R")
    assert sent.tags >= {f"{name}:{key}" for name in names} | {f"{name}:list" for name in names}
    sent.clear()
    pub.delete()
    assert sent.tags >= everywhere


def test_a_parent_with_a_key_of_its_own(sent: Sent) -> None:
    models.Place.objects.create(name="shifts the keys")
    boat = models.Boat.objects.create(name="B", owner="O", knots=3)
    assert boat.pk != boat.owned_id
    sent.clear()
    models.Owned.objects.filter(pk=boat.owned_id).update(owner="P")
    assert sent.tags & {"shelf.boat:rows", f"shelf.boat:{boat.pk}"}


@pytest.mark.skipif(not hasattr(models, "Seat"), reason="composite keys are of Django 5.2")
def test_composite_keys(sent: Sent) -> None:
    seat = models.Seat.objects.create(row="A", number=7, guest="x")
    assert sent.tags == row("shelf.seat", "A,7")
    sent.clear()
    seat.guest = "y"
    seat.save()
    assert sent.tags == row("shelf.seat", "A,7")
    sent.clear()
    models.Seat.objects.filter(row="A").update(guest="z")
    assert sent.tags == unknown("shelf.seat")
    sent.clear()
    seat.delete()
    assert sent.tags == row("shelf.seat", "A,7")


@pytest.mark.skipif(not hasattr(models, "Shard"), reason="DB_CASCADE is of Django 6.1")
def test_what_the_database_itself_deletes(sent: Sent) -> None:
    place = Place.objects.create(name="P")
    models.Shard.objects.create(place=place, text="s")
    sent.clear()
    Place.objects.filter(pk=place.pk).delete()
    assert not models.Shard.objects.exists()
    assert sent.tags >= unknown("shelf.shard")


def test_uuid_and_text_keys(sent: Sent) -> None:
    ticket = models.Ticket.objects.create(text="x")
    assert sent.tags == row("shelf.ticket", ticket.pk)
    sent.clear()
    models.Ticket.objects.filter(pk=str(ticket.pk).upper()).update(text="y")
    assert sent.tags == row("shelf.ticket", ticket.pk)
    country = models.Country.objects.create(code="fr", name="F")
    sent.clear()
    country.delete()
    assert sent.tags == row("shelf.country", "fr")


def test_deferred_fields(article: Article, sent: Sent) -> None:
    partial = Article.objects.only("title").get(pk=article.pk)
    partial.title = "D"
    partial.save()
    assert sent.tags == row(ARTICLE, article.pk)


def test_a_swapped_user_model(sent: Sent) -> None:
    reader = models.Reader.objects.create_user("r", password="p")
    assert sent.tags >= row("shelf.reader", reader.pk)
    sent.clear()
    reader.username = "s"
    reader.save()
    assert sent.tags == row("shelf.reader", reader.pk)


def test_a_login_purges_nothing(sent: Sent) -> None:
    from django.contrib.auth import user_logged_in

    reader = models.Reader.objects.create_user("r", password="p")
    sent.clear()
    user_logged_in.send(models.Reader, request=None, user=reader)
    reader.refresh_from_db()
    assert reader.last_login
    assert sent.purges == []


def test_models_that_are_left_out(sent: Sent) -> None:
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    sent.clear()
    Session.objects.create(session_key="k", session_data="d", expire_date=timezone.now())
    ContentType.objects.create(app_label="x", model="y")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")
    assert sent.purges == []


def test_a_write_that_fails_purges_nothing(article: Article, sent: Sent) -> None:
    with pytest.raises(django.db.IntegrityError):
        Article.objects.create(title="x", slug="s", author=article.author)
    assert sent.purges == []


def test_very_many_rows_are_their_models(article: Article, sent: Sent) -> None:
    keys = tuple(range(600))
    assert Change(Tag, grows=True, keys=keys).tags() == {TAG, f"{TAG}:list"}
    assert Change(Tag, keys=keys).tags() == unknown(TAG)
    Tag.objects.filter(pk__in=keys).update(name="x")
    assert sent.tags == unknown(TAG)
    sent.clear()
    with transaction.atomic():
        for key in range(5_100):
            purge_on_commit("default", [f"{COMMENT}:{key}", COMMENT], ["by-hand"])
    assert sent.tags == {*unknown(COMMENT), "by-hand"}


def test_a_migration_that_changes_rows(sent: Sent) -> None:
    """It has models of its own, which know neither heirs nor registrations."""
    pub = Pub.objects.create(name="P")
    from django.db.migrations.state import ProjectState

    place = ProjectState.from_apps(apps).apps.get_model("shelf", "Place")
    assert place is not Place
    sent.clear()
    place.objects.filter(pk=pub.pk).update(name="Q")
    assert sent.tags >= {f"shelf.place:{pub.pk}", f"shelf.pub:{pub.pk}", "shelf.pub:list"}
    sent.clear()
    place.objects.update(name="R")
    assert sent.tags >= {"shelf.place:rows", "shelf.pub:rows"}


def test_an_error_of_ours_fails_no_write(
    article: Article, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("larder_client.django.orm.lookups.asked_keys", broken)
    article.save()
    assert sent.tags == unknown(ARTICLE)
