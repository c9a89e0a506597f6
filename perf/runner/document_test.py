"""The performance document: it is the one that its results make, and the parts it is made of."""

import copy
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runner import document, plots  # noqa: E402
from runner.processes import RunError  # noqa: E402


def sample(cpu, **more):
    return {"cpu": cpu, "user": cpu / 4, "system": cpu * 3 / 4, "load_cpu": 1, "busy": 0.99, "load_busy": 0.5,
            "rate": 1e6 / cpu} | more


MEASURED = {
    "samples": {"nginx": [sample(4), sample(6), sample(5)], "millrace": [sample(0.25), sample(0.2), sample(0.21)],
                "null": [sample(0.15, busy=0.5, load_busy=0.97)] * 3},
    "profile": {"own": 0.1, "sending": 0.6, "delivery": 0.3, "receiving": 0.2, "rest": 0.1},
    "system_calls": {"millrace": 0.00181, "nginx": 1.126}, "failed": {"h2o": "closed | a connection\nand more"}}


class Committed(unittest.TestCase):
    def test_the_document_is_the_one_its_results_make(self):
        self.assertEqual(document.stale(), [], "run ./dev bench --report")

    def test_what_does_not_agree_is_found(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "perf" / "results").mkdir(parents=True)
            results = root / "perf" / "results" / f"{document.SOURCE}.json"
            shutil.copy(document.ROOT / "perf" / "results" / results.name, results)
            shutil.copytree(document.ROOT / "docs", root / "docs")
            self.assertEqual(document.stale(root), [])
            data = json.loads(results.read_text())
            for rounds in data["samples"]["peers"]["workloads"]["W2"]["samples"].values():
                for one in rounds:
                    one["cpu"] *= 2
            results.write_text(json.dumps(data))
            self.assertEqual(document.stale(root), [str(document.DOCUMENT), str(document.PLOTS / "W2.svg")])
            document.write(root)
            self.assertEqual(document.stale(root), [])
            (root / document.PLOTS / "latency.svg").unlink()
            self.assertEqual(document.stale(root), [str(document.PLOTS / "latency.svg")])


class Parts(unittest.TestCase):
    def test_a_row_for_each_server_the_cheapest_first(self):
        rows = document.workload_table(MEASURED).splitlines()[2:]
        self.assertEqual(rows, [
            "| null server | 0.15 | 0.0375 | 0.112 | 0.15 to 0.15 | 0.714 | 6,670,000 | load (50%, 97%) |  |",
            "| Millrace | 0.21 | 0.0525 | 0.158 | 0.2 to 0.25 | 1 | 4,760,000 | server (99%, 50%) | 0.0018 |",
            "| nginx | 5 | 1.25 | 3.75 | 4 to 6 | 23.8 | 200,000 | server (99%, 50%) | 1.1 |",
            "| h2o | no |  |  |  |  |  | closed / a connection |  |"])

    def test_digits_have_no_exponent(self):
        self.assertEqual([document.digits(value) for value in (0, 0.00001234, 0.1239, 9.996, 123.4, 1234567)],
                         ["0", "0.0000123", "0.124", "10", "123", "1,230,000"])

    def test_a_profile_is_in_microseconds(self):
        rows = document.profile_table({"W1": MEASURED, "W2": MEASURED | {"profile": None}}).splitlines()[2:]
        self.assertEqual(rows, ["| W1 | 0.021 (10%) | 0.13 (60%) | 0.063 (30%) | 0.042 (20%) | 0.021 (10%) |"])

    def test_goals_have_their_verdicts(self):
        line = {"what": "  a", "measured": 1, "text": "1.0", "at_least": 4, "at_most": None, "verdict": "short"}
        rows = document.goals_table([line, line | {"at_least": None, "at_most": 1_000_000, "verdict": "pass"},
                                     line | {"at_least": None, "verdict": ""}]).splitlines()[2:]
        self.assertEqual(rows, ["| a | 1.0 | at least 4 | short |", "| a | 1.0 | at most 1,000,000 | pass |",
                                "| a | 1.0 |  |  |"])

    def test_latencies_are_medians_the_best_p99_first(self):
        def rounds(*p99):
            return {"rate": 1000, "rounds": [{"p50": 50, "p99": one, "p99.9": 2 * one, "unsent": 0} for one in p99]}

        table = document.latency_table({"nginx": rounds(300, 100, 200), "millrace": rounds(90, 1000, 80)})
        self.assertEqual(table.splitlines()[2:], ["| Millrace | 1,000 | 50 | 90 | 180 | 0.0% |",
                                                  "| nginx | 1,000 | 50 | 200 | 400 | 0.0% |"])

    def test_results_without_peers_are_refused(self):
        with self.assertRaisesRegex(RunError, "take them with --peers"):
            document.parts_of({"samples": {"W1": {}}})


class Places(unittest.TestCase):
    TEXT = "by hand\n<!-- generated: a -->\nold\nlines\n<!-- end -->\nmore\n<!-- generated: b -->\n<!-- end -->\n"

    def test_only_what_is_between_the_marks_changes(self):
        self.assertEqual(document.filled(self.TEXT, {"a": "new", "b": "too\n"}),
                         "by hand\n<!-- generated: a -->\nnew\n<!-- end -->\nmore\n"
                         "<!-- generated: b -->\ntoo\n\n<!-- end -->\n")

    def test_every_part_has_one_place(self):
        for parts in ({"a": ""}, {"a": "", "b": "", "c": ""}):
            with self.assertRaisesRegex(RunError, "not one for each"):
                document.filled(self.TEXT, parts)
        with self.assertRaisesRegex(RunError, "without an end"):
            document.filled("<!-- generated: a -->\n", {"a": ""})


class Plots(unittest.TestCase):
    def test_bars_are_as_long_as_their_values(self):
        svg = ElementTree.fromstring(document.workload_plot("W1", copy.deepcopy(MEASURED)))
        widths = [float(rect.get("width")) for rect in svg.iterfind(".//{*}rect")][1:]
        self.assertEqual(len(widths), 3)
        self.assertAlmostEqual(widths[0] / widths[1], 0.21 / 0.15, 2)
        self.assertAlmostEqual(widths[1] / widths[2], 5 / 0.21, 0)
        self.assertTrue(all(float(text.get("x")) <= plots.WIDTH for text in svg.iterfind(".//{*}text")))

    def test_percentiles_are_on_a_logarithmic_axis(self):
        values = {"p50": 10, "p99": 100, "p99.9": 10_000}
        svg = ElementTree.fromstring(plots.spans("a < b", [plots.Span("a & b", "own", values)]))
        [low, middle, high] = [float(dot.get("cx")) for dot in svg.iterfind(".//{*}circle")]
        self.assertAlmostEqual(high - middle, 2 * (middle - low), 0)
        self.assertEqual([text.text for text in svg.iterfind(".//{*}text")],
                         ["a < b", "10 us", "100 us", "1 ms", "10 ms", "a & b"])


if __name__ == "__main__":
    unittest.main()
