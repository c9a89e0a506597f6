#!/usr/bin/env python3
"""pass_sockets.py [--other-pid] ADDRESS... -- COMMAND...: what systemd does for a socket unit: opens the sockets,
and runs the command with them from descriptor 3 on. An address is "tcp", or the path of a unix socket.
--other-pid names another process as the one they are for."""

from __future__ import annotations

import fcntl
import os
import socket
import sys

FIRST = 3
OUT_OF_THE_WAY = 100


def listening(address: str) -> socket.socket:
    if address == "tcp":
        return socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(address)
    unix.listen()
    return unix


def main() -> None:
    arguments = sys.argv[1:]
    other = arguments[0] == "--other-pid"
    end = arguments.index("--")
    sockets = [listening(address) for address in arguments[other:end]]
    copies = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD, OUT_OF_THE_WAY) for each in sockets]
    for number, copy in enumerate(copies, start=FIRST):
        os.dup2(copy, number)
    os.environ["LISTEN_FDS"] = str(len(sockets))
    os.environ["LISTEN_PID"] = str(os.getpid() + other)
    os.execvp(arguments[end + 1], arguments[end + 1 :])


main()
