"""What a trial's process tells the driver, in this process."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from reid_search.records import Status, StudyStore, read_trial
from reid_search.scheduling.backends.ray.actor import JOB, NOT_BEGUN, TROUBLE, TrialActor, message
from reid_search.scheduling.backends.ray.runner import _Here, _JobScheduler, _JobSearcher, _Problem

MakeDriver = Callable[..., Any]

ONE_ARM = [{"kind": "ablate", "seeds": 1, "axes": ["losses.identity.on"]}]


def _here(driver: Any, cache: Path, **wrong: Any) -> _Here:
    def told(run: Any, trial_id: str) -> dict[str, Any] | None:
        job = run.next_job(trial_id)
        return job and {**message(job, "cpu", cache, run.folder_of(job)), **wrong}

    return _Here(driver.phases, told, most=1)


def _stepped(here: _Here, trial_id: str) -> dict[str, Any]:
    suggested = _JobSearcher(here).suggest(trial_id)
    assert isinstance(suggested, dict)
    actor = TrialActor(config=suggested)
    actor._pause = 0.0
    result = actor.step()
    assert result["done"]
    _JobScheduler(here).on_trial_complete(None, SimpleNamespace(trial_id=trial_id), result)
    return result


def test_a_trial_that_cannot_begin_fails_at_once_and_its_record_says_why(
    driver: MakeDriver, cache: Path, tmp_path: Path
) -> None:
    here = _here(driver(phases=ONE_ARM), cache, config={"model": "none"})
    result = _stepped(here, "t1")
    assert "it could not begin: ValidationError" in result[NOT_BEGUN]
    (failed,) = StudyStore(tmp_path / "runs", "small").trials()
    record = failed.record()
    assert record is not None
    assert record.status == "failed"
    assert record.reason == result[NOT_BEGUN]
    assert here.run.next_job("t2") is not None, "the next one gets its turn"


def test_a_trial_without_its_data_is_told_again_to_begin_later_and_no_record_says_that_it_failed(
    driver: MakeDriver, cache: Path, tmp_path: Path
) -> None:
    absent = {"name": "market1501", "root": str(tmp_path / "unplugged"), "image_size": [32, 16]}
    made = driver(phases=ONE_ARM)
    config = made.phases.next_job("t0").config.model_dump(mode="json")
    made.phases.troubled("t0", "a first time")
    here = _here(made, cache, config={**config, "data": absent})
    result = _stepped(here, "t1")
    assert "unplugged: no such folder" in result[TROUBLE]
    (folder,) = StudyStore(tmp_path / "runs", "small").trials()
    assert read_trial(folder).status == Status.RUNNING
    assert "trying again in 5 s" in made.watcher.notes[-1]
    suggested = _JobSearcher(here).suggest("t2")
    assert isinstance(suggested, dict)
    assert (suggested[JOB]["key"], suggested[JOB]["pause"]) == (folder.id.key, 5.0)


def test_what_goes_wrong_in_the_study_ends_the_run_which_ray_tune_would_let_wait_for_ever(
    driver: MakeDriver, cache: Path
) -> None:
    made = driver(phases=ONE_ARM)
    here = _here(made, cache)
    searcher = _JobSearcher(here)
    for _ in range(3):
        assert here.problem is None
        searcher.suggest("t")
        searcher.on_trial_complete("t", error=True)
    assert "its process died" in str(here.problem)
    assert "tried 3 times" in str(here.problem)
    assert searcher.suggest("t") == "FINISHED"
    assert _Problem(here).stop_all()
