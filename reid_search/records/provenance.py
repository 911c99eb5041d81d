"""Which code made a measurement: releases and commit."""

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import reid_search

_PACKAGES = ("torch", "torchvision", "ray", "optuna", "mlflow", "numpy", "pandas")


@cache
def versions() -> dict[str, str]:
    """Return the releases of reid-search, Python and the packages that results depend on, without importing them."""
    found = {"reid-search": reid_search.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def git_commit() -> str | None:
    """Return the commit of the code, with `-dirty` if files differ from it; None outside a checkout."""
    root = Path(reid_search.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
