"""The hash of files: their bytes, whatever their times claim, and read once."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reid_search.common import contents
from reid_search.common.contents import hash_file, hash_files, known_verdicts

LONG_AGO = 10**9


@pytest.fixture(autouse=True)
def cache_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own for every test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("REID_SEARCH_CACHE", str(folder))
    return folder


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def _remembered(cache: Path) -> int:
    database = cache / "contents.sqlite"
    if not database.exists():
        return 0
    with sqlite3.connect(database) as connection:
        return int(connection.execute("SELECT count(*) FROM contents").fetchone()[0])


def test_a_hash_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    contents = {tmp_path / f"{number}": bytes([number % 7]) * (number * 31) for number in range(1500)}
    contents[tmp_path / "long"] = b"more than one read" * 100_000
    for path, content in contents.items():
        path.write_bytes(content)
    expected = {str(path): hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    assert hash_files(contents).digests == expected
    assert hash_files(contents).digests == expected
    assert hash_file(tmp_path / "5") == expected[str(tmp_path / "5")]


@pytest.mark.usefixtures("settled")
def test_an_edit_of_equal_size_whose_time_is_set_back_is_seen(tmp_path: Path, cache_of_this_test: Path) -> None:
    path = _written(tmp_path / "map.png", b"before")
    before = hash_file(path)
    assert _remembered(cache_of_this_test) == 1
    time.sleep(0.02)  # more than a tick of the clock that stamps inodes
    _written(path, b"edited")
    assert path.stat().st_mtime == LONG_AGO
    assert hash_file(path) == hashlib.sha256(b"edited").hexdigest() != before


@pytest.mark.usefixtures("settled")
def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path, cache_of_this_test: Path) -> None:
    path = _written(tmp_path / "a", b"a")
    hash_file(path)
    with sqlite3.connect(cache_of_this_test / "contents.sqlite") as connection:
        connection.execute("UPDATE contents SET digest = ?", (bytes(32),))
    assert hash_file(path) == "0" * 64


def test_a_file_that_changed_a_moment_ago_is_not_remembered(tmp_path: Path, cache_of_this_test: Path) -> None:
    path = _written(tmp_path / "a", b"a")  # its ctime is now, whatever its mtime says
    hash_file(path)
    assert _remembered(cache_of_this_test) == 0


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, cache_of_this_test: Path, content: bytes) -> None:
    cache_of_this_test.mkdir()
    (cache_of_this_test / "contents.sqlite").write_bytes(content)
    path = _written(tmp_path / "a", b"a")
    assert hash_file(path) == hashlib.sha256(b"a").hexdigest()
    assert hash_file(path) == hashlib.sha256(b"a").hexdigest()
    assert _remembered(cache_of_this_test) == 1


@pytest.mark.usefixtures("settled")
def test_a_link_that_turns_to_another_file_before_it_is_read_leaves_no_hash_of_that_to_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, link = _written(tmp_path / "a", b"a"), _written(tmp_path / "b", b"b"), tmp_path / "link"
    link.symlink_to(first)

    def turned(path: str, flags: int, open_: Callable[..., int] = os.open) -> int:
        if path == str(link):
            link.unlink()
            link.symlink_to(second)
        return open_(path, flags)

    monkeypatch.setattr(os, "open", turned)
    assert hash_file(link) == hashlib.sha256(b"b").hexdigest()
    assert hash_file(first) == hashlib.sha256(b"a").hexdigest()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("digest", ["'abc'", "NULL", "x'00'", "7"])
def test_a_digest_that_is_none_is_not_believed(tmp_path: Path, cache_of_this_test: Path, digest: str) -> None:
    path = _written(tmp_path / "a", b"a")
    hash_file(path)
    with closing(sqlite3.connect(cache_of_this_test / "contents.sqlite")) as connection, connection:
        connection.execute(f"UPDATE contents SET digest = {digest}")
    assert hash_file(path) == hashlib.sha256(b"a").hexdigest()


@pytest.mark.usefixtures("settled")
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, cache_of_this_test: Path) -> None:
    cache_of_this_test.write_text("a file where the folder should be")
    path = _written(tmp_path / "a", b"a")
    assert hash_file(path) == hashlib.sha256(b"a").hexdigest()


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.usefixtures("settled")
def test_a_cache_that_a_hung_process_holds_is_done_without_and_said_once(
    tmp_path: Path, cache_of_this_test: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, seconds in (("_SILENT_SECONDS", 0.05), ("_PATIENCE_SECONDS", 0.1), ("_LEFT_ALONE_SECONDS", 3600.0)):
        monkeypatch.setattr(contents, name, seconds)
    path, other = _written(tmp_path / "a", b"a"), _written(tmp_path / "b", b"b")
    hash_file(path)
    database = cache_of_this_test / "contents.sqlite"
    command = [sys.executable, "-c", HOLDER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):
            hashed = hash_files([path, other])
            assert list(hashed.digests.values()) == [hashlib.sha256(content).hexdigest() for content in (b"a", b"b")]
        assert known_verdicts("judge", ["0"]) == {}
        assert caplog.messages == [
            f"{database}: locked by another process; waiting up to 0.1 s more",
            f"{database}: still locked; going on without it, so that every file is read",
        ]
        holder.kill()
    monkeypatch.setattr(contents, "_left_alone", {})
    hash_file(other)
    assert _remembered(cache_of_this_test) == 2
    assert len(caplog.messages) == 2


def test_what_is_no_readable_file_is_said_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nothing").symlink_to("absent")
    (tmp_path / "folder").mkdir()
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to("target")
    names = ("fifo", "loop", "nothing", "folder", "absent", "link")
    hashed = hash_files(tmp_path / name for name in names)
    assert {Path(path).name: reason for path, reason in hashed.unreadable.items()} == {
        "fifo": "a FIFO, not a file",
        "loop": "a link that leads back to itself",
        "nothing": "a link to nothing",
        "folder": "a folder, not a file",
        "absent": "no such file",
    }
    assert hashed.digests == {str(tmp_path / "link"): hashlib.sha256(b"x").hexdigest()}
    with pytest.raises(OSError, match="nothing: a link to nothing"):
        hash_file(tmp_path / "nothing")


def test_processes_share_one_cache(tmp_path: Path, cache_of_this_test: Path) -> None:
    for number in range(400):
        _written(tmp_path / f"{number:03}", bytes([number % 251]) * number)
    script = (
        "import sys, time\nnow = time.time_ns\ntime.time_ns = lambda: now() + 10**10\n"
        "from reid_search.common.contents import hash_files\n"
        "for _ in range(3): found = hash_files(sys.argv[1:])\nprint(len(found.digests))"
    )
    paths = [str(tmp_path / f"{number:03}") for number in range(400)]
    shares = (paths[:250], paths[150:], paths[50:350])
    started = [
        subprocess.Popen([sys.executable, "-c", script, *share], stdout=subprocess.PIPE, text=True) for share in shares
    ]
    assert [process.communicate()[0].strip() for process in started] == ["250", "250", "300"]
    assert _remembered(cache_of_this_test) == 400
    assert all(hash_file(path) == hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths[::37])
