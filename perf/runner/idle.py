"""What an idle keep-alive connection costs the server, plain and over TLS: growth of its private memory, by connection.

Over TLS that is the engine's share and OpenSSL's, which is nearly all of it. Each connection has had one request answered. The kernel's own memory for the sockets is not counted.
"""

import resource
import socket
import ssl
import tempfile
import time
from pathlib import Path

from runner.processes import RunError, Server, free_port
from runner.report import Line
from runner.tls import make_certificate

BOUND_BYTES = 1024
CONNECTIONS = 15_000
TLS_CONNECTIONS = 5000
SOURCES = 16  # Loopback addresses to connect from, so that no pair of addresses runs out of ports.
SPARE_FILES = 200
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def ask(connection):
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(b"Hello world!"):
        part = connection.recv(4096)
        if not part:
            raise RunError(f"a connection was closed behind {answer!r}")
        answer += part
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RunError(f"wrong answer: {answer!r}")


def connect(port, number):
    source = f"127.0.0.{2 + number % SOURCES}"
    return socket.create_connection(("127.0.0.1", port), 10, (source, 0))


def settled(server):
    """The memory once it stands still."""
    before = -1
    for _ in range(20):
        now = server.private_bytes()
        if now == before:
            return now
        before = now
        time.sleep(0.1)
    return before


def connections_possible():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(CONNECTIONS, hard - SPARE_FILES)


def cost_of(server, count, connect_one):
    """Bytes a connection."""
    held = []
    try:
        # Every receive buffer of the ring is touched once before the memory is read.
        with connect_one(0) as warm:
            for _ in range(2000):
                ask(warm)
        before = settled(server)
        for number in range(count):
            held.append(connect_one(number))
            ask(held[-1])
        after = settled(server)
        ask(held[0])
        ask(held[-1])
    finally:
        for connection in held:
            connection.close()
    return (after - before) / count


def measure(program, cpu, wanted=CONNECTIONS):
    count = min(wanted, connections_possible())
    port = free_port()
    with Server([program, "--port", port, "--cores", 1], cpu, port) as server:
        cost = cost_of(server, count, lambda number: connect(port, number))
    return Line(f"memory of an idle connection, bytes ({count:,} of them)", round(cost, 1), f"{cost:.0f}",
                at_most=BOUND_BYTES)


def measure_tls(program, cpu, wanted=TLS_CONNECTIONS):
    count = min(wanted, connections_possible())
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="millrace-tls-") as name:
        make_certificate(Path(name), "ec")
        flags = ["--tls-listen", f"127.0.0.1:{port}", "--tls-cert", f"{name}/cert-ec.pem",
                 "--tls-key", f"{name}/key-ec.pem", "--config", "/dev/null", "--cores", 1]
        context = ssl.create_default_context(cafile=f"{name}/cert-ec.pem")
        with Server([program, *flags], cpu, port) as server:
            cost = cost_of(server, count, lambda number: context.wrap_socket(
                connect(port, number), server_hostname="localhost"))
    return Line(f"memory of an idle TLS connection, bytes, OpenSSL's included ({count:,} of them)", round(cost, 1),
                f"{cost:.0f}")
