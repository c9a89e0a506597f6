"""receive_queue.py: has the server taken the bytes yet?

A cut only tests something if the server reads the first part before the second arrives. The kernel knows:
sock_diag(7) tells the length of the receive queue of the server's end of a connection."""

from __future__ import annotations

import errno
import socket
import struct

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
HEADER = struct.Struct("=IHHII")
QUEUE_AT = HEADER.size + 4 + 48 + 4  # inet_diag_msg: state bytes, socket id, expiry; then the queue.

Address = tuple[str, int]


class ReceiveQueues:
    """IPv4 on this machine only. Where the kernel does not tell, nothing is ever known to be taken."""

    def __init__(self) -> None:
        try:
            self.netlink: socket.socket | None = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG
            )
        except OSError:
            self.netlink = None

    def close(self) -> None:
        if self.netlink is not None:
            self.netlink.close()

    def taken(self, server: Address, client: Address) -> bool | None:
        """True: the server's end has nothing unread, or is gone. None: unknown."""
        if self.netlink is None:
            return None
        identity = struct.pack(
            "!HH4s12x4s12x", server[1], client[1], socket.inet_aton(server[0]), socket.inet_aton(client[0])
        ) + struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
        body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + identity
        self.netlink.send(
            HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body
        )
        answer = self.netlink.recv(8192)
        if HEADER.unpack_from(answer)[1] == NLMSG_ERROR:
            code = -struct.unpack_from("=i", answer, HEADER.size)[0]
            return True if code == errno.ENOENT else None
        return not struct.unpack_from("=I", answer, QUEUE_AT)[0]
