"""Which tables a statement reads and writes, by its SQL.

This is no parser: it follows the keywords after which the names of tables stand. What it takes for
a table and isn't (the name of a common table expression) costs a tag that nobody purges. What it
can't see is what the database does by itself: views, triggers, functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_REST = r"""
    | (?P<word>   [^\W\d][\w$]* )
    | (?P<quoted> "(?:[^"]|"")*" | `[^`]*` | \[[^\]\[]*\] )
    | (?P<sign>   . )
"""
_SKIP = r"""
      \s+ | --[^\n]* | /\*.*?\*/ | :{1,2}\w+ | %\(\w+\)s
    | [eE]'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
"""
_FLAGS = re.VERBOSE | re.DOTALL
_STANDARD = re.compile(rf"(?P<skip> {_SKIP} | '(?:[^']|'')*' ) {_REST}", _FLAGS)
# In MySQL a backslash takes the meaning off a quote in any string.
_BACKSLASH = re.compile(rf"(?P<skip> {_SKIP} | '(?:[^'\\]|''|\\.)*' ) {_REST}", _FLAGS)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What may stand between such a keyword and the name.
_BETWEEN = _words(
    "ONLY LATERAL IGNORE LOW_PRIORITY DELAYED HIGH_PRIORITY QUICK OR ROLLBACK ABORT FAIL REPLACE "
    "TABLE IF EXISTS CONCURRENTLY MATERIALIZED VIEW"
)
# What ends a list of tables.
_ENDS = _words(
    "WHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT SET VALUES SELECT RETURNING WINDOW FOR "
    "OFFSET FETCH DEFAULT WHEN DO QUALIFY ON"
)
# What ends the columns that an UPDATE sets.
_AFTER_SET = _words("WHERE FROM RETURNING ORDER LIMIT OUTPUT OPTION")
_NO_NAMES = _BETWEEN | _ENDS | {"FROM", "JOIN", "INTO", "WITH", "USING"}
# Functions in which FROM means something else.
_FUNCTIONS = frozenset({"EXTRACT", "SUBSTRING", "TRIM", "OVERLAY"})
_WRITERS = frozenset({"INTO", "UPDATE", "TRUNCATE", "COPY", "ALTER", "DROP", "REFRESH"})


@dataclass(frozen=True)
class Touched:
    """The tables of a statement."""

    #: Those that it reads, with how often they stand in it.
    reads: Mapping[str, int]
    #: Those that it writes.
    writes: frozenset[str]
    #: The columns that an UPDATE sets; none if that can't be told, or if it is none.
    sets: frozenset[str]
    #: Whether it is an INSERT that may change rows that are there.
    upserts: bool


# What is longer is hardly run again, and would fill the memory.
_LONGEST_KEPT = 20_000


def touched(sql: str) -> Touched:
    """What a statement touches.

    >>> found = touched("UPDATE product SET price = ? FROM sale WHERE sale.id = product.sale_id")
    >>> dict(found.reads), sorted(found.writes), sorted(found.sets)
    ({'sale': 1}, ['product'], ['price'])
    """
    return _kept(sql) if len(sql) <= _LONGEST_KEPT else _touched(sql)


def _touched(sql: str) -> Touched:
    found = _read(sql, _STANDARD)
    if "\\'" in sql:  # whose string is it? Whatever one of both sees counts
        other = _read(sql, _BACKSLASH)
        reads = Counter(found.reads) | Counter(other.reads)
        return Touched(reads, found.writes | other.writes, frozenset(), True)
    return found


_kept = lru_cache(maxsize=2048)(_touched)


def _read(sql: str, tokens: re.Pattern[str]) -> Touched:
    reader = _Reader()
    for kind, text in _tokens(sql, tokens):
        reader.take(kind, text)
    reader.take("sign", ";")
    return Touched(reader.reads, frozenset(reader.writes), frozenset(reader.sets), reader.upserts)


def _tokens(sql: str, tokens: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for match in tokens.finditer(sql):
        if match.group("skip") is not None:
            continue
        if quoted := match.group("quoted"):
            yield "quoted", quoted[1:-1].replace('""', '"')
        else:
            yield ("word" if match.group("word") else "sign"), match.group()


@dataclass
class _Level:
    """How far one pair of parentheses has been read."""

    expects: str = ""  # "read" or "write": the name of a table comes next
    after: str = ""  # the same where a name has been: after a comma comes another
    deletes: bool = False
    function: bool = False


class _Reader:
    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.writes: set[str] = set()
        self.sets: set[str] = set()
        self.upserts = False
        self._levels = [_Level()]
        self._before = ""  # the last token, words in capitals
        self._first = ""
        self._name: list[str] = []  # the parts of a table's name that is being read
        self._setting = False
        self._column = ""
        # Whether a statement has ended: what comes after it may set anything.
        self._ended = False

    def take(self, kind: str, text: str) -> None:
        word = text.upper() if kind == "word" else ""
        self._first = self._first or word
        if self._ended and text != ";":
            self._first, self._setting = ";", False
            self.sets.clear()
        self._ended = text == ";" and kind == "sign" and len(self._levels) == 1
        if self._name:
            if text == "." and kind == "sign":
                self._before = "."
                return
            if self._before == "." and kind != "sign":
                self._name.append(text)
                self._before = text
                return
            self._end_name(text)
        level = self._levels[-1]
        if level.expects and kind != "sign" and word not in _NO_NAMES:
            self._name = [text]
        elif kind == "sign":
            self._sign(text, level)
        elif word:
            self._word(word, level)
        if self._first == "UPDATE":
            self._note_column(kind, text, word)
        self._before = word or text

    def _end_name(self, text: str) -> None:
        level, name = self._levels[-1], ".".join(self._name).lower()
        self._name = []
        level.after, level.expects = level.expects, ""
        if level.after == "write":
            self.writes.add(name)
        elif text != "(":  # else it is a function
            self.reads[name] += 1

    def _sign(self, text: str, level: _Level) -> None:
        if text == "(":
            function = self._before in _FUNCTIONS
            self._levels.append(_Level(level.expects, function=function))
            if self._before == "USING":  # columns, or a query with a FROM of its own
                self._levels[-1].expects = level.expects = ""
        elif text == ")" and len(self._levels) > 1:
            self._levels.pop()
            above = self._levels[-1]
            if above.expects:
                above.expects, above.after = "", above.expects
        elif text == "," and level.after:
            level.expects = level.after

    def _word(self, word: str, level: _Level) -> None:
        if word == "FROM":
            if level.function or self._before == "DISTINCT":
                return
            level.expects = "write" if level.deletes else "read"
            level.deletes = False
        elif word == "JOIN":
            level.expects = level.after or "read"
        elif word == "USING":
            level.expects = "read"
        elif word == "DELETE":
            level.deletes = True
        elif word == "CONFLICT" or (word == "KEY" and self._before == "DUPLICATE"):
            self.upserts = True
        elif word == "UPDATE" and self._before in ("FOR", "KEY", "DO", "ON"):
            return
        elif word in _WRITERS:
            level.expects = "write"
            self.upserts = self.upserts or self._before in ("REPLACE", "MERGE")
        elif word == "ON":  # the list goes on after what is joined on
            level.expects = ""
        elif word in _ENDS:
            level.expects = level.after = ""
        elif word not in _BETWEEN:
            level.expects = ""

    def _note_column(self, kind: str, text: str, word: str) -> None:
        """The columns between SET and what follows it. `(a, b) = (...)` can't be told."""
        if word == "SET":
            self._setting, self._column = True, ""
        elif not self._setting or len(self._levels) > 1 + (text == "("):
            return
        elif word in _AFTER_SET and (word, self._before) != ("FROM", "DISTINCT"):
            self._setting = False
        elif text == "(" and self._before in ("SET", ","):
            self._setting = False
            self.sets.clear()
        elif text == "=" and self._column:
            self.sets.add(self._column)
            self._column = ""
        elif kind != "sign" and self._before in ("SET", ",", "."):
            self._column = text.lower()
