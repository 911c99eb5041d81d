"""A study that goes on under other code: what is said of it, and what is measured again when it is asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.errors import RequestError
from reid_search.records import StudyStore, TrialFolder, other_code, read_state
from reid_search.scheduling import RunOptions, run_study
from reid_search.scheduling.observer import RunSummary
from reid_search.study import Study, load_study


def _age(folder: TrialFolder, **code: Any) -> None:
    """Make a record look like one that other code wrote, or that a release wrote which did not note its code."""
    path = folder.path / "record.json"
    content = json.loads(path.read_text())
    noted = content.pop("code")
    path.write_text(json.dumps(content | ({"code": noted | code} if code else {})))


@pytest.fixture
def study(write_study: Callable[..., Path]) -> Study:
    """A study of two trainings of two epochs."""
    axes = {"losses.triplet.margin": {"choice": [0.3, 1.2]}}
    training = {"images": 24, "report_every": 12, "batch": {"ids": 4, "per_id": 3}}
    phases = [{"kind": "ablate", "around": "base", "seeds": 1}]
    return load_study(write_study(axes=axes, phases=phases), [f"base.training={json.dumps(training)}"])


def test_what_other_code_measured_is_told_with_its_price_and_measured_again_when_asked(
    study: Study, watcher: Any, cache: Path, tmp_path: Path
) -> None:
    store = StudyStore(tmp_path / "runs", study.name)

    def run(**how: bool) -> RunSummary:
        watcher.notes.clear()
        options = RunOptions(address="none", cache=cache, **how)
        return run_study(study, study.plan(), store, options, watcher)

    def told() -> list[str]:
        return list(other_code(study.plan(), read_state(store)).lines())

    assert run().finished == 2
    assert told() == watcher.notes == []
    old, other = store.trials()
    first, untouched = old.record(), (other.path / "record.json").read_bytes()
    assert first is not None
    assert first.code is not None
    _age(old, torch="1.13.1", components=first.code.components | {"models.mgn": "0" * 8})
    found = other_code(study.plan(), read_state(store))
    changed = f"torch 1.13.1 is now {first.code.torch}; models.mgn changed"
    (line,) = found.lines()
    assert line.startswith(f"1 of 2 measured trainings are of other code ({changed}). ")
    assert line.endswith(
        f"`run --remeasure` measures them again: 24 images, {first.context.seconds / 3600:.2g} trial-hours"
    )

    assert run().reused == 2
    assert watcher.notes == [line]

    assert run(remeasure=True).reused == 1
    (note,) = watcher.notes
    aside = Path(note.removeprefix("1 training of other code: set aside in ").partition(" and measured again (24")[0])
    assert [path.name for path in aside.iterdir()] == [old.path.name]
    second = old.record()
    assert second is not None
    assert (second.code, second.readouts) == (first.code, first.readouts)
    assert (other.path / "record.json").read_bytes() == untouched
    assert told() == []

    for folder in (old, other):
        _age(folder)
    assert told()[0].startswith(
        "2 of 2 measured trainings are of other code (an earlier release did not note its code). "
    )
    with pytest.raises(RequestError, match="give one of them"):
        run(remeasure=True, fresh=True)
