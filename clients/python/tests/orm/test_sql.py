"""Statements of which only the text is known."""

import logging

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.db.models import Model
from django.test import override_settings
from shelf.models import Article, Author, Comment, Tag
from support import Sent, registered, tags_of

from larder_client.django import conf
from larder_client.django.orm import changes, names, raw, sql
from larder_client.django.orm.sql import look

pytestmark = pytest.mark.usefixtures("db")

A, C, T = "shelf_article", "shelf_comment", "shelf_tag"

READS = [
    ("SELECT * FROM shelf_article", {A: 1}),
    ('select a.* from "public"."shelf_article" a', {A: 1}),
    ("SELECT * FROM [dbo].[shelf_article]", {A: 1}),
    ("SELECT * FROM `blog`.`shelf_article`, shelf_comment AS c", {A: 1, C: 1}),
    ('SELECT "shelf_article"."id" FROM "shelf_article" WHERE "shelf_article"."id" = %s', {A: 1}),
    ("SELECT 1 FROM shelf_article x JOIN shelf_article y ON x.id = y.parent_id", {A: 2}),
    ("SELECT 'DELETE FROM shelf_tag' FROM shelf_article", {A: 1}),
    ("SELECT 1 -- ; DELETE FROM shelf_tag\nFROM shelf_article", {A: 1}),
    ("SELECT 1 /* FROM shelf_tag */ FROM shelf_article", {A: 1}),
    ("WITH x AS (SELECT * FROM shelf_article) SELECT * FROM x", {A: 1}),
    ("SELECT * FROM shelf_article FOR UPDATE", {A: 1}),
    ("SELECT replace(title, 'a', 'b') FROM shelf_article", {A: 1}),
    ("SELECT * FROM elsewhere", {}),
    ("EXPLAIN SELECT * FROM shelf_article", {A: 1}),
    ("COPY shelf_article TO STDOUT", {A: 1}),
    ("SELECT $$ DELETE FROM shelf_tag; $$ FROM shelf_article", {A: 1}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "mentions"), READS)
def test_what_is_read(text: str, mentions: dict[str, int]) -> None:
    found = look(text)
    assert found.mentions == mentions
    assert (found.grown, found.changed, found.opaque) == (set(), set(), None)


GROWN = [
    "INSERT INTO shelf_tag (name) VALUES (%s), (%s)",
    'insert into "public"."shelf_tag" select name from shelf_author',
    "INSERT OR IGNORE INTO shelf_tag (id) VALUES (1)",
    "INSERT LOW_PRIORITY IGNORE INTO `shelf_tag` SET name = 'x'",
    "WITH x AS (SELECT 1 AS name) INSERT INTO shelf_tag (name) SELECT name FROM x",
    "INSERT INTO shelf_tag (id) VALUES (1) ON CONFLICT DO NOTHING",
    "COPY shelf_tag (id, name) FROM STDIN",
]


@pytest.mark.parametrize("text", GROWN)
def test_what_gets_rows(text: str) -> None:
    found = look(text)
    assert (found.grown, found.changed) == ({T}, set())


CHANGED = [
    ("UPDATE shelf_tag SET name = %s", {T}),
    ("update only public.shelf_tag t set name = c.text from shelf_comment c", {T}),
    ("UPDATE OR REPLACE shelf_tag SET name = 'x'", {T}),
    ("UPDATE shelf_tag, shelf_comment SET shelf_tag.name = shelf_comment.text", {T, C}),
    ("UPDATE shelf_tag t JOIN shelf_comment c ON 1 = 1 SET t.name = c.text", {T, C}),
    ("DELETE FROM shelf_tag WHERE id IN (SELECT 1 FROM shelf_comment)", {T}),
    ("DELETE t FROM shelf_tag t JOIN shelf_comment c ON t.id = c.id WHERE 1", {T, C}),
    ("DELETE FROM shelf_tag USING shelf_comment WHERE 1 = 1", {T, C}),
    ("TRUNCATE TABLE shelf_tag, shelf_comment", {T, C}),
    ("TRUNCATE ONLY shelf_tag RESTART IDENTITY", {T}),
    ("REPLACE INTO shelf_tag VALUES (1, 'x')", {T}),
    ("REPLACE shelf_tag SET name = 'x'", {T}),
    ("INSERT OR REPLACE INTO shelf_tag VALUES (1, 'x')", {T}),
    ("INSERT INTO shelf_tag (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x'", {T}),
    ("INSERT INTO shelf_tag (id) VALUES (1) ON DUPLICATE KEY UPDATE name = 'x'", {T}),
    ("MERGE INTO shelf_tag t USING shelf_comment c ON 1 = 1 WHEN MATCHED THEN DELETE", {T}),
    ("MERGE shelf_tag AS t USING x ON 1 = 1 WHEN MATCHED THEN UPDATE SET name = 'x'", {T}),
    ("LOAD DATA INFILE 'x' REPLACE INTO TABLE shelf_tag", {T}),
    ("WITH gone AS (DELETE FROM shelf_tag RETURNING *) SELECT * FROM gone", {T}),
    ("WITH x AS (SELECT 1) DELETE FROM shelf_tag", {T}),
    ("SELECT 1; DELETE FROM shelf_tag", {T}),
    ("EXPLAIN ANALYZE UPDATE shelf_tag SET name = 'x'", {T}),
    ("UPDATE elsewhere SET a = 1 WHERE b IN (SELECT id FROM shelf_tag)", set()),
    ("UPDATE shelf_tag SET name = E'it\\'s' WHERE name = '\\'", {T}),
]


@pytest.mark.parametrize(("text", "changed"), CHANGED)
def test_what_is_changed(text: str, changed: set[str]) -> None:
    assert look(text).changed == changed


def test_strings_of_mysql() -> None:
    text = r"SELECT 'it\'s'; DELETE FROM shelf_tag WHERE name = 'x'"
    assert look(text, "mysql").changed == {T}
    # Elsewhere a backslash is none, and this one ends the string.
    assert look(r"SELECT 'C:\'; DELETE FROM shelf_tag WHERE name = 'x'").changed == {T}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("UPDATE shelf_article SET views = views + 1 WHERE id = %s", {"views"}),
        (
            'UPDATE shelf_article SET "views" = (SELECT max(a, b) FROM x), title = %s',
            {"views", "title"},
        ),
        ("UPDATE shelf_article a SET a.views = 1, title = f(1, 2) FROM y", {"views", "title"}),
        ("UPDATE shelf_article SET (views, title) = (1, 2)", None),
        ("UPDATE shelf_article SET views = 1; UPDATE shelf_article SET title = 2", None),
        ("UPDATE shelf_article SET views = 1; DELETE FROM shelf_article", None),
        ("INSERT INTO shelf_article (id) VALUES (1); UPDATE shelf_article SET views = 1", None),
        ("WITH x AS (DELETE FROM shelf_tag) UPDATE shelf_article SET views = 1", None),
        (
            "UPDATE shelf_article SET views = a IS DISTINCT FROM b, title = 1 FROM y",
            {"views", "title"},
        ),
        (
            "UPDATE shelf_article SET views = CASE WHEN 1 THEN 2 ELSE 3 END, title = 1",
            {"views", "title"},
        ),
        ("DELETE FROM shelf_article", None),
    ],
)
def test_the_columns_of_an_update(text: str, columns: set[str] | None) -> None:
    assert look(text).columns == columns


@pytest.mark.parametrize("text", ["CALL tidy()", "DO $$ BEGIN DELETE FROM x; END $$", "exec tidy"])
def test_what_may_write_anything(text: str) -> None:
    assert look(text).opaque


def test_a_huge_statement_is_looked_at_in_time() -> None:
    import time

    values = ", ".join(["(%s, %s, %s)"] * 20_000)
    began = time.process_time()
    assert look(f"INSERT INTO shelf_tag (a, b, c) VALUES {values}").grown == {T}
    assert look("SELECT " + "(" * 100_000 + "'").changed == set()
    assert time.process_time() - began < 10


def execute(text: str, params: object = None, many: bool = False) -> None:
    with connection.cursor() as cursor:
        (cursor.executemany if many else cursor.execute)(text, params)


def test_what_is_purged(sent: Sent) -> None:
    execute("UPDATE shelf_tag SET name = %s", ["x"])
    assert sent.tags == {"shelf.tag", "shelf.tag:list", "shelf.tag:rows"}
    sent.clear()
    execute("INSERT INTO shelf_tag (name) VALUES (%s)", [("a",), ("b",)], many=True)
    assert sent.tags == {"shelf.tag", "shelf.tag:list"}
    sent.clear()
    execute("UPDATE shelf_place SET name = 'x'")
    assert {"shelf.pub:rows", "shelf.cinema:list", "shelf.place"} <= sent.tags
    sent.clear()
    execute("SELECT 1")
    execute("UPDATE django_session SET session_data = ''")
    assert sent.purges == []


def test_the_tables_between_are_models_too(sent: Sent) -> None:
    execute("DELETE FROM shelf_article_tags")
    assert "shelf.article_tags:rows" in sent.tags


def test_emptying_with_all_that_refers(sent: Sent) -> None:
    statement = look("TRUNCATE shelf_author CASCADE")
    tags = raw.tags_of(statement)
    assert {"shelf.author:rows", "shelf.article:rows", "shelf.comment:rows"} <= tags
    assert "shelf.tag" not in tags
    assert "shelf.comment:rows" in changes.emptied([Author])


def test_what_may_be_anything_purges_all_models(
    sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    raw._warned.clear()
    with caplog.at_level(logging.WARNING, "larder_client"):
        tags = raw.tags_of(look("CALL tidy(%s)"))
        raw.tags_of(look("CALL tidy(%s)"))
    assert {"shelf.tag:rows", "shelf.article:list", "shelf.reader"} <= tags
    assert "sessions.session" not in tags
    assert caplog.text.count("What CALL writes can't be seen") == 1


def test_some_of_many_may_have_been_written(sent: Sent) -> None:
    Tag.objects.create(pk=1, name="x")
    sent.clear()
    with pytest.raises(IntegrityError):
        execute("INSERT INTO shelf_tag (id, name) VALUES (%s, 'y')", [(2,), (1,)], many=True)
    assert sent.tags == {"shelf.tag", "shelf.tag:list"}


def test_ignored_fields_are_known_from_the_text(sent: Sent) -> None:
    with registered(Article, ignore_fields=["views"]):
        execute("UPDATE shelf_article SET views = views + 1")
        assert sent.purges == []
        execute("UPDATE shelf_article SET views = views + 1, title = 'x'")
        assert "shelf.article:rows" in sent.tags


def test_registered_tags_are_missed_and_that_is_said(
    sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    raw._warned.clear()
    with registered(Comment, tags=lambda comment: ["mine"]):
        execute("UPDATE shelf_comment SET likes = 1")
    assert "mine" not in sent.tags
    assert "SQL by hand has changed rows of shelf.Comment" in caplog.text


def test_bytes_and_composed_statements(sent: Sent) -> None:
    class Composed:
        def as_string(self, connection: object) -> str:
            return "DELETE FROM shelf_tag"

    assert raw._as_text(b"DELETE FROM shelf_tag", connection) == "DELETE FROM shelf_tag"
    assert raw._as_text(Composed(), connection) == "DELETE FROM shelf_tag"
    assert look(raw._as_text(object(), connection)).opaque


def test_a_procedure_may_have_written_anything(sent: Sent) -> None:
    from django.db.backends.utils import CursorWrapper

    class Cursor:
        def callproc(self, name: str, *args: object) -> str:
            return f"called {name}"

    assert CursorWrapper(Cursor(), connection).callproc("tidy") == "called tidy"
    assert "shelf.tag:rows" in sent.tags


def test_a_model_that_is_made_late_is_seen(sent: Sent) -> None:
    text = "UPDATE shelf_late SET a = 1"
    assert look(text).changed == set()

    class Late(Model):
        class Meta:
            app_label = "shelf"
            managed = False

    try:
        assert look(text).changed == {"shelf_late"}
        assert names.models_of("shelf_late") == (Late,)
    finally:
        del apps.all_models["shelf"]["late"]
        apps.clear_cache()
        names.forget()
        sql.forget()
    assert look(text).changed == set()


def test_what_is_left_out_later_is_left_out(sent: Sent) -> None:
    execute("UPDATE shelf_log SET text = 'x'")
    assert "shelf.log:rows" in sent.tags
    sent.clear()
    with override_settings(LARDER={"IGNORE_MODELS": ["shelf.Log"]}), conf.stand_in(sent):
        execute("UPDATE shelf_log SET text = 'x'")
        assert tags_of(lambda: execute("SELECT * FROM shelf_log")) == set()
    assert sent.purges == []
