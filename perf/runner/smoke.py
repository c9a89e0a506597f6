"""A fifth of a second of the null servers and the load generator: do they count alike, does the
generator refuse what is wrong? No figure is looked at."""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runner.million import Holders  # noqa: E402
from runner.processes import RunError, Server  # noqa: E402
from runner.speed import run_load  # noqa: E402

LIMITS = sys.argv[1:3]
LOAD = sys.argv[3]
IDLE_LOAD = sys.argv[4]
SHAPE = ["--request-bytes", "35", "--response-bytes", "128"]


class Smoke(unittest.TestCase):
    def test_every_request_is_answered_and_counted(self):
        for limit in LIMITS:
            for workload, pipeline in (("W1", 24), ("W2", 1)):
                with self.subTest(limit=limit, workload=workload), Server([limit, *SHAPE], None) as server:
                    before = server.cpu_count()
                    load = run_load(LOAD, server.port, workload, None, seconds=0.2)
                    self.assertGreaterEqual(load["requests"], 100 * pipeline)
                    self.assertEqual(load["requests"] % pipeline, 0)
                    self.assertEqual(load["batch_answer_bytes"], 128 * pipeline)
                    self.assertEqual(load["batch_request_bytes"], 35 * pipeline)
                    self.assertGreaterEqual(load["seconds"], 0.19)
                    self.assertGreater((server.cpu_count() - before).total, 0)

    def test_answers_can_be_owed_by_the_batch(self):
        shape = ["--request-bytes", str(24 * 35), "--answers", "24", "--response-bytes", "130"]
        for limit in LIMITS:
            with self.subTest(limit=limit), Server([limit, *shape], None) as server:
                load = run_load(LOAD, server.port, "W1", None, requests=5000)
                self.assertGreaterEqual(load["requests"], 5000)
                self.assertEqual(load["batch_answer_bytes"], 24 * 130)

    def test_a_wrong_body_is_an_error(self):
        for limit in LIMITS:
            with self.subTest(limit=limit), Server([limit, "--request-bytes", "4000"], None) as server:
                with self.assertRaisesRegex(RunError, "the body is 'Hello world!', not '4096'"):
                    run_load(LOAD, server.port, "W4", None, seconds=0.2)

    def test_an_answer_too_many_is_an_error(self):
        for limit in LIMITS:
            with self.subTest(limit=limit), Server([limit, "--answers", "2"], None) as server:
                with self.assertRaisesRegex(RunError, "more answers than requests"):
                    run_load(LOAD, server.port, "W2", None, seconds=0.2)

    def test_a_large_answer_comes_whole(self):
        shape = ["--request-bytes", "35", "--response-bytes", "100000"]
        for limit in LIMITS:
            with self.subTest(limit=limit), Server([limit, *shape], None) as server:
                load = run_load(LOAD, server.port, "W1", None, requests=5000)
                self.assertEqual(load["batch_answer_bytes"], 24 * 100000)


    def test_what_else_a_ring_offers_answers_alike(self):
        for flag in ("--send-message", "--zero-copy", "--spin", "--bundles", "--incremental", "--direct"):
            with self.subTest(flag=flag), Server([LIMITS[0], *SHAPE, flag], None) as server:
                load = run_load(LOAD, server.port, "W1", None, requests=5000)
                self.assertEqual(load["batch_answer_bytes"], 24 * 128)

    def test_every_second_connection_may_have_another_port(self):
        with Server([LIMITS[0], *SHAPE], None) as good, Server([LIMITS[0], "--answers", "2"], None) as bad:
            done = subprocess.run([LOAD, "--port", str(good.port), "--other-port", str(bad.port), "--workload", "W2",
                                   "--requests", "1000"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (1, "more answers than requests\n"))

    def test_idle_connections_are_held_and_asked_again(self):
        with Server([LIMITS[0], *SHAPE], None) as server, Holders(IDLE_LOAD, server.port, 300) as holders:
            for outcome in (holders.outcome(), holders.ask("sample 300"), holders.ask("sweep")):
                self.assertEqual((outcome["connections"], outcome["problem"]), (300, ""))

    def test_an_idle_connection_that_is_closed_is_told(self):
        with Server([LIMITS[0], *SHAPE], None) as server, Holders(IDLE_LOAD, server.port, 30) as holders:
            holders.outcome()
            server.process.kill()
            server.process.wait()
            swept = holders.ask("sweep")
            self.assertEqual(swept["connections"], 0)
            self.assertNotEqual(swept["problem"], "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
