"""What a trial's process tells the driver, in this process."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from reid_search.records import StudyStore
from reid_search.scheduling.actor import NOT_BEGUN, TrialActor
from reid_search.scheduling.runner import _Here, _JobScheduler, _JobSearcher

MakeDriver = Callable[..., Any]


def test_a_trial_that_cannot_begin_fails_at_once_and_its_record_says_why(driver: MakeDriver, tmp_path: Path) -> None:
    phases = driver(phases=[{"kind": "ablate", "seeds": 1, "axes": ["losses.identity.on"]}]).phases
    here = _Here(phases, lambda job: {"config": {"model": "none"}, "seed": 1, "key": job.label.key}, most=1)
    suggested = _JobSearcher(here).suggest("t1")
    assert isinstance(suggested, dict)
    result = TrialActor(config=suggested).step()
    assert result["done"]
    assert "it could not begin: ValidationError" in result[NOT_BEGUN]
    trial = SimpleNamespace(trial_id="t1")
    _JobScheduler(here).on_trial_complete(None, trial, result)
    (failed,) = StudyStore(tmp_path / "runs", "small").trials()
    record = failed.record()
    assert record is not None
    assert record.status == "failed"
    assert record.reason == result[NOT_BEGUN]
    assert phases.next_job("t2") is not None, "the next one gets its turn"
