"""The command line, in this process and in one of its own."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset

_PATIENCE_SECONDS = 300.0


class Answer(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Run a command in this process, with `tmp_path` as the working folder."""

    def run(*arguments: str | Path) -> Answer:
        from reid_search.cli import main

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["reid-search", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return Answer(int(left.value.code or 0), captured.out, captured.err)

    return run


def _heed_interrupts() -> None:
    """Undo what a shell does to what it runs in the background, which then ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(cache: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a process group of its own, with `tmp_path` as the working folder."""

    def begin(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "reid_search", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "REID_SEARCH_CACHE": str(cache), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )

    return begin


@pytest.fixture
def patience(tmp_path: Path) -> Callable[[], None]:
    """Fail when nothing was written below `tmp_path` for minutes; a busy machine is slow, and still gets on."""
    seen, since = -1, time.monotonic()

    def check() -> None:
        nonlocal seen, since
        written = _size(tmp_path)
        if written != seen:
            seen, since = written, time.monotonic()
        assert time.monotonic() - since < _PATIENCE_SECONDS, "no progress"

    return check


@pytest.fixture
def finish(patience: Callable[[], None]) -> Callable[[subprocess.Popen[str]], Answer]:
    """Wait for a command, as long as it gets on."""

    def wait(process: subprocess.Popen[str]) -> Answer:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = process.communicate(timeout=1)
                return Answer(process.returncode, out, err)
            patience()

    return wait


def _size(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += 1 + (Path(place) / name).stat().st_size
    return total


@pytest.fixture
def study_file(tmp_path: Path, trial_content: Callable[..., dict[str, Any]]) -> Callable[..., Path]:
    """Write a study of three proposals and of two arms with two seeds; `over` replaces its entries."""

    def write(**over: Any) -> Path:
        content = {
            "name": "small",
            "base": trial_content(),
            "axes": {"losses.triplet.margin": {"uniform": [0.1, 2.0], "levels": [0.3, 1.2]}},
            "phases": [
                {"kind": "search", "trials": 3, "pruner": "none"},
                {"kind": "ablate", "around": "base", "seeds": 2},
            ],
            "keep": "none",
            **over,
        }
        path = tmp_path / "study.yaml"
        with path.open("w", encoding="utf-8") as file:
            YAML().dump(content, file)
        return path

    return write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of synthetic people with their side-cars."""
    root = tmp_path_factory.mktemp("made") / "unit"
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "unit"}), root)
    return root


@pytest.fixture
def unit(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(made, tmp_path / "unit")
