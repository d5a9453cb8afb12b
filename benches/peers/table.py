"""A table: a row has a name, targets for larder, and figures of each server."""

import statistics
from dataclasses import dataclass, field

DIGITS = {"": 0, "ms": 1, "MiB": 1, "KiB": 1, "B": 0, "us": 1, "s": 2, "/s": 0, "times": 2}


@dataclass
class Row:
    """The target is the most that larder may need, a number; or shares of what others
    need, by name. With `least` it is the least that has to come of it."""

    unit: str
    target: float | dict | None
    least: bool
    figures: dict = field(default_factory=dict)

    def figure(self, name):
        values = self.figures.get(name)
        return statistics.median(values) if values else None

    def shares(self):
        """What larder takes of what others take, and the most it may."""
        larder, wanted = self.figure("larder"), self.target
        if larder is None:
            return
        for name in wanted if isinstance(wanted, dict) else ["nginx"]:
            other = self.figure(name)
            if other and other != float("inf"):
                yield name, larder / other, wanted[name] if isinstance(wanted, dict) else None

    def missed(self):
        """Whether a target is missed."""
        larder = self.figure("larder")
        if larder is None or self.target is None:
            return False
        if isinstance(self.target, dict):
            return any(share > most for _, share, most in self.shares())
        return larder < self.target if self.least else larder > self.target

    def wanted(self):
        if self.target is None:
            return ""
        if isinstance(self.target, dict):
            return ", ".join(f"<= {most:.2f} of {name}" for name, most in self.target.items())
        return f"{'>=' if self.least else '<='} {write(self.target, self.unit)}"

    def result(self):
        """Shares of the others, those that are missed in bold; or a word."""
        if self.target is not None and not isinstance(self.target, dict):
            return word(not self.missed()) if self.figure("larder") is not None else ""
        return ", ".join(
            f"**{share:.2f} of {name}**" if most and share > most else f"{share:.2f} of {name}"
            for name, share, most in self.shares()
        )

    def noise(self):
        """How far larder's figures lie from their middle."""
        values, middle = self.figures.get("larder", []), self.figure("larder")
        if len(values) < 2 or not middle or max(values) == float("inf"):
            return ""
        return f"{(max(values) - min(values)) / 2 / middle:.0%}"


class Table:
    def __init__(self):
        self.rows = {}

    def put(self, row, name, values, unit="ms", target=None, least=False):
        """Figures of a server; one, or as many as there were runs."""
        values = values if isinstance(values, list) else [values]
        self.rows.setdefault(row, Row(unit, target, least)).figures[name] = values

    def lines(self, names):
        """The table as Markdown."""
        names = [name for name in names if any(name in row.figures for row in self.rows.values())]
        yield "| | " + " | ".join(names) + " | target | result | +/- |"
        yield "|---|" + "--:|" * len(names) + "---|---|--:|"
        for title, row in self.rows.items():
            cells = [write(row.figure(name), row.unit) for name in names]
            cells += [row.wanted(), row.result(), row.noise()]
            yield f"| {title} | " + " | ".join(cells) + " |"

    def missed(self):
        return {title: row for title, row in self.rows.items() if row.missed()}


def word(met):
    return "met" if met else "**missed**"


def write(value, unit):
    if value is None:
        return "-"
    if value == float("inf"):
        return "never"
    digits = 0 if unit == "ms" and value >= 1000 else DIGITS[unit]
    if unit == "ms" and value < 10:
        digits = 2
    return f"{value:,.{digits}f} {unit}".strip()
