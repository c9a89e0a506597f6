"""What the comparison with the peers computes, and that a peer which answers wrongly is not compared."""

import socket
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runner import cpu_profile, elsewhere, peer_goals, peer_latency, peers, speed, system_calls  # noqa: E402
from runner.neighbours import Neighbours  # noqa: E402
from runner.processes import RunError  # noqa: E402


def samples(*cpu, rate=1.0, busy=1.0):
    return [speed.Sample(cpu=one, user=0, system=one, load_cpu=0, busy=busy, load_busy=0.5, rate=rate) for one in cpu]


def answer(body, length=None):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n{body}"


class Check(unittest.TestCase):
    def against(self, replies):
        """check() against a server that reads, says those bytes, and ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                with connection:
                    for reply in replies:
                        connection.recv(65536)
                        connection.sendall(reply.encode())

            server = threading.Thread(target=serve)
            server.start()
            try:
                peers.check(listener.getsockname()[1])
            finally:
                server.join()

    def names(self):
        return [chr(ord("a") + i) * (i + 1) for i in range(24)]

    def test_right_answers(self):
        self.against(["".join(map(answer, self.names())), answer("Hello world!") * 24, answer("4096")])

    def test_the_order_counts(self):
        names = self.names()
        names[3], names[4] = names[4], names[3]
        with self.assertRaisesRegex(RunError, "content-length .* in place of that of 'dddd'"):
            self.against(["".join(map(answer, names))])

    def test_every_body_counts(self):
        with self.assertRaisesRegex(RunError, "'xx' in place of 'bb'"):
            self.against([answer("a") + answer("xx")])
        with self.assertRaisesRegex(RunError, "closed before 'ccc' was answered"):
            self.against([answer("a") + answer("bb") + answer("cc", length=3)])
        with self.assertRaisesRegex(RunError, "404"):
            self.against([answer("a").replace("200 OK", "404 Not Found")])
        names = "".join(map(answer, self.names()))
        with self.assertRaisesRegex(RunError, r"\['2'\] in place of that of '4096'"):
            self.against([names, answer("Hello world!") * 24, answer("12")])


class Goals(unittest.TestCase):
    def test_each_bound_of_the_speed(self):
        of = {"millrace": samples(0.2, 0.2, rate=5), "null": samples(0.1, 0.1, rate=9),
              "fasthttp": samples(0.7, 0.9, rate=4), "nginx": samples(4, 4, rate=1)}
        lines = peer_goals.speed_lines("W1", of)
        self.assertEqual([(line.measured, line.at_least, line.verdict) for line in lines],
                         [(4.0, 4, "pass"), (20.0, 15, "pass"), (4.0, 1, "pass"), (1.25, 1, "pass")])
        own, rate = peer_goals.speed_lines("W2", of | {"nginx": samples(0.204, 0.204, rate=6)})
        self.assertEqual((own.what, own.measured, own.verdict),
                         ("W2: CPU a request, of that of the best peer (nginx)", 0.9804, "short"))
        self.assertEqual((rate.measured, rate.verdict), (0.8333, "short"))

    def test_who_was_the_limit_is_told(self):
        [_, line] = peer_goals.speed_lines("W3", {"millrace": samples(1, busy=0.3), "h2o": samples(2)})
        self.assertIn("neither", line.text)

    def test_nothing_is_said_without_peers(self):
        self.assertEqual(peer_goals.speed_lines("W2", {"millrace": samples(1), "null": samples(1)}), [])
        self.assertEqual(peer_goals.latency_lines({}), [])

    def test_latencies_are_held_against_the_best_of_each_percentile(self):
        def server(p50, p99, p999):
            return {"rate": 1, "rounds": [{"p50": p50, "p99": p99, "p99.9": p999, "unsent": 0}] * 3}

        lines = peer_goals.latency_lines({"millrace": server(10, 50, 70), "null": server(1, 1, 1),
                                          "nginx": server(20, 40, 100), "h2o": server(16, 100, 80)})
        self.assertEqual([(line.measured, line.verdict) for line in lines],
                         [(0.625, "pass"), (1.25, "short"), (0.875, "pass")])
        self.assertTrue(lines[1].what.endswith("p99: of that of the best peer (nginx)"))


class Elsewhere(unittest.TestCase):
    def test_each_is_held_against_the_null_server_of_its_run(self):
        null = speed.Sample(cpu=2, user=0, system=2, load_cpu=0, busy=1, load_busy=1, rate=1)
        [line] = elsewhere.lines_of("W1", {"millrace": samples(2.4), "null": [null]})
        self.assertEqual((line.measured, line.verdict), (round(0.95 / 1.2, 4), "short"))
        self.assertIn("faf", line.what)
        self.assertEqual(elsewhere.lines_of("W4", {"millrace": samples(2.4), "null": [null]}), [])


class Figures(unittest.TestCase):
    def test_what_was_never_sent_is_a_share(self):
        got = peer_latency.figures_of({"answered": 90, "unsent": 10,
                                       "latency_us": {"percentiles": {"p50": 1.5, "p99": 2, "p99.9": 3, "p75": 9}}})
        self.assertEqual(got, {"p50": 1.5, "p99": 2, "p99.9": 3, "unsent": 0.1})

    def test_system_calls_in_the_report_of_perf(self):
        report = "# started on a day\n\n1024,,raw_syscalls:sys_enter,235826820,100.00,,\n"
        self.assertEqual(system_calls.parse(report), 1024)
        self.assertIsNone(system_calls.parse("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n"))

    def test_shares_of_a_profile(self):
        report = ("# Children;Self;Symbol\n  98.00% ; 1.00%  ;[.] io_uring_enter2\n 60.00% ;20.00%  ;[k] tcp_sendmsg\n"
                  " 30.00% ;30.00%  ;[k] net_rx_action\n 15.00% ; 5.00%  ;[k] tcp_recvmsg\n"
                  " 40.00% ;40.00%  ;[k] do_syscall_64\n  4.00%  ; 4.00%  ;[.] millrace::Core::turn(int)\n")
        self.assertEqual(cpu_profile.parse(report),
                         {"own": 0.05, "sending": 0.6, "delivery": 0.3, "receiving": 0.15, "rest": 0.2})
        self.assertIsNone(cpu_profile.parse("  98.00% ; 1.00%  ;[.] io_uring_enter2\n  1.00% ; 1.00%  ;[k] 0xffff8\n"))

    def test_our_own_time_is_not_the_neighbours(self):
        neighbours = Neighbours(elapsed=10, others=5, stolen=1, load_average=2.5)
        self.assertEqual(neighbours.as_data(), {"busy_cpus": 0.5, "stolen_cpus": 0.1, "load_average_max": 2.5})
        neighbours.begin()
        neighbours.end(10, ours=1e9)
        self.assertEqual(neighbours.as_data()["busy_cpus"], 0.25)


if __name__ == "__main__":
    unittest.main()
