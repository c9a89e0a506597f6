"""The lines of the table: what | measured | bound | pass or short."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Line:
    what: str
    measured: float
    text: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self):
        if self.at_least is not None:
            return f">= {self.at_least:,.10g}"
        if self.at_most is not None:
            return f"<= {self.at_most:,.10g}"
        return ""

    @property
    def verdict(self):
        if self.at_least is not None:
            return "pass" if self.measured >= self.at_least else "short"
        if self.at_most is not None:
            return "pass" if self.measured <= self.at_most else "short"
        return ""


def table(lines):
    rows = [("what", "measured", "bound", "")]
    rows += [(line.what, line.text, line.bound, line.verdict) for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def as_data(lines):
    return [asdict(line) | {"verdict": line.verdict} for line in lines]
