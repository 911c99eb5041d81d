"""The top-level package `analysis` under a name that nobody else uses.

A folder named `analysis` beside a user's script comes before the installed one on `sys.path`; this name still finds
ours.
"""

import importlib
from pathlib import Path
from typing import Any

__path__ = [str(Path(__file__).resolve().parents[2] / "analysis")]

_names = importlib.import_module(f"{__name__}.names")

__all__ = list(_names.PUBLIC)


def __getattr__(name: str) -> Any:
    return _names.resolve(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_names.PUBLIC})
