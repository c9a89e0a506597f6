"""A short comparison of Millrace, the null server and whichever peers are installed: does every one of them
answer every workload, and is everything there that tables are made from? No figure is looked at."""

import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runner import peer_goals, peer_latency  # noqa: E402
from runner.peer_speed import Comparison  # noqa: E402
from runner.peers import NULL, OWN, PEERS  # noqa: E402
from runner.speed import WORKLOADS  # noqa: E402

SERVER, LOAD, LIMIT_URING, LIMIT_EPOLL, ENGINE = sys.argv[1:6]


class Smoke(unittest.TestCase):
    def test_a_short_comparison(self):
        programs = SimpleNamespace(server=SERVER, load=LOAD, limit_uring=LIMIT_URING, limit_epoll=LIMIT_EPOLL,
                                   engine=ENGINE)
        data = Comparison(programs, "uring", (None, None), rounds=1, seconds=0.1).run(WORKLOADS, PEERS)
        missing = [peer.name for peer in PEERS if peer.missing()]
        self.assertEqual(sorted(data["skipped"]), sorted(missing))
        present = sorted([OWN, NULL] + [peer.name for peer in PEERS if peer.name not in missing])
        for workload in WORKLOADS:
            self.assertEqual(data["workloads"][workload]["failed"], {})
            self.assertEqual(sorted(data["workloads"][workload]["samples"]), present)
        self.assertEqual(sorted(data["latency"]), present)
        self.assertEqual(sorted(peer_latency.medians(data["latency"])), present)
        self.assertEqual(sorted([*data["memory_bytes"], NULL]), present)
        for name, version in data["versions"].items():
            self.assertRegex(version, r"^\d+\.\d+", name)
        self.assertGreater(data["memory_bytes"][OWN], 1 << 20)
        self.assertEqual(len(peer_goals.lines_of(data)) > 1, len(missing) < len(PEERS))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
