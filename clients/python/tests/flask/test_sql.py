"""Which tables a statement reads and writes, by its SQL."""

from __future__ import annotations

import pytest

from larder_client.sqlalchemy.sql import _kept, touched

READS = [
    ("SELECT a FROM t", {"t": 1}),
    (
        'select a from T, "U" u, s.v as w where x in (select 1 from z)',
        {"t": 1, "u": 1, "s.v": 1, "z": 1},
    ),
    ("SELECT * FROM a LEFT OUTER JOIN b AS b_1 ON a.x = b_1.y, c", {"a": 1, "b": 1, "c": 1}),
    ("SELECT * FROM a JOIN d USING (id), unnest(q) AS e, f", {"a": 1, "d": 1, "f": 1}),
    ("SELECT * FROM (SELECT * FROM m) AS anon_1, m", {"m": 2}),
    ("SELECT * FROM (a JOIN b ON a.i = b.i) JOIN c ON 1", {"a": 1, "b": 1, "c": 1}),
    ("SELECT extract(year FROM x), (select count(*) from n) FROM t", {"n": 1, "t": 1}),
    ("SELECT a IS DISTINCT FROM b FROM t", {"t": 1}),
    ("SELECT 'from x', \"from y\" FROM t -- FROM c\n, u /* FROM d */", {"t": 1, "u": 1}),
    ("SELECT 'it''s from x' FROM t", {"t": 1}),
    ("SELECT $$from x$$ FROM t", {"t": 1}),
    ("SELECT E'it\\'s from x' FROM t", {"t": 1}),
    ("SELECT data #>> '{a}' FROM t", {"t": 1}),
    ("SELECT * FROM h FOR UPDATE", {"h": 1}),
    ("SELECT a FROM t UNION SELECT a FROM u ORDER BY a", {"t": 1, "u": 1}),
    ("SELECT * FROM [order] WHERE `x` = 1", {"order": 1}),
    ("SELECT * FROM t WHERE a = :from AND b = %(from)s", {"t": 1}),
    ("", {}),
    ("FROM", {}),
    ("SELECT (((", {}),
    ("SELECT ) FROM t", {"t": 1}),
]


@pytest.mark.parametrize(("sql", "tables"), READS)
def test_tables_that_are_read(sql: str, tables: dict[str, int]) -> None:
    found = touched(sql)
    assert dict(found.reads) == tables
    assert not found.writes


WRITES = [
    ("INSERT INTO t (a, b) VALUES (1, 2), (3, 4)", {"t"}),
    ("INSERT INTO t (a) SELECT a FROM u", {"t"}),
    ("UPDATE t SET a = 1 FROM u WHERE t.i = u.i", {"t"}),
    ("UPDATE a JOIN b ON a.x = b.x SET a.y = b.y", {"a", "b"}),
    ("DELETE FROM ONLY t USING u WHERE t.a = u.a", {"t"}),
    ("DELETE a FROM a JOIN b ON a.x = b.x", {"a", "b"}),
    ("TRUNCATE TABLE a, b CASCADE", {"a", "b"}),
    ("WITH w AS (DELETE FROM g RETURNING *) SELECT * FROM w", {"g"}),
    ("REPLACE INTO t VALUES (1)", {"t"}),
    ("COPY t FROM STDIN", {"t"}),
    ("MERGE INTO m USING n ON m.i = n.i WHEN MATCHED THEN UPDATE SET x = 1", {"m"}),
    ("ALTER TABLE t ADD COLUMN x int", {"t"}),
    ("DROP TABLE IF EXISTS t", {"t"}),
    ("CREATE TABLE t (a int REFERENCES u ON DELETE CASCADE)", set()),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", {"v"}),
    ("BEGIN", set()),
]


@pytest.mark.parametrize(("sql", "tables"), WRITES)
def test_tables_that_are_written(sql: str, tables: set[str]) -> None:
    assert touched(sql).writes == tables


def test_a_quote_whose_string_can_not_be_told_is_read_both_ways() -> None:
    # In MySQL the string goes on until `d`, elsewhere it ends at the backslash.
    found = touched(r"SELECT a FROM t WHERE b LIKE 'c\' OR x IN (SELECT y FROM u) -- 'd'")
    assert set(found.reads) >= {"t", "u"}
    assert set(touched(r"SELECT 'it\'s', a FROM t WHERE b = 'c'").reads) >= {"t"}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ('UPDATE t SET a = 1, "b" = b + 1, t.c = (SELECT d FROM u) WHERE e = 1', {"a", "b", "c"}),
        ("UPDATE t SET views=(t.views + ?) WHERE t.id = ?", {"views"}),
        ("UPDATE t SET a = CASE WHEN b > 1 THEN 0 ELSE b END, c = 2 WHERE d = 1", {"a", "c"}),
        ("UPDATE t SET a = DEFAULT, c = 2", {"a", "c"}),
        ("UPDATE t SET a = b IS DISTINCT FROM d, c = 2 FROM u WHERE e = 1", {"a", "c"}),
        ("UPDATE t SET a = 1 RETURNING c = 2", {"a"}),
        ("UPDATE t SET a = 1 ;", {"a"}),
        ("UPDATE t SET a = 1; DELETE FROM t", set()),
        ("UPDATE t SET a = 1; UPDATE t SET c = 2", set()),
        ("UPDATE t SET (a, b) = (1, 2)", set()),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1", set()),
    ],
)
def test_columns_that_an_update_sets(sql: str, columns: set[str]) -> None:
    assert touched(sql).sets == columns


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1",
        "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE b = 1",
        "INSERT OR REPLACE INTO t VALUES (1)",
    ],
)
def test_inserts_that_may_change_what_is_there(sql: str) -> None:
    assert touched(sql).upserts


def test_long_statements_are_read_and_not_kept() -> None:
    before = _kept.cache_info().currsize
    values = ", ".join(f"({number}, 'FROM x{number}')" for number in range(5_000))
    assert touched(f"INSERT INTO t (a, b) VALUES {values}").writes == {"t"}
    assert _kept.cache_info().currsize == before
