"""What a page is recorded to be made of."""

import asyncio
import uuid

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch
from django.db.models.sql.constants import MULTI
from django.test import override_settings
from shelf import models
from shelf.models import Article, Author, Brief, Comment, Country, Place, Restaurant, Tag, Ticket
from support import registered, tags_of

from larder_client import collecting
from larder_client.django.orm import names, reading, unwatched

pytestmark = pytest.mark.usefixtures("db")

ARTICLE, AUTHOR, COMMENT, TAG = (
    "shelf." + name for name in ("article", "author", "comment", "tag")
)


@pytest.fixture
def articles(db: None) -> list[Article]:
    ann, bob = Author.objects.create(name="Ann"), Author.objects.create(name="Bob")
    tag = Tag.objects.create(name="news")
    found = []
    for number in range(3):
        article = Article.objects.create(
            title=f"T{number}", slug=f"s{number}", author=[ann, bob][number % 2]
        )
        article.tags.add(tag)
        Comment.objects.create(article=article, text=f"C{number}")
        found.append(article)
    return found


def rows(model: str, *keys: object) -> set[str]:
    return {f"{model}:{key}" for key in keys} | {f"{model}:rows"}


def listed(model: str, *keys: object, field: str = "article") -> set[str]:
    return {f"{model}:list.{field}={key}" for key in keys} | {f"{model}:lists"}


def test_a_list_is_its_rows_and_that_there_could_be_others(articles: list[Article]) -> None:
    keys = [article.pk for article in articles]
    assert tags_of(lambda: list(Article.objects.all())) == {
        *rows(ARTICLE, *keys),
        f"{ARTICLE}:list",
    }


def test_a_row_by_its_key_is_that_row_alone(articles: list[Article]) -> None:
    key = articles[1].pk
    for page in [
        lambda: Article.objects.get(pk=key),
        lambda: Article.objects.get(pk=str(key)),
        lambda: Article.objects.filter(pk__in=[key]).first(),
        lambda: Article.objects.in_bulk([key]),
        lambda: list(Article.objects.filter(pk=key).values()),
        lambda: Brief.objects.get(pk=key),
        lambda: Article.objects.get(pk=key).refresh_from_db(),
        lambda: Article.objects.only("title").get(pk=key).slug,
    ]:
        assert tags_of(page) == rows(ARTICLE, key)


def test_a_row_that_is_not_there_may_come(articles: list[Article]) -> None:
    expected = {*rows(ARTICLE, 999), f"{ARTICLE}:list"}
    assert tags_of(lambda: Article.objects.filter(pk=999).first()) == expected
    some = tags_of(lambda: list(Article.objects.filter(pk__in=[articles[0].pk, 999])))
    assert some == {*rows(ARTICLE, articles[0].pk, 999), f"{ARTICLE}:list"}


def test_a_row_that_a_join_brings_twice_is_no_other_row(articles: list[Article]) -> None:
    first = articles[0]
    Comment.objects.create(article=first, text="one more")
    asked = Article.objects.filter(pk__in=[first.pk, 999]).order_by("comments__text")
    assert len(asked) == 2
    assert f"{ARTICLE}:list" in tags_of(lambda: list(asked.all()))
    found = Article.objects.filter(pk=first.pk).order_by("comments__text")
    assert f"{ARTICLE}:list" not in tags_of(lambda: list(found))


def test_one_found_by_a_unique_column_has_no_list(articles: list[Article]) -> None:
    assert tags_of(lambda: Article.objects.get(slug="s1")) == rows(ARTICLE, articles[1].pk)
    missing = tags_of(lambda: Article.objects.filter(slug="none").first())
    assert missing == {f"{ARTICLE}:list"}
    several = tags_of(lambda: list(Article.objects.filter(slug__in=["s1"])))
    assert f"{ARTICLE}:list" in several


def test_related_rows_are_recorded_where_they_are_reached(articles: list[Article]) -> None:
    article = articles[0]
    assert tags_of(lambda: Article.objects.get(pk=article.pk).author.name) == {
        *rows(ARTICLE, article.pk),
        *rows(AUTHOR, article.author_id),
    }
    joined = tags_of(lambda: Article.objects.select_related("author").get(pk=article.pk))
    assert joined == {*rows(ARTICLE, article.pk), *rows(AUTHOR, article.author_id)}
    comments = tags_of(lambda: list(article.comments.all()))
    assert comments == {*rows(COMMENT, article.comments.get().pk), *listed(COMMENT, article.pk)}


def test_prefetched_rows_are_recorded(articles: list[Article]) -> None:
    def page() -> None:
        queryset = Article.objects.prefetch_related(
            Prefetch("comments", Comment.objects.order_by("pk"))
        )
        assert [len(article.comments.all()) for article in queryset] == [1, 1, 1]

    keys = Comment.objects.values_list("pk", flat=True)
    lists = listed(COMMENT, *(article.pk for article in articles))
    assert tags_of(page) == {
        *rows(ARTICLE, *(article.pk for article in articles)),
        f"{ARTICLE}:list",
        *rows(COMMENT, *keys),
        *lists,
    }


def test_many_to_many_depends_on_the_rows_between(articles: list[Article]) -> None:
    tags = tags_of(lambda: list(articles[0].tags.all()))
    assert tags == {
        *rows(TAG, Tag.objects.get().pk),
        f"{TAG}:list",
        *listed("shelf.article_tags", articles[0].pk),
    }
    any_article = tags_of(lambda: list(Tag.objects.filter(articles__title="T0")))
    assert {"shelf.article_tags", ARTICLE} <= any_article


def test_a_list_by_a_foreign_key_is_one_of_its_own(articles: list[Article]) -> None:
    key = articles[0].author_id
    expected = listed(ARTICLE, key, field="author")
    for page in [
        lambda: list(Article.objects.filter(author=key)[:1]),
        lambda: list(Article.objects.filter(author_id=str(key), published=True)[:1]),
        lambda: list(Article.objects.filter(author__in=[key]).order_by("views")[:1]),
        lambda: list(Author.objects.get(pk=key).articles.values("pk")[:1]),
    ]:
        tags = tags_of(page)
        assert tags >= expected
        assert f"{ARTICLE}:list" not in tags
    for page in [
        lambda: list(Article.objects.exclude(author=key)),
        lambda: list(Article.objects.filter(author__isnull=False)),
        lambda: list(Article.objects.filter(author__gt=key)),
        lambda: list(Article.objects.filter(author__in=Author.objects.all())),
        lambda: list(Article.objects.filter(author__in=range(1, 30))),
    ]:
        assert f"{ARTICLE}:list" in tags_of(page)
    assert tags_of(lambda: Article.objects.filter(author=key).count()) == {ARTICLE}


def test_aggregates_are_any_row(articles: list[Article]) -> None:
    for page in [
        lambda: Article.objects.count(),
        lambda: Article.objects.exists(),
        lambda: Article.objects.aggregate(Max("views")),
        lambda: list(Article.objects.values("title")),
        lambda: list(Article.objects.values_list("title", flat=True)),
        lambda: list(Article.objects.values_list("views", "title", named=True)),
        lambda: list(Article.objects.values("published").annotate(n=Count("pk")).order_by("n")),
        lambda: Article.objects.filter(published=True).count(),
        lambda: list(Article.objects.order_by().union(Article.objects.order_by())),
    ]:
        # Any row stands for the list too.
        assert tags_of(page) == {ARTICLE}


def test_values_with_the_key_are_rows(articles: list[Article]) -> None:
    keys = [article.pk for article in articles]
    expected = {*rows(ARTICLE, *keys), f"{ARTICLE}:list"}
    assert tags_of(lambda: list(Article.objects.values("title", "pk"))) == expected
    assert tags_of(lambda: list(Article.objects.values_list("id", flat=True))) == expected
    assert tags_of(lambda: list(Article.objects.values_list("title", "id", named=True))) == expected


def test_iterators_record_what_they_bring(articles: list[Article]) -> None:
    keys = [article.pk for article in articles]
    expected = {*rows(ARTICLE, *keys), f"{ARTICLE}:list"}
    assert tags_of(lambda: list(Article.objects.iterator())) == expected
    assert tags_of(lambda: list(Article.objects.iterator(chunk_size=1))) == expected


def test_joins_and_subqueries_are_whole_tables(articles: list[Article]) -> None:
    filtered = tags_of(lambda: list(Article.objects.filter(author__name="Ann")))
    assert AUTHOR in filtered
    assert f"{ARTICLE}:{articles[0].pk}" in filtered
    counted = tags_of(lambda: list(Article.objects.annotate(n=Count("comments"))))
    assert COMMENT in counted
    within = tags_of(
        lambda: list(Article.objects.filter(Exists(Comment.objects.filter(article=OuterRef("pk")))))
    )
    assert COMMENT in within
    itself = tags_of(lambda: list(Article.objects.filter(parent__title="x")))
    assert ARTICLE in itself


def test_rows_that_are_shown_and_filtered_by_are_whole_tables(articles: list[Article]) -> None:
    queryset = Article.objects.select_related("author")
    assert AUTHOR in tags_of(lambda: list(queryset.filter(author__name="Ann")))
    assert AUTHOR in tags_of(lambda: list(queryset.order_by("author__name")[:1]))
    assert AUTHOR in tags_of(lambda: list(queryset.order_by(F("author__name").desc())[:1]))
    assert AUTHOR not in tags_of(lambda: list(queryset.order_by("-views", "author_id")))


def test_a_missing_related_row_may_come(articles: list[Article]) -> None:
    queryset = Author.objects.select_related("profile")
    tags = tags_of(lambda: list(queryset))
    assert "shelf.profile:list" in tags
    author = articles[0].author
    models.Profile.objects.create(author=author, text="x")
    assert tags_of(lambda: queryset.get(pk=author.pk)) == {
        *rows(AUTHOR, author.pk),
        *rows("shelf.profile", author.profile.pk),
    }


def test_sql_by_hand_is_whole_tables(articles: list[Article]) -> None:
    def page() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM shelf_article a JOIN shelf_author ON 1 = 1")
            cursor.fetchone()

    assert tags_of(page) == {ARTICLE, AUTHOR}
    assert tags_of(lambda: list(Article.objects.raw("SELECT * FROM shelf_article"))) == {ARTICLE}
    extra = {"n": "SELECT count(*) FROM shelf_comment"}
    assert COMMENT in tags_of(lambda: list(Article.objects.extra(select=extra)))


def test_async_reads_are_recorded(articles: list[Article]) -> None:
    keys = [article.pk for article in articles]

    async def page() -> set[str]:
        with collecting() as collected:
            assert [article.pk async for article in Article.objects.order_by("pk")] == keys
            await Article.objects.aget(pk=keys[0])
            await Comment.objects.acount()
        return set(collected.tags())

    assert asyncio.run(page()) == {*rows(ARTICLE, *keys), f"{ARTICLE}:list", COMMENT}


def test_keys_are_written_as_python_has_them(db: None) -> None:
    key = uuid.uuid4()
    Ticket.objects.create(id=key, text="x")
    Country.objects.create(code="fr", name="France")
    for page in [
        lambda: Ticket.objects.get(pk=str(key).upper()),
        lambda: list(Ticket.objects.all()),
    ]:
        assert f"shelf.ticket:{key}" in tags_of(page)
    assert tags_of(lambda: Country.objects.get(pk="fr")) == rows("shelf.country", "fr")


def test_inherited_tables_are_rows_of_the_model_that_is_read(db: None) -> None:
    restaurant = Restaurant.objects.create(name="R", stars=2)
    tags = tags_of(lambda: list(Restaurant.objects.filter(name="R")))
    assert tags == {*rows("shelf.restaurant", restaurant.pk), "shelf.restaurant:list"}
    place = tags_of(lambda: list(Place.objects.select_related("restaurant")))
    assert place >= {*rows("shelf.place", restaurant.pk), *rows("shelf.restaurant", restaurant.pk)}


def test_generic_relations_are_lists(articles: list[Article]) -> None:
    article = articles[0]
    ContentType.objects.clear_cache()
    note = article.notes.create(text="n")
    assert tags_of(lambda: list(article.notes.all())) == {
        *rows("shelf.note", note.pk),
        *listed("shelf.note", note.kind_id, field="kind"),
    }
    assert tags_of(lambda: models.Note.objects.get(pk=note.pk).about.title) == {
        *rows("shelf.note", note.pk),
        *rows(ARTICLE, article.pk),
    }


def test_a_view_is_any_row_of_what_it_is_made_of(articles: list[Article]) -> None:
    with registered(models.Listing, reads_from=[Article, Author]):
        tags = tags_of(lambda: list(models.Listing.objects.all()))
    assert tags >= {ARTICLE, AUTHOR, "shelf.listing:list"}


@pytest.mark.skipif(not hasattr(models, "Seat"), reason="composite keys are of Django 5.2")
def test_composite_keys(db: None) -> None:
    seat = models.Seat.objects.create(row="A", number=7, guest="x")
    models.Seat.objects.create(row="A", number=8, guest="y")
    expected = rows("shelf.seat", "A,7")
    for page in [
        lambda: models.Seat.objects.get(pk=("A", 7)),
        lambda: models.Seat.objects.get(row="A", number=7),
        lambda: models.Seat.objects.get(pk=seat.pk),
        lambda: list(models.Seat.objects.filter(pk__in=[("A", 7)])),
    ]:
        assert tags_of(page) == expected
    assert tags_of(lambda: list(models.Seat.objects.filter(row="A"))) == {
        *rows("shelf.seat", "A,7", "A,8"),
        "shelf.seat:list",
    }
    assert tags_of(lambda: list(models.Seat.objects.values("pk", "guest"))) == {"shelf.seat"}


def test_models_that_are_left_out(articles: list[Article]) -> None:
    tags = tags_of(lambda: list(ContentType.objects.all()))
    assert not tags
    models.Log.objects.create(text="x")
    assert tags_of(lambda: list(models.Log.objects.all()))
    with override_settings(LARDER={"IGNORE_MODELS": ["shelf.Log"]}):
        assert not tags_of(lambda: list(models.Log.objects.all()))


def test_what_ignore_models_may_be() -> None:
    assert names.problems(["shelf", "shelf.Log", "sessions"]) == []
    assert "to be a list" in names.problems("shelf")[0]
    assert "'shelf.Lug'" in names.problems(["shelf.Lug"])[0]


def test_nothing_is_recorded_where_nobody_is_to_watch(articles: list[Article]) -> None:
    def page() -> None:
        with unwatched():
            list(Article.objects.all())

    assert tags_of(page) == set()


def test_explain_is_no_reading_of_rows(articles: list[Article]) -> None:
    assert tags_of(lambda: Article.objects.filter(views=1).explain()) <= {ARTICLE}


def test_what_an_app_has_kept_is_read_all_the_same(articles: list[Article]) -> None:
    asked = Article.objects.select_related("author").filter(comments__text__contains="C")
    kept = asked.query.get_compiler("default").execute_sql()
    # Such as django-cachalot: it stands where the statement would be run.
    answered = asked.query.get_compiler("default")
    page = lambda: list(reading.select(lambda *_: kept, answered, MULTI))  # noqa: E731
    assert tags_of(page) == tags_of(lambda: list(asked.all()))


def test_an_empty_queryset_asks_nothing(articles: list[Article]) -> None:
    assert tags_of(lambda: list(Article.objects.none())) == set()
    assert tags_of(lambda: list(Article.objects.filter(pk__in=[]))) == set()


def test_conditions_that_are_no_lookups(articles: list[Article]) -> None:
    commented = Exists(Comment.objects.filter(article=OuterRef("pk")))
    one = tags_of(lambda: Article.objects.filter(commented, slug="s1").get())
    assert one == {*rows(ARTICLE, articles[1].pk), COMMENT}
    key = articles[1].pk
    assert tags_of(lambda: Article.objects.filter(commented, pk=key).get()) == {
        *rows(ARTICLE, key),
        COMMENT,
    }


def test_an_error_of_ours_fails_no_page(
    articles: list[Article], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("larder_client.django.orm.lookups.asked_keys", broken)
    monkeypatch.setattr("larder_client.django.orm.reading._Source.record", broken)
    for page in [lambda: list(Article.objects.all()), lambda: list(Article.objects.iterator(1))]:
        assert ARTICLE in tags_of(page)
    assert "please report it" in caplog.text
