"""The log of what was asked for."""

from datetime import datetime, timedelta
from pathlib import Path

from reid_search.records import AskedLog


def test_events_come_in_order_with_the_time_in_utc(tmp_path: Path) -> None:
    log = AskedLog(tmp_path / "asked.jsonl")
    assert list(log) == []
    log.append("run", command="x")
    log.append_many("ask", [{"number": 0}, {"number": 1}])
    log.append("done")
    events = list(log)
    times = [datetime.fromisoformat(event.pop("time")) for event in events]
    assert events == [
        {"event": "run", "command": "x"},
        {"event": "ask", "number": 0},
        {"event": "ask", "number": 1},
        {"event": "done"},
    ]
    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {timedelta(0)}


def test_a_log_cut_by_a_crash_goes_on(tmp_path: Path) -> None:
    log = AskedLog(tmp_path / "asked.jsonl")
    log.append("run")
    with log.path.open("a") as file:
        file.write('{"event": "as')
    log.append("run")
    assert [event["event"] for event in log] == ["run", "run"]
