"""What the runner computes: verdicts, medians, the shape of a null server, figures out of output."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runner import (  # noqa: E402
    compare,
    cores,
    crowd,
    frugal,
    instructions,
    json_speed,
    latency,
    micro,
    million,
    revision,
    speed,
    start,
    tokenizer,
    wrk,
)
from runner.processes import TICKS, CpuCount, CpuTime, RunError, Server, family, read_cpu_count  # noqa: E402
from runner.report import Line, table  # noqa: E402


def sample(cpu, busy=1.0, load_busy=0.5):
    return speed.Sample(cpu=cpu, user=0, system=cpu, load_cpu=0, busy=busy, load_busy=load_busy, rate=1)


class Report(unittest.TestCase):
    def test_a_verdict_needs_a_bound(self):
        self.assertEqual(Line("a", 0.75, "", at_least=0.75).verdict, "pass")
        self.assertEqual(Line("a", 0.7499, "", at_least=0.75).verdict, "short")
        self.assertEqual(Line("a", 300, "", at_most=300).verdict, "pass")
        self.assertEqual(Line("a", 300.1, "", at_most=300).verdict, "short")
        self.assertEqual(Line("a", 300.1, "").verdict, "")

    def test_the_table_is_aligned(self):
        self.assertEqual(table([Line("long name", 1, "1.0", at_least=2), Line("b", 1, "1.0")]).splitlines(), [
            "what      | measured | bound |",
            "--------- | -------- | ----- | -----",
            "long name | 1.0      | >= 2  | short",
            "b         | 1.0      |       |"])
        self.assertEqual(Line("a", 1, "", at_least=1_000_000).bound, ">= 1,000,000")


class Million(unittest.TestCase):
    def test_a_table_for_each_core_holds_what_the_kernel_gives_it(self):
        self.assertEqual(million.cores_for(10_000, 20_000), 1)
        cores = million.cores_for(1_000_000, 20_000)
        mean = 1_000_000 / cores
        self.assertLessEqual(mean + 5 * mean ** 0.5, 20_000 - million.SPARE_FILES)
        self.assertLess(cores, 60)

    def test_one_table_is_shared_where_it_is_large_enough(self):
        self.assertNotIn("own_descriptors", million.configuration(1000, 1000 + million.SPARE_FILES, 2))
        self.assertIn("own_descriptors = true", million.configuration(1000, 999 + million.SPARE_FILES, 2))

    def test_what_stopped_it_is_told(self):
        steps = [{"connections": 900, "seconds": 1, "problem": why} for why in ("cannot connect", "", "")]
        held, memory, *_ = million.lines_of(1000, steps[0], 900 * 400, 1 << 30, *steps[1:])
        self.assertEqual((held.verdict, held.text), ("short", "900 (cannot connect)"))
        self.assertEqual((memory.verdict, memory.measured), ("pass", 400))


class Scale(unittest.TestCase):
    def test_idle_connections_may_cost_a_twentieth(self):
        self.assertEqual(crowd.line_of({"W2": [sample(4)] * 3, "W6": [sample(4.2)] * 3}).verdict, "pass")
        self.assertEqual(crowd.line_of({"W2": [sample(4)] * 3, "W6": [sample(4.3)] * 3}).verdict, "short")

    def test_two_cores_may_cost_a_twentieth(self):
        self.assertEqual(cores.line_of("W1", {"one": [1.0, 1.0, 3.0], "two": [1.05, 1.0, 9.0]}).verdict, "pass")
        self.assertEqual(cores.line_of("W1", {"one": [1.0, 1.0, 3.0], "two": [1.06, 1.06, 1.0]}).verdict, "short")

    def test_latencies_are_shown_by_server(self):
        figures = {"p50": 100.0, "p99": 2000.0, "p99.9": 3000.0, "unsent": 0.0}
        [line] = latency.lines_of({"Millrace": {"rate": 50000, "rounds": [figures]}})
        self.assertEqual((line.measured, line.text), (2000, "100, 2,000, 3,000 (at 50,000 a second)"))

    def test_a_test_of_allocations_that_fails_is_an_error(self):
        with tempfile.TemporaryDirectory() as build:
            program = Path(build) / frugal.ALLOCATIONS
            program.parent.mkdir(parents=True)
            program.write_text("#!/bin/sh\necho news\nexit 1\n")
            program.chmod(0o700)
            with self.assertRaisesRegex(RunError, "news"):
                frugal.measure_allocations(Path(build))


class Start(unittest.TestCase):
    def test_the_median_counts(self):
        took, size = start.lines_of([1, 19, 300], 3 * 2**20 + 1e5)
        self.assertEqual((took.verdict, took.measured), ("pass", 19))
        self.assertEqual(size.verdict, "short")

    def test_a_program_that_does_not_answer_is_an_error(self):
        start.PATIENCE_S = 0.1
        with self.assertRaisesRegex(RunError, "nobody listens"):
            start.start_once("/bin/true")


class Processes(unittest.TestCase):
    def test_the_scheduler_knows_the_total_and_ticks_the_split(self):
        got = CpuCount(TICKS + 25, 75, 1.005) - CpuCount(TICKS, 0, 0.0)
        self.assertAlmostEqual(got.total, 1.005)
        self.assertAlmostEqual(got.user, 1.005 / 4)

    def test_ticks_count_where_the_scheduler_does_not(self):
        for before, after in ((None, None), (2.0, 1.0)):  # The second: a thread has ended.
            got = CpuCount(0, TICKS, after) - CpuCount(0, 0, before)
            self.assertEqual(got, CpuTime(0, 1.0))

    def test_a_time_without_a_tick_is_not_nothing(self):
        self.assertEqual(CpuCount(5, 5, 1.5) - CpuCount(5, 5, 1.492), CpuTime(0, 1.5 - 1.492))


    def test_a_child_counts_for_its_parent(self):
        script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
        with subprocess.Popen([sys.executable, "-c", script]) as parent:
            try:
                while len(family(parent.pid)) < 2 or read_cpu_count(family(parent.pid)[1:]).user_ticks < 10:
                    self.assertIsNone(parent.poll())
                before = read_cpu_count([parent.pid])
                self.assertGreaterEqual(read_cpu_count(family(parent.pid)).user_ticks - before.user_ticks, 10)
            finally:
                for pid in reversed(family(parent.pid)):
                    os.kill(pid, signal.SIGKILL)


class Tokenizer(unittest.TestCase):
    def run_of(self, name, time, **more):
        return {"run_type": "iteration", "run_name": name, "name": name, "cpu_time": time} | more

    def test_the_least_time_counts_and_the_best_kernel_is_shown(self):
        times = tokenizer.times_of({"benchmarks": [
            self.run_of("head/llhttp/35/same", 100.0), self.run_of("head/avx2/35/same", 30.0),
            self.run_of("head/avx2/35/same", 20.0), self.run_of("head/scalar/35/same", 10.0),
            self.run_of("head/avx2/35/same", 1.0, run_type="aggregate")]})
        line, known = tokenizer.lines_of(times)
        self.assertEqual(line.measured, 5.0)
        self.assertEqual(line.verdict, "pass")
        self.assertIn("avx2", line.what)
        self.assertEqual(known.measured, 42.0 / 20.0)

    def test_a_head_that_was_not_accepted_is_no_figure(self):
        with self.assertRaises(RunError):
            tokenizer.times_of({"benchmarks": [self.run_of("head/avx2/35/same", 0.0, error_occurred=True)]})
        with self.assertRaises(RunError):
            tokenizer.lines_of({"avx2": {"35": 1.0}})


    def test_picohttpparser_is_compared_as_it_is_known_and_as_it_is_here(self):
        times = {"llhttp": {"35": 100.0, "120": 200.0}, "picohttpparser": {"35": 20.0, "120": 60.0},
                 "avx2": {"35": 14.0, "120": 30.0}}
        got = [(round(line.measured, 2), line.verdict) for line in tokenizer.pico_lines("avx2", times)]
        self.assertEqual(got, [(3.0, "pass"), (1.43, "short"), (2.0, "")])


class Micro(unittest.TestCase):
    def test_the_least_time_of_one_item_counts(self):
        run = {"run_type": "iteration", "run_name": "a/1", "name": "a/1"}
        report = {"benchmarks": [run | {"cpu_time": 9.0, "label": "one"}, run | {"cpu_time": 7.0, "label": "one"},
                                 run | {"cpu_time": 1.0, "run_type": "aggregate"},
                                 run | {"run_name": "b", "cpu_time": 240.0, "items_per_second": 1e8}]}
        self.assertEqual(micro.times_of(report), {"a/1": ("one", 7.0), "b": ("", 10.0)})
        with self.assertRaises(RunError):
            micro.times_of({"benchmarks": [run | {"cpu_time": 1.0, "error_occurred": True}]})

    def test_a_line_a_benchmark_and_then_the_comparisons(self):
        lines = micro.lines_of({"date": ("", 20.0), "head/llhttp/35/same": ("", 100.0), "head/avx2/35/same": ("", 20.0),
                                "head/avx2/35/varied": ("", 30.0), "router/10": ("static", 5.0)})
        self.assertEqual([line.what for line in lines[:5]],
                         ["date", "head/avx2/35/same", "head/avx2/35/varied", "head/llhttp/35/same", "router/10 (static)"])
        self.assertEqual([line.measured for line in lines[5:]], [5.0, 2.1])
        self.assertLess(micro.in_order("a/700/x"), micro.in_order("a/2000/x"))


class JsonSpeed(unittest.TestCase):
    def test_a_line_a_library_that_is_there(self):
        times = {"millrace": {"0": 100.0, "1": 1000.0}, "rapidjson": {"0": 200.0, "1": 500.0}}
        lines = json_speed.lines_of({"read": times, "write": {"millrace": {"0": 50.0}, "nlohmann": {"0": 100.0}}})
        self.assertEqual([line.measured for line in lines], [2.0, 0.5, 2.0])
        self.assertEqual(lines[1].what, "JSON read, 13 KB: times the speed of RapidJSON")


class Speed(unittest.TestCase):
    def test_times_are_divided_by_the_requests(self):
        load = {"requests": 4_000_000, "seconds": 2.0, "user_seconds": 0.5, "system_seconds": 0.5}
        got = speed.sample_of(CpuTime(0.4, 1.6), load)
        self.assertAlmostEqual(got.cpu, 0.5)
        self.assertAlmostEqual(got.user, 0.1)
        self.assertAlmostEqual(got.busy, 1.0)
        self.assertAlmostEqual(got.load_cpu, 0.25)
        self.assertAlmostEqual(got.rate, 2e6)

    def test_no_cpu_time_is_no_figure(self):
        with self.assertRaisesRegex(RunError, "too little CPU time"):
            speed.sample_of(CpuTime(0, 0), {"requests": 2400, "seconds": 0.1, "user_seconds": 0, "system_seconds": 0})

    def test_the_ratio_is_of_medians(self):
        samples = {"null": [sample(1), sample(2), sample(9)], "millrace": [sample(4), sample(2), sample(10)],
                   "epoll": [sample(3)] * 3}
        line, of_epoll = speed.ratio_lines("W1", "uring", samples)
        self.assertEqual(line.measured, 0.5)
        self.assertEqual(line.text, "0.500 (0.25..1.00)")
        self.assertEqual(line.verdict, "short")
        self.assertEqual(speed.ratio_lines("W4", "uring", samples)[0].verdict, "")
        self.assertEqual((of_epoll.measured, of_epoll.verdict), (1.5, ""))

    def test_on_epoll_the_ratios_are_of_both_others(self):
        samples = {"null": [sample(1)], "millrace": [sample(2)], "uring": [sample(1.5)]}
        of_null, of_uring = speed.ratio_lines("W1", "epoll", samples)
        self.assertEqual((of_null.measured, of_null.verdict), (0.5, ""))
        self.assertEqual((of_uring.measured, of_uring.verdict), (0.75, ""))

    def test_who_is_at_the_limit(self):
        self.assertEqual(speed.bottleneck(sample(1, 0.96, 0.99)), "server")
        self.assertEqual(speed.bottleneck(sample(1, 0.9, 0.96)), "load")
        self.assertEqual(speed.bottleneck(sample(1, 0.9, 0.9)), "neither")

    def test_the_null_server_answers_as_many_bytes(self):
        load = {"pipeline": 24, "batch_request_bytes": 840, "batch_answer_bytes": 24 * 131}
        self.assertEqual(speed.null_shape(load | {"workload": "W1"}),
                         ["--request-bytes", 35, "--answers", 1, "--response-bytes", 131])
        self.assertEqual(speed.null_shape(load | {"workload": "W1v"}),
                         ["--request-bytes", 840, "--answers", 24, "--response-bytes", 131])


class Compare(unittest.TestCase):
    def test_each_is_asked_first_in_every_second_round(self):
        self.assertEqual("".join(compare.interleave(["a", "b"], 3)), "abbaab")

    def test_time_is_told_and_instructions_are_judged(self):
        told = compare.speed_line("W1", {"old": [sample(2), sample(4), sample(4)], "now": [sample(1), sample(6), sample(5)]})
        self.assertEqual((told.measured, told.verdict), (1.25, ""))
        self.assertIn("(0.50..1.50;", told.text)
        lines = [compare.instruction_line(workload, {"old": 200.0, "now": now})
                 for workload, now in (("W1", 204.0), ("W3", 204.2))]
        self.assertEqual(compare.slower([told, lines[0]]), "")
        self.assertEqual(compare.slower([told, *lines]),
                         "instructions a request, W3: now / old is 1.021, more than 1.02")


class Scripts(unittest.TestCase):
    def test_results_have_a_name_and_no_path(self):
        script = Path(__file__).resolve().parent.parent / "bench.py"
        command = [sys.executable, script, "--save", "/tmp/x"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--save /tmp/x: takes a name", done.stderr)

    def test_each_is_read_whole_and_says_what_it_takes(self):
        for name in ("bench.py", "compare.py", "pgo.py"):
            script = Path(__file__).resolve().parent.parent / name
            done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn("--build", done.stdout)


class Revision(unittest.TestCase):
    """In a repository of its own, whose commits hold no program at all, or one that meson refuses."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = Path(self.directory.name)
        self.git("init", "--quiet")
        (self.root / "a").write_text("a")

    def git(self, *words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", "-C", self.root, *identity, *words], check=True, capture_output=True, text=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", "a")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def test_a_revision_that_does_not_exist(self):
        commit = self.commit()
        self.assertEqual(revision.commit_of(self.root, "HEAD"), commit)
        for name in ("no-such-branch", "--all", "HEAD:a", ""):
            with self.assertRaisesRegex(RunError, "git knows no revision"):
                revision.commit_of(self.root, name)

    def test_one_that_is_too_old(self):
        with self.assertRaisesRegex(RunError, "has no perf/server/server and no perf/instructions/session"):
            revision.build(self.root, self.commit(), "HEAD")

    def test_one_that_does_not_build_is_told_with_the_end_of_its_log(self):
        for path in revision.TARGETS.values():
            (self.root / path).parent.mkdir(parents=True)
            (self.root / path).write_text("")
        (self.root / "meson.build").write_text("project('a')\n")
        commit = self.commit()
        for _ in range(2):  # What the first left behind hides nothing from the second.
            with self.assertRaisesRegex(RunError, "Unknown options(.|\n)*does not build: the whole log is "):
                revision.build(self.root, commit, "HEAD")


class Output(unittest.TestCase):
    def test_wrk(self):
        self.assertEqual(wrk.parse("Requests/sec: 265432.10\n"), 265432.1)
        with self.assertRaisesRegex(RunError, "Non-2xx"):
            wrk.parse("  Non-2xx or 3xx responses: 5\nRequests/sec: 1.0\n")
        with self.assertRaisesRegex(RunError, "unable"):
            wrk.parse("unable to connect")

    def test_callgrind(self):
        self.assertEqual(instructions.parse_total("events: Ir\nfn=1\n1 2\ntotals: 123456\n"), 123456)
        with self.assertRaises(RunError):
            instructions.parse_total("events: Ir\n")

    def test_more_instructions_than_committed_are_short(self):
        verdicts = [line.verdict for line in instructions.lines_of({"W1": 153.0, "W3": 103}, {"W1": 150, "W3": 100})]
        self.assertEqual(verdicts, ["pass", "pass", "", "short"])
        self.assertEqual([line.verdict for line in instructions.lines_of({"W1": 201}, {})], ["short"])

    def test_a_server_that_ends_is_told_with_its_words(self):
        with self.assertRaisesRegex(RunError, "no such luck"):
            with Server([sys.executable, "-c", "print('no such luck')"], None):
                self.fail("it runs")


if __name__ == "__main__":
    unittest.main()
