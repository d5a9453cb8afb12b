"""The table: a row has a name, a target for larder, and how a figure is written."""


class Table:
    def __init__(self):
        self.rows = {}

    def put(self, row, name, value, unit="ms", target=None):
        """A figure. The target is the most that larder may need: a number, or
        ("nginx", 0.6) for a share of what that one needs."""
        self.rows.setdefault(row, (unit, target, {}))[2][name] = value

    def print(self, names):
        print("| | " + " | ".join(names) + " | larder : nginx | target | |")
        print("|---|" + "--:|" * len(names) + "--:|--:|---|")
        for row, (unit, target, figures) in self.rows.items():
            cells = [write(figures.get(name), unit) for name in names]
            ratio = share(figures, "nginx")
            cells.append("" if ratio is None else f"{ratio:.2f}")
            print(f"| {row} | " + " | ".join([*cells, *judge(target, unit, figures)]) + " |")


def share(figures, of):
    larder, other = figures.get("larder"), figures.get(of)
    return larder / other if larder is not None and other else None


def judge(target, unit, figures):
    if target is None or figures.get("larder") is None:
        return "", ""
    if isinstance(target, tuple):
        ratio = share(figures, target[0])
        text = f"<= {target[1]:.2f} of {target[0]}"
        return text, "" if ratio is None else word(ratio <= target[1])
    return f"<= {write(target, unit)}", word(figures["larder"] <= target)


def word(met):
    return "met" if met else "**missed**"


def write(value, unit):
    if value is None:
        return "-"
    if value == float("inf"):
        return "never"
    digits = {"": 0, "ms": 0 if value >= 1000 else 1, "MiB": 1, "us": 1, "s": 2}[unit]
    return f"{value:,.{digits}f} {unit}".strip()
