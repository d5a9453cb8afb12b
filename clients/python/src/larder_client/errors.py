"""What can go wrong, by what whoever gets it can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class LarderError(Exception):
    """Whatever this package raises. The message says what to do."""


class ConfigurationError(LarderError, ValueError):
    """A setting that is unknown, of the wrong type, or makes no sense; the message names it."""


class Unreachable(LarderError):
    """The proxy was not there, was too slow, or broke off. It may be tried again."""


class Overloaded(LarderError):
    """The proxy answered 5xx or 429, or what came was no answer of larder. Try again later."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        #: The status, if there was one.
        self.status = status


class Refused(LarderError):
    """The proxy said no (401, 403 or another 4xx): trying again does not help."""

    def __init__(
        self,
        message: str,
        status: int,
        faults: Sequence[tuple[str, str]] = (),
        sent: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        #: The status of the answer.
        self.status = status
        #: What is wrong where: a JSON pointer into the document that was sent, and a sentence.
        self.faults = tuple(faults)
        self._sent = sent or {}

    def wrong(self) -> list[tuple[str, str, str]]:
        """The selectors that were wrong: each the list's name, the text, and what is wrong."""
        found = []
        for pointer, detail in self.faults:
            name, _, place = pointer.removeprefix("/").partition("/")
            texts = self._sent.get(name, ())
            if place.isdecimal() and int(place) < len(texts):
                found.append((name, texts[int(place)], detail))
        return found
