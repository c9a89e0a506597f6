"""JSON in and out of a struct beside the field's libraries: how many times as fast, library by library.

perf/micro measures all of them, as perf/runner/tokenizer.py explains; a library that was not installed when it
was built has no line.
"""

from runner import tokenizer
from runner.report import Line

SIZES = {"0": "150 bytes", "1": "13 KB"}
LIBRARIES = {"simdjson_on_demand": "simdjson on demand", "rapidjson": "RapidJSON", "nlohmann": "nlohmann"}


def measure(program, repetitions):
    return {way: tokenizer.measure(program, repetitions, f"^json_{way}/") for way in ("read", "write")}


def lines_of(measured):
    lines = []
    for way, times in measured.items():
        for library, name in LIBRARIES.items():
            for size, nanoseconds in sorted(times.get(library, {}).items()):
                own = times["millrace"][size]
                lines.append(Line(f"JSON {way}, {SIZES[size]}: times the speed of {name}", nanoseconds / own,
                                  f"{nanoseconds / own:.2f} ({own:.0f} ns; {name} {nanoseconds:.0f})"))
    return lines
