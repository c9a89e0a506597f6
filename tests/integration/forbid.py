#!/usr/bin/env python3
"""forbid.py: runs a program that may not use io_uring, as in a container whose seccomp profile forbids it.

    forbid.py EPERM PROGRAM ARGUMENT...     what Docker's profile answers
    forbid.py ENOSYS PROGRAM ARGUMENT...    what some other profiles answer"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000
BPF_LOAD, BPF_JUMP_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06  # LD|W|ABS, JMP|JEQ|K, RET|K
IO_URING_SETUP = 425  # On every architecture.


def instruction(code: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def forbid(number: int) -> None:
    code = b"".join(
        (
            instruction(BPF_LOAD, 0, 0, 0),  # The system call's number.
            instruction(BPF_JUMP_EQUAL, 0, 1, IO_URING_SETUP),
            instruction(BPF_RETURN, 0, 0, SECCOMP_RET_ERRNO | number),
            instruction(BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW),
        )
    )
    buffer = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    forbid(getattr(errno, sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
