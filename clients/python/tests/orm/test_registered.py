"""`register`: tags of the site's own, fields that don't matter, lists that do."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F
from shelf import models
from shelf.models import Article, Author, Brief, Comment, Listing, Place, Pub, Tag
from support import Sent, registered, tags_of

from larder_client.django.orm import register


def of_article(comment: Any) -> list[str]:
    return [f"article-{comment.article_id}"]


@pytest.fixture
def articles(sent: Sent) -> list[Article]:
    author = Author.objects.create(name="Ann")
    found = [Article.objects.create(title=str(n), slug=f"s{n}", author=author) for n in range(2)]
    sent.clear()
    return found


def test_the_row_as_it_was_and_as_it_is(articles: list[Article], sent: Sent) -> None:
    one, two = articles
    both = {f"article-{one.pk}", f"article-{two.pk}"}
    with registered(Comment, tags=of_article):
        comment = Comment.objects.create(article=one, text="c")
        assert sent.tags & both == {f"article-{one.pk}"}
        ways = [
            lambda: setattr(comment, "article", two) or comment.save(),
            lambda: Comment.objects.filter(pk=comment.pk).update(article=one),
            lambda: Comment.objects.filter(text="c").update(article=two),
            lambda: (
                setattr(comment, "article", one)
                or Comment.objects.bulk_update([comment], ["article"])
            ),
            lambda: two.comments.add(comment),
        ]
        for way in ways:
            sent.clear()
            way()
            assert sent.tags >= both
            assert len(sent.purges) == 1
        sent.clear()
        # What was changed in memory and never saved is not what goes.
        comment.article_id = 999
        comment.delete()
        assert sent.tags & {*both, "article-999"} == {f"article-{two.pk}"}


def test_every_way_to_make_and_to_lose_rows(articles: list[Article], sent: Sent) -> None:
    one, two = articles
    with registered(Comment, tags=of_article):
        Comment.objects.bulk_create(
            [Comment(article=one, text="a"), Comment(article=two, text="b")]
        )
        assert sent.tags >= {f"article-{one.pk}", f"article-{two.pk}"}
        sent.clear()
        Comment.objects.filter(text="a").delete()
        assert f"article-{one.pk}" in sent.tags
        assert f"article-{two.pk}" not in sent.tags
        key = two.pk
        sent.clear()
        two.author.delete()  # by a cascade that reads no comments
        assert f"article-{key}" in sent.tags
        assert len(sent.purges) == 1


def test_ends_of_many_to_many_relations(articles: list[Article], sent: Sent) -> None:
    one = articles[0]
    tag, other = Tag.objects.create(name="t"), Tag.objects.create(name="o")

    def named(article: Article) -> list[str]:
        return [f"about-{about.name}" for about in article.tags.all()]

    with registered(Article, tags=named):
        for way, expected in [
            (lambda: one.tags.add(tag), {"about-t"}),
            (lambda: other.articles.add(one), {"about-t", "about-o"}),
            (lambda: one.tags.remove(tag), {"about-t", "about-o"}),
            (lambda: one.tags.clear(), {"about-o"}),
        ]:
            sent.clear()
            way()
            assert {name for name in sent.tags if name.startswith("about")} == expected


def test_fields_that_do_not_matter(articles: list[Article], sent: Sent) -> None:
    one = articles[0]
    with registered(Article, ignore_fields=["views"], tags=lambda article: ["mine"]):
        one.views = 5
        one.save()
        one.save(update_fields=["views"])
        one.save()
        Article.objects.filter(pk=one.pk).update(views=F("views") + 1)
        Article.objects.update(views=7)
        Article.objects.bulk_update([one], ["views"])
        Brief.objects.filter(pk=one.pk).update(views=1)
        assert sent.purges == []
        # A value that comes to be changed by something else than this save.
        one.title = F("slug")
        one.save()
        assert sent.tags >= {f"shelf.article:{one.pk}", "mine"}
        sent.clear()
        # Only what differs counts, and it counts with its type.
        one.refresh_from_db()
        one.data = {"a": 1}
        one.save()
        sent.clear()
        one.data = {"a": True}
        one.save()
        assert f"shelf.article:{one.pk}" in sent.tags
        sent.clear()
        Article.objects.filter(title="x").update(views=1, title="y")
        assert "shelf.article:rows" in sent.tags
        sent.clear()
        one.delete()
        Article.objects.create(title="z", author=articles[1].author, views=3)
        assert "shelf.article:list" in sent.tags


def test_fields_that_lists_go_by(articles: list[Article], sent: Sent) -> None:
    one = articles[0]
    with registered(Article, list_fields=["published", "title"]):
        one.views = 5
        one.save()
        assert sent.tags == {"shelf.article", f"shelf.article:{one.pk}"}
        sent.clear()
        one.published = False
        one.save()
        assert "shelf.article:list" in sent.tags
        sent.clear()
        Article.objects.filter(views=5).update(data={})
        assert sent.tags == {"shelf.article", "shelf.article:rows"}
        sent.clear()
        Article.objects.filter(views=5).update(title="x")
        assert "shelf.article:list" in sent.tags


def test_a_proxy_is_registered_as_what_it_stands_for(articles: list[Article], sent: Sent) -> None:
    seen = []

    def tags(brief: Any) -> str:
        seen.append(type(brief))
        return "brief"

    with registered(Brief, tags=tags):
        articles[0].save()
    assert "brief" in sent.tags
    assert set(seen) == {Brief}


def test_an_heir_is_asked_when_its_parent_is_written(sent: Sent) -> None:
    pub = Pub.objects.create(name="P", beers=1)
    place = Place.objects.create(name="none")
    with registered(Pub, tags=lambda pub: [f"pub-{pub.name}"]):
        sent.clear()
        Place.objects.filter(pk=pub.pk).update(name="Q")
        assert sent.tags >= {"pub-P", "pub-Q"}
        sent.clear()
        place.save()
        assert not {tag for tag in sent.tags if tag.startswith("pub")}


def test_nothing_after_a_rollback(articles: list[Article], sent: Sent) -> None:
    with registered(Comment, tags=of_article):
        with transaction.atomic():
            Comment.objects.create(article=articles[0], text="c")
            transaction.set_rollback(True)
        assert sent.purges == []


def test_what_tags_reads_is_no_part_of_the_page(articles: list[Article], sent: Sent) -> None:
    with registered(Comment, tags=lambda comment: [comment.article.author.name]):
        tags = tags_of(lambda: Comment.objects.create(article=articles[0], text="c"))
    assert tags == set()
    assert "Ann" in sent.tags


def test_a_function_that_fails_spoils_no_write(
    articles: list[Article], sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    def tags(comment: Any) -> list[str]:
        raise KeyError("oops")

    with registered(Comment, tags=tags), caplog.at_level(logging.ERROR, "larder_client"):
        comment = Comment.objects.create(article=articles[0], text="c")
    assert f"shelf.comment:{comment.pk}" in sent.tags
    assert "The tags registered for shelf.Comment can't be worked out" in caplog.text


def test_registrations_add_up(articles: list[Article], sent: Sent) -> None:
    with registered(Tag, tags=lambda tag: ["a"]):
        register(Tag, tags=lambda tag: ["b", ""])
        Tag.objects.create(name="x")
    assert sent.tags >= {"a", "b"}
    assert "" not in sent.tags


def test_what_cannot_be_registered() -> None:
    class Abstract(models.models.Model):
        class Meta:
            abstract = True
            app_label = "shelf"

    wrong: list[tuple[type[Exception], str, Any]] = [
        (TypeError, "a model with a table", lambda: register("shelf.Tag")),  # type: ignore[arg-type]
        (TypeError, "a model with a table", lambda: register(Abstract)),
        (TypeError, "a function", lambda: register(Tag, tags=["x"])),  # type: ignore[arg-type]
        (TypeError, "not the string 'name'", lambda: register(Tag, ignore_fields="name")),
        (ValueError, "shelf.Tag: Tag has no field", lambda: register(Tag, ignore_fields=["nam"])),
        (ValueError, "has no column", lambda: register(Article, ignore_fields=["tags"])),
        (
            ValueError,
            "'name' is a field of shelf.Place",
            lambda: register(Pub, list_fields=["name"]),
        ),
        (TypeError, "'x' is none", lambda: register(Listing, reads_from=["x"])),
    ]
    for kind, words, call in wrong:
        with pytest.raises(kind) as error:
            call()
        assert words in str(error.value)


def test_groups_are_models_as_others(sent: Sent) -> None:
    reader = models.Reader.objects.create(username="r")
    with registered(models.Reader, tags=lambda reader: [f"reader-{reader.pk}"]):
        sent.clear()
        reader.groups.add(Group.objects.create(name="g"))
    assert f"reader-{reader.pk}" in sent.tags
