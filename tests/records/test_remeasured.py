"""What a plan would measure again, and why: a store of the earlier code against its own study file, changed."""

import json
import re
from pathlib import Path

import pytest

from reid_search.records import Progress, Status, StudyStore, Trial, TrialId, progress_of, read_state
from reid_search.records.remeasured import _why
from reid_search.study import BASELINE, Arm, PlannedTrial, SearchPhase, Study, TrialConfig, load_study, schema_of
from reid_search.study.trial import key
from reid_search.study.trial.key import trial_key

STUDY = Path(__file__).parents[1] / "stores" / "before.yaml"
LAST_RUN = (
    "phases.decide.seeds=7",
    "phases.search.trials=6",
    "axes.losses.triplet.margin={choice: [0.3, 0.6, 1.2]}",
)


def progress(study: Study, store: Path) -> Progress:
    spaces = {phase.name: study.space_hash(phase) for phase in study.config.phases if isinstance(phase, SearchPhase)}
    return progress_of(study.plan(), spaces, read_state(StudyStore.at(store)))


@pytest.fixture
def current(before: Path) -> Path:
    """The store as if the code of its time had drawn the people and cameras of today: keys, configs and spaces.

    The people of a release are in the keys of its trials, so that those of an earlier one are measured again.
    """
    log = (before / "asked.jsonl").read_text()
    for folder in sorted((before / "trials").iterdir()):
        content = json.loads((folder / "config.json").read_text())
        drawn = {"nuisances", "people"}
        data = {name: value for name, value in content["config"]["data"].items() if name not in drawn}
        config = TrialConfig.model_validate(content["config"] | {"data": data})
        old, seed = folder.name.split("-s")
        now = trial_key(config, config.data.fingerprint())
        for name in ("config.json", "record.json"):
            written = json.loads((folder / name).read_text()) | {"config": config.model_dump(mode="json")}
            (folder / name).write_text(json.dumps(written).replace(old, now))
        folder.rename(folder.with_name(f"{now}-s{seed}"))
        log = log.replace(old, now)
    spaces = list(dict.fromkeys(re.findall(r'"space": ?"(\w+)"', log)))
    for old, changes in zip(spaces, (LAST_RUN[:2], LAST_RUN), strict=True):
        study = load_study(STUDY, changes)
        (search,) = (phase for phase in study.config.phases if isinstance(phase, SearchPhase))
        log = log.replace(old, study.space_hash(search))
    (before / "asked.jsonl").write_text(log)
    return before


def test_nothing_is_measured_again_where_nothing_changed(current: Path) -> None:
    # 4 of 7 seeds of two trainings; the other phases await the search
    assert progress(load_study(STUDY, LAST_RUN), current) == Progress(8, 14, (), ())


def test_more_seeds_are_no_repetition(current: Path) -> None:
    found = progress(load_study(STUDY, (*LAST_RUN, "phases.decide.seeds=9")), current)
    assert (found.measured, found.planned, found.again) == (8, 18, ())


def test_a_changed_entry_is_named(current: Path) -> None:
    found = progress(load_study(STUDY, (*LAST_RUN, "base.training.images=128", "base.data.seed=5")), current)
    assert found.measured == 0
    assert {item.arm for item in found.again} == {"baseline", "model.parts=[1]", "readouts.default.taps=coarse"}
    assert {item.why for item in found.again} == {"data.seed was 0 and is now 5, training.images was 96 and is now 128"}


def test_a_changed_space_is_named(current: Path) -> None:
    assert progress(load_study(STUDY, LAST_RUN[:2]), current).spaces == ("search",)


def test_a_newer_version_of_the_keys_is_named(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key, "SCHEMA_VERSION", 2)
    study = load_study(STUDY, LAST_RUN)
    planned = study.plan().trials[0].key
    assert (planned.partition(".")[0], schema_of(planned)) == ("2", 2)
    found = progress(study, current)
    assert (found.measured, {item.why for item in found.again}) == (
        0, {"the keys have version 2, and the store has version 1"}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ("0123456789abcdef", "data are now known by their content, and the store knew them by the names and sizes"),
        ("sha256-0123456789abcdef", "the data changed: images, labels, lists or side-cars"),
    ],
)
def test_other_data_are_named_as_such_wherever_they_lie(known: str, why: str) -> None:
    content = {
        "data": {"name": "market1501", "root": "/now/Market"},
        "model": {"architecture": "baseline", "backbone": "resnet10_thin"},
    }
    config = TrialConfig.model_validate(content)
    arm = Arm(BASELINE, {}, config)
    planned = PlannedTrial("ablate", arm, 1, "b" * 16, config, "test", "sha256-fedcba9876543210")
    earlier = config.model_copy(update={"data": config.data.at(Path("/then/Market"))}).model_dump(mode="json")
    trial = Trial(TrialId("a" * 16, 1), Status.FINISHED, config=earlier, data_fingerprint=known)
    assert _why(planned, trial).startswith(why)
