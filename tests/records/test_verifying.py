"""A config that was edited under its old key is refused by name; the store `before` holds real trainings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.errors import RecordError
from reid_search.records import CodeVersion, Status, StudyReader, StudyStore, TrialFolder, read_state
from reid_search.records.verifying import key_of_config
from reid_search.records.weights import LoadedWeights
from reid_search.study import TrialConfig, trial_key
from reid_search.study.trial.normalization import IMAGENET, Normalization

CODE = CodeVersion(numerics=1, torch="2.15.0", libraries={}, source="0123abcd", components={}).model_dump(mode="json")
FILES = ("record.json", "config.json")


def _rewritten(folder: TrialFolder, file: str, edit: Callable[[dict[str, Any]], object]) -> None:
    path = folder.path / file
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


@pytest.fixture
def noted(before: Path) -> StudyStore:
    """The store as this release leaves it, which notes the code of each trial and makes keys in its own way."""
    store = StudyStore.at(before)
    for folder in list(store.trials()):
        record = folder.record()
        assert record is not None
        key = trial_key(TrialConfig.model_validate(record.config), record.data_fingerprint)
        moved = TrialFolder(folder.path.rename(folder.path.with_name(f"{key}-s{record.seed}")))
        for file in FILES:
            _rewritten(moved, file, lambda content, key=key: content.update(code=CODE, key=key))  # type: ignore[misc]
    return store


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a number of the training": lambda content: content["config"]["training"]["optimizer"].update(lr=0.5),
    "the architecture's setting": lambda content: content["config"]["model"].update(pooling="avg"),
    "a loss": lambda content: content["config"]["losses"]["triplet"].update(margin=0.123),
    "the people": lambda content: content["config"]["data"].update(seed=77),
    "the fingerprint of its data": lambda content: content.update(data_fingerprint="f" * 16),
    "an entry taken out": lambda content: content["config"]["training"].pop("images"),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_config_is_refused_by_name_and_the_others_are_read(
    file: str, edit: Callable[[dict[str, Any]], object], noted: StudyStore
) -> None:
    read_state(noted)
    folder, *others = noted.trials()
    if file == "config.json":
        folder.remove_record()
    _rewritten(folder, file, edit)
    with pytest.raises(RecordError) as caught:
        read_state(noted)
    assert f"{folder.path}/{file}: its config makes the key " in str(caught.value)
    assert f"and the trial has {folder.id.key}, so the file was edited; to go on, move this file" in str(caught.value)
    trials = read_state(noted, tolerant=True).trials
    assert trials[folder.id].status == StudyReader(noted).state().trials[folder.id].status == Status.UNREADABLE
    assert {trials[other.id].status for other in others} <= {Status.FINISHED, Status.STOPPED}


def test_what_changes_no_training_may_be_edited(noted: StudyStore) -> None:
    folder = next(iter(noted.trials()))

    def edit(content: dict[str, Any]) -> None:
        content["config"]["readouts"]["default"]["flip"] = False
        content["config"]["losses"]["unused"] = {"kind": "triplet", "on": [], "margin": 0.9}

    _rewritten(folder, "record.json", edit)
    assert read_state(noted).trials[folder.id].status != Status.UNREADABLE


def _trial(**over: object) -> dict[str, Any]:
    content = {"data": {"name": "synthetic"}, "model": {"architecture": "baseline", "backbone": "resnet10_thin"}}
    return TrialConfig.model_validate(content | over).model_dump(mode="json")


def _weights(file: str, normalization: Normalization) -> LoadedWeights:
    return LoadedWeights(
        backbone="resnet10_thin",
        file=file,
        path=file,
        sha256="a" * 64,
        tensors=("conv1.weight",),
        parameters=1,
        all_parameters=1,
        normalization=normalization,
    )


def test_files_of_data_and_weights_that_are_gone_are_not_asked() -> None:
    gone = "/gone/weights.pt"
    model = {"architecture": "spreid", "backbone": "resnet10_thin", "weights": gone}
    data = {"name": "market1501", "root": "/gone"}
    content = _trial(data=data | {"root": None}, model=model)
    content["data"]["root"] = "/gone"
    half = Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    for normalization, more in ((IMAGENET, {}), (half, {"mean": [0.5] * 3, "std": [0.5] * 3})):
        expected = trial_key(
            TrialConfig.model_validate(_trial(data=data | {"root": None}, model=model)),
            "sha256-0",
            {"weights": {"sha256": "a" * 64, **more}},
        )
        assert key_of_config(content, "sha256-0", [_weights(gone, normalization)], expected) == expected


def test_what_this_release_cannot_tell_is_not_refused() -> None:
    key = "0" * 16
    known = _trial()
    assert key_of_config(known, "f", (), key) == trial_key(TrialConfig.model_validate(known), "f")
    elsewhere = known | {"model": {"architecture": "of another package"}}
    assert key_of_config(elsewhere, "f", (), key) is None
    assert key_of_config(known, "f", (), f"2.{key}") is None, "a key of another schema"
    unnoted = _trial(model={"architecture": "baseline", "backbone": "resnet10_thin", "weights": "some.pt"})
    assert key_of_config(unnoted, "f", (), key) is None
