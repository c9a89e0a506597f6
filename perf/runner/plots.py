"""Plots as SVG text: bars along a linear axis, and percentiles along a logarithmic one.

They are part of a document that is compared with the results byte for byte, so numbers are rounded here.
"""

import math
from dataclasses import dataclass
from html import escape

WIDTH = 760
NAME_WIDTH = 130
VALUE_WIDTH = 90
ROW = 26
TOP = 44
COLOURS = {"own": "#c2410c", "limit": "#8a8f98", "peer": "#33679a"}
TEXT = 'font-family="sans-serif" font-size="13" fill="#1f2328"'


@dataclass(frozen=True)
class Bar:
    name: str
    kind: str  # A key of COLOURS.
    value: float
    least: float
    greatest: float
    text: str


def bars(title, rows):
    """One bar a row; the thin line is from the least to the greatest round."""
    scale = (WIDTH - NAME_WIDTH - VALUE_WIDTH) / max(row.greatest for row in rows)
    parts = []
    for index, row in enumerate(rows):
        top = TOP + index * ROW
        middle = top + ROW / 2
        parts += [
            label(row.name, middle),
            f'<rect x="{NAME_WIDTH}" y="{top + 4}" width="{max(row.value * scale, 1):.1f}" height="{ROW - 8}" '
            f'fill="{COLOURS[row.kind]}"/>',
            f'<line x1="{NAME_WIDTH + row.least * scale:.1f}" x2="{NAME_WIDTH + row.greatest * scale:.1f}" '
            f'y1="{middle}" y2="{middle}" stroke="#1f2328" stroke-width="1.5"/>',
            f'<text x="{NAME_WIDTH + row.greatest * scale + 6:.1f}" y="{middle + 4}" {TEXT}>{escape(row.text)}</text>']
    return document(title, len(rows), parts)


@dataclass(frozen=True)
class Span:
    name: str
    kind: str
    values: dict  # By percentile, in microseconds.


def spans(title, rows):
    """A dot for each percentile, joined by a line; the axis is logarithmic."""
    every = [value for row in rows for value in row.values.values()]
    low, high = math.floor(math.log10(min(every))), math.log10(max(every))
    scale = (WIDTH - NAME_WIDTH - 30) / max(high - low, 1)

    def place(value):
        return round(NAME_WIDTH + (math.log10(value) - low) * scale, 1)

    bottom = TOP + len(rows) * ROW
    parts = []
    for power in range(low, math.floor(high) + 1):
        at = place(10**power)
        parts += [f'<line x1="{at}" x2="{at}" y1="{TOP}" y2="{bottom}" stroke="#d0d7de"/>',
                  f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" {TEXT}>{duration(10**power)}</text>']
    for index, row in enumerate(rows):
        middle = TOP + index * ROW + ROW / 2
        places = [place(value) for value in row.values.values()]
        parts += [label(row.name, middle),
                  f'<line x1="{places[0]}" x2="{places[-1]}" y1="{middle}" y2="{middle}" '
                  f'stroke="{COLOURS[row.kind]}" stroke-width="2"/>']
        parts += [f'<circle cx="{at}" cy="{middle}" r="{3 + number}" fill="{COLOURS[row.kind]}"/>'
                  for number, at in enumerate(places)]
    return document(title, len(rows) + 1, parts)


def duration(microseconds):
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds:g} us"


def label(name, middle):
    return f'<text x="{NAME_WIDTH - 8}" y="{middle + 4}" text-anchor="end" {TEXT}>{escape(name)}</text>'


def document(title, rows, parts):
    height = TOP + rows * ROW + 10
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" {TEXT} font-weight="bold">{escape(title)}</text>', *parts, "</svg>", ""])
