"""The lines of seed files and corpora: one input each, with \\r \\n \\t \\0 \\xHH, and any other escaped byte itself."""
import re
from pathlib import Path

ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0"}


def unescape(line: str) -> bytes:
    """As replay.cpp does."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        return chr(int(name[1:], 16)) if len(name) == 3 else ESCAPES.get(name, name)

    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", one, line).encode("latin-1")


def escape(data: bytes) -> str:
    names = {ord(byte): "\\" + name for name, byte in ESCAPES.items() if name != "0"} | {ord("\\"): "\\\\"}
    return "".join(names.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in data)


def read_seeds(file: Path) -> list[bytes]:
    return [unescape(line) for line in file.read_text().splitlines()]
