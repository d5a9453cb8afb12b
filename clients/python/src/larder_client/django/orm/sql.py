"""Which tables a statement names, and what it does to them.

This is no SQL parser: it splits a statement into words, and knows where a verb that writes may
stand and where its table stands then. In doubt a table counts as written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from . import names

#: What is longer is not kept in memory with what was found out about it.
LONG = 20_000

_GRAMMAR = r"""
    (?P<skip> --[^\n]* | /\*.*?\*/ | (?:%s[\s,]*)+ | %\(\w+\)s | \d[\w.]* | \s+ )
  | (?P<text> STRING | [eE]'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<quoted> "(?:[^"]|"")*" | `[^`]*` | \[[A-Za-z_][\w ]*\] )
  | (?P<word> [^\W\d][\w$]* )
  | (?P<mark> . )
"""
_FLAGS = re.VERBOSE | re.DOTALL
_STANDARD = re.compile(_GRAMMAR.replace("STRING", r"'(?:[^']|'')*'"), _FLAGS)
#: MySQL's and MariaDB's strings, in which a backslash escapes.
_ESCAPING = re.compile(_GRAMMAR.replace("STRING", r"'(?:[^'\\]|''|\\.)*'"), _FLAGS)


@dataclass(frozen=True)
class Statement:
    """What was found out. Tables are those of models that are not left out, by `table_key`."""

    #: How often each table stands somewhere as a table, not before a column.
    mentions: Mapping[str, int] = field(default_factory=dict)
    #: Tables that get new rows, and nothing else.
    grown: frozenset[str] = frozenset()
    #: Tables of which rows may be changed or gone.
    changed: frozenset[str] = frozenset()
    #: The columns that the one UPDATE in it sets; None if that isn't plain.
    columns: frozenset[str] | None = None
    #: Tables that are emptied with those that refer to them.
    cascades: frozenset[str] = frozenset()
    #: The word for what may write anything: CALL, DO, EXECUTE.
    opaque: str | None = None


def look(sql: str, vendor: str = "") -> Statement:
    """Looks at a statement, or several with `;` between them, of a `connection.vendor`."""
    escaping = vendor == "mysql"
    return _look(sql, escaping) if len(sql) > LONG else _cached(sql, escaping)


@lru_cache(maxsize=4096)
def _cached(sql: str, escaping: bool) -> Statement:
    return _look(sql, escaping)


def forget(**_: Any) -> None:
    """Forgets what was found out, since the models' tables may be others now."""
    _cached.cache_clear()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str  # a name in lower case without its quotes; a bare word has its case folded too

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words

    def is_mark(self, *marks: str) -> bool:
        return self.kind == "mark" and self.text in marks


_END = _Token("mark", ";")


def _tokens(sql: str, escaping: bool) -> list[_Token]:
    tokens = []
    for match in (_ESCAPING if escaping else _STANDARD).finditer(sql):
        kind = match.lastgroup or ""
        if kind == "tag":
            kind = "text"
        if kind == "skip":
            continue
        text = match.group()
        if kind == "quoted":
            text = text[1:-1].replace('""', '"')
            # A name with its schema in one pair of quotes: "app"."table" as db_table.
            text = text.rpartition('"."')[2]
        tokens.append(_Token(kind, text.lower() if kind in ("quoted", "word") else text))
    return tokens


def _look(sql: str, escaping: bool) -> Statement:
    return _Reader(_tokens(sql, escaping)).read()


# A verb stands at the start, in or after a parenthesis of WITH, after EXPLAIN, or in a MERGE.
_BEFORE_VERB = ("explain", "analyze", "verbose", "then")
_OPAQUE = ("call", "do", "exec", "execute", "perform")
_WRITING = ("insert", "replace", "merge", "copy", "load", "update", "delete", "truncate")
_MODIFIERS = (
    *("low_priority", "high_priority", "delayed", "ignore", "quick", "only", "table"),
    *("or", "replace", "rollback", "abort", "fail", "into", "from", "concurrent", "local"),
)


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.known = names.tables()
        self.grown: set[str] = set()
        self.changed: set[str] = set()
        self.cascades: set[str] = set()
        # Of each verb that writes, the columns that it sets if it is an UPDATE.
        self.columns: list[frozenset[str] | None] = []
        self.opaque: str | None = None

    def read(self) -> Statement:
        for place, token in enumerate(self.tokens):
            if token.kind == "word" and self._may_begin(place):
                self._verb(token.text, place)
        one_update = len(self.columns) == 1 and len(self.changed) == 1
        return Statement(
            mentions=self._mentions(),
            grown=frozenset(self.grown - self.changed),
            changed=frozenset(self.changed),
            columns=self.columns[0] if one_update else None,
            cascades=frozenset(self.cascades),
            opaque=self.opaque,
        )

    def _at(self, place: int) -> _Token:
        return self.tokens[place] if 0 <= place < len(self.tokens) else _END

    def _may_begin(self, place: int) -> bool:
        before = self._at(place - 1)
        return before.is_mark("(", ")", ";") or before.is_word(*_BEFORE_VERB)

    def _verb(self, verb: str, place: int) -> None:
        if verb in _OPAQUE and self._at(place - 1).is_mark(";"):
            self.opaque = verb.upper()
            return
        if verb != "update" and verb in _WRITING:
            self.columns.append(None)
        if verb == "insert":
            self._insert(place)
        elif verb in ("replace", "merge") and not self._at(place + 1).is_mark("("):
            self.changed |= self._target(place)
        elif verb == "copy" and self._ahead(place, "from"):
            self.grown |= self._target(place)
        elif verb == "load":
            self.changed |= self._named(place, ())
        elif verb == "update":
            self._update(place)
        elif verb == "delete":
            self.changed |= self._named(place, ("where", "returning"))
        elif verb == "truncate" and not self._at(place + 1).is_mark("("):
            emptied = self._named(place, ())
            self.changed |= emptied
            if self._ahead(place, "cascade"):
                self.cascades |= emptied

    def _insert(self, place: int) -> None:
        target = self._target(place)
        replaces = self._at(place + 1).is_word("or") and self._at(place + 2).is_word("replace")
        updates = self._ahead(place, "conflict", "duplicate") and not self._ahead(place, "nothing")
        if replaces or updates:
            self.changed |= target
        else:
            self.grown |= target

    def _update(self, place: int) -> None:
        self.changed |= self._named(place, ("set",))
        while not self._at(place).is_word("set") and not self._at(place).is_mark(";"):
            place += 1
        self.columns.append(self._columns(place + 1))

    def _columns(self, place: int) -> frozenset[str] | None:
        found: set[str] = set()
        while True:
            while self._at(place + 1).is_mark("."):
                place += 2
            if self._at(place).kind not in ("word", "quoted") or not self._at(place + 1).is_mark(
                "="
            ):
                return None
            found.add(self._at(place).text)
            place = self._after_value(place + 2)
            if not self._at(place).is_mark(","):
                return frozenset(found)
            place += 1

    def _after_value(self, place: int) -> int:
        depth = 0
        while place < len(self.tokens):
            token = self.tokens[place]
            depth += token.is_mark("(") - token.is_mark(")")
            ends = token.is_mark(",", ";") or token.is_word("where", "returning", "order", "limit")
            # `a IS DISTINCT FROM b` is a value.
            ends = ends or (token.is_word("from") and not self._at(place - 1).is_word("distinct"))
            if depth < 0 or (depth == 0 and ends):
                return place
            place += 1
        return place

    def _target(self, place: int) -> set[str]:
        """The one table right after the verb, if it is one of ours."""
        place += 1
        while self._at(place).is_word(*_MODIFIERS):
            place += 1
        while self._at(place + 1).is_mark("."):
            place += 2
        name = self._at(place)
        return {name.text} if name.kind in ("word", "quoted") and name.text in self.known else set()

    def _named(self, place: int, ends: tuple[str, ...]) -> set[str]:
        """All tables of ours until one of these words."""
        found: set[str] = set()
        place += 1
        while not self._at(place).is_mark(";") and not self._at(place).is_word(*ends):
            if self._is_mention(place):
                found.add(self._at(place).text)
            place += 1
        return found

    def _ahead(self, place: int, *words: str) -> bool:
        while not self._at(place).is_mark(";"):
            if self._at(place).is_word(*words):
                return True
            place += 1
        return False

    def _mentions(self) -> Mapping[str, int]:
        return Counter(
            token.text for place, token in enumerate(self.tokens) if self._is_mention(place)
        )

    def _is_mention(self, place: int) -> bool:
        token = self._at(place)
        if token.kind not in ("word", "quoted") or token.text not in self.known:
            return False
        if self._at(place + 1).is_mark("."):
            return False  # It qualifies a column.
        of_table = self._at(place - 1).is_mark(".") and self._at(place - 2).text in self.known
        return not of_table
