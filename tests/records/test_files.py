"""Files that survive a crash at any moment."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.errors import RecordError
from reid_search.records.files import append_lines, read_json, read_lines, write_atomically, write_json

ROWS = [{"epoch": 1, "loss": 0.25}, {"epoch": 2, "note": "größer\nthan\u2028before"}, {"epoch": 3, "loss": 1e-7}]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    content = {"a": [1, 2.5, None, True], "ü": {"b": 0.1 + 0.2}}
    write_json(tmp_path / "deep" / "x.json", content)
    assert read_json(tmp_path / "deep" / "x.json") == content
    write_json(tmp_path / "deep" / "x.json", {})
    assert read_json(tmp_path / "deep" / "x.json") == {}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["x.json"]


@pytest.mark.parametrize("write", [write_json, lambda path, row: append_lines(path, [row])])
def test_nan_is_refused_and_leaves_the_old_file(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write(path, {"a": 1})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(path, {"a": float("nan")})
    assert path.read_bytes() == before


def test_a_reader_sees_the_old_file_or_the_new_one_and_a_killed_writer_leaves_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    size = 200_000
    script = f"""
import itertools, pathlib
from reid_search.records.files import write_json
for number in itertools.count():
    write_json(pathlib.Path({str(path)!r}), {{"number": number, "filler": str(number % 10) * {size}}})
"""
    writer = subprocess.Popen([sys.executable, "-c", script])
    try:
        deadline = time.monotonic() + 60
        numbers: set[int] = set()
        while len(numbers) < 20 and time.monotonic() < deadline:
            if path.exists():
                content = read_json(path)
                assert content["filler"] == str(content["number"] % 10) * size
                numbers.add(content["number"])
        assert len(numbers) == 20
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    content = read_json(path)
    assert content["filler"] == str(content["number"] % 10) * size


def test_lines_are_appended_and_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.jsonl"
    assert list(read_lines(path)) == []
    append_lines(path, [])
    assert not path.exists()
    append_lines(path, ROWS[:1])
    append_lines(path, ROWS[1:])
    assert list(read_lines(path)) == ROWS


def test_only_a_newline_ends_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": "b\u2028c"}\n', encoding="utf-8")
    assert list(read_lines(path)) == [{"a": "b\u2028c"}]


def test_a_file_cut_anywhere_keeps_its_whole_lines_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    append_lines(path, ROWS)
    content = path.read_bytes()
    for cut in range(len(content) + 1):
        path.write_bytes(content[:cut])
        whole = ROWS[: content[: cut + 1].count(b"\n")]  # a line that lacks only its newline is whole
        assert list(read_lines(path)) == whole
        if cut % 7 == 0:
            append_lines(path, [{"epoch": 9}])
            assert list(read_lines(path)) == [*whole, {"epoch": 9}]


@given(rows=st.lists(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=6)), max_size=4))
def test_any_row_is_one_line(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("rows") / "x.jsonl"
    append_lines(path, rows)
    assert list(read_lines(path)) == rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "x.jsonl, line 2: not readable as JSON"),
        ("[1]", "x.jsonl, line 2: expected a JSON object"),
        ("", "line 2: not readable as JSON"),
    ],
)
def test_a_whole_line_that_is_none_is_an_error(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n' + line + '\n{"a": 2}\n')
    with pytest.raises(RecordError, match=message):
        list(read_lines(path))


def test_json_cut_anywhere_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    text = json.dumps({"a": [1, {"b": "ü"}], "c": "d"}, ensure_ascii=False).encode()
    for cut in range(len(text)):
        path.write_bytes(text[:cut])
        with pytest.raises(RecordError, match=r"x\.json: not readable as JSON"):
            read_json(path)
    path.write_text("[1]")
    with pytest.raises(RecordError, match=r"x\.json: expected a JSON object, found list"):
        read_json(path)


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x", b"\x00\xff")
    assert (tmp_path / "x").read_bytes() == b"\x00\xff"
