"""debian_python.py: packages that Debian's own Python has, and another one that comes first on the path may not."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

PYTHON = Path("/usr/bin/python3")
PACKAGES = Path("/usr/lib/python3/dist-packages")


def is_there(package: str) -> bool:
    return (PACKAGES / package).is_dir()


def load(package: str) -> Any:
    """The package, or None. Where Debian's Python alone has it, that begins the script again: call it first."""
    try:
        return importlib.import_module(package)
    except ImportError:
        if is_there(package) and Path(sys.executable) != PYTHON:
            os.execv(PYTHON, [str(PYTHON), *sys.argv])
        return None
