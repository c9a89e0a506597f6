"""What summary.py makes of a test log: every kind of result, and the logs that must not pass."""
import json
import unittest

from summary import summarise


def log(*results: str) -> str:
    return "".join(json.dumps({"name": f"t{i}", "result": r}) + "\n" for i, r in enumerate(results))


class Summary(unittest.TestCase):
    def test_all_good(self) -> None:
        self.assertEqual(summarise(log("OK", "EXPECTEDFAIL")), (["2 passed, 0 failed"], 0))

    def test_every_bad_result_counts_and_is_named(self) -> None:
        for bad in ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS", "a result of a later meson"):
            with self.subTest(bad):
                self.assertEqual(summarise(log("OK", bad)), (["failed: t1", "1 passed, 1 failed"], 1))

    def test_skipped_are_named_and_are_neither(self) -> None:
        self.assertEqual(summarise(log("OK", "SKIP")), (["1 skipped: t1", "1 passed, 0 failed"], 0))

    def test_nothing_run_is_a_failure(self) -> None:
        for text in ("", "\n", log("SKIP")):
            with self.subTest(text):
                lines, status = summarise(text)
                self.assertEqual((lines[-1], status), ("0 passed, 0 failed", 1))


if __name__ == "__main__":
    unittest.main()
