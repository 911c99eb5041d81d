"""One writer at a time, between real processes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reid_search.errors import RequestError
from reid_search.records import locks
from reid_search.records.locks import is_held, locked

HOLDER = """
import pathlib, sys, time
from reid_search.records.locks import locked
with locked(pathlib.Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def holder(lock: Path, seconds: float = 60) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(lock), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_lock_that_another_process_holds_names_it(tmp_path: Path) -> None:
    lock = tmp_path / "deep" / ".lock"
    with holder(lock) as other, pytest.raises(RequestError) as caught, locked(lock, "{odd}: in use by {holder}"):
        pass
    assert str(caught.value).startswith(f"{{odd}}: in use by process {other.pid} on ")
    assert caught.value.exit_code == 2


def test_what_is_waited_for_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "_SILENT_SECONDS", 0.1)
    lock = tmp_path / ".lock"
    with holder(lock, seconds=0.8) as other, locked(lock, "in use by {holder}", patience=60):
        (said,) = caplog.messages
    assert said.startswith(f"waiting up to 60 s: in use by process {other.pid} on ")


def test_a_lock_is_held_while_a_process_lives_in_its_block(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    assert not is_held(lock)
    with holder(lock) as other:
        assert is_held(lock)
        assert is_held(lock)  # asking takes nothing
        other.kill()
        other.wait()
        assert not is_held(lock)
    with locked(lock, "busy"):
        assert is_held(lock)
    assert not is_held(lock)


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with holder(lock) as other:
        other.kill()
        other.wait()
        with locked(lock, "busy"):
            assert lock.read_text().startswith("process ")


def test_a_lock_names_its_present_holder_alone(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    lock.write_text("process 1234567 on a-host-with-a-name-longer-than-any-other.example\n" * 3)
    with locked(lock, "busy"):
        assert lock.read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"


def test_waiting_for_a_holder(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with holder(lock, seconds=0.3), locked(lock, "busy", patience=60):
        pass
    begun = time.monotonic()
    with holder(lock), pytest.raises(RequestError), locked(lock, "busy", patience=0.3):
        pass
    assert time.monotonic() - begun >= 0.3


def test_a_lock_is_free_again_after_its_block_and_after_an_error(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with pytest.raises(KeyError), locked(lock, "busy"):
        raise KeyError
    with locked(lock, "busy"), pytest.raises(RequestError, match="busy"), locked(lock, "busy"):
        pass
    with locked(lock, "busy"):
        pass
