"""Side-cars that are not where a study says: the line of the study, what was expected, and the nearest name."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reid_search.data.side_cars.misplaced import why_misplaced
from reid_search.errors import DataAbsent, DataError, StudyError
from reid_search.study import load_study, load_trial_file

TRIAL = """\
data:
  name: market1501
  root: data
  ENTRY
model: {architecture: baseline, backbone: resnet10_thin}
TRAINING
"""
INDENTED = "".join(f"  {line}\n" for line in TRIAL.splitlines())
STUDY = (
    f"name: t\nbase:\n{INDENTED}"
    + """\
axes:
  data.keypoints: {choice: [data/keypoints, data/POSES]}
  more:
    variants:
      none: {}
      table:
        data:
          attributes: data/TABLE
phases:
  - kind: ablate
    set:
      data.maps: data/SET
"""
)
FILLED = {"ENTRY": "maps: data/masks", "TRAINING": "training: {}", "POSES": "poses", "TABLE": "a.csv", "SET": "masks"}
MISPLACED = {
    "of the base": ({"ENTRY": "maps: data/maskz"}, ":6: base.data.maps: data/maskz: no such folder", "data/masks"),
    "a file": ({"ENTRY": "maps: data/a.csv"}, ":6: base.data.maps: data/a.csv: a file; expected a folder", None),
    "a folder": ({"ENTRY": "attributes: data"}, ":6: base.data.attributes: data: a folder; expected a table", None),
    "far off": ({"ENTRY": "maps: dta/x/masks"}, ":6: base.data.maps: dta/x/masks: neither it nor its folder", None),
    "of a level": ({"POSES": "keypoint"}, ":10: axes.data.keypoints: level 'data/keypoint' makes no", "data/keypoints"),
    "of a variant": ({"TABLE": "aa.csv"}, ":16: axes.more.variants.table.data.attributes: in arm", "data/a.csv"),
    "of a phase": ({"SET": "mask"}, ":20: phases.0 (ablate).set.data.maps: in arm 'baseline' of abl", "data/masks"),
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    monkeypatch.chdir(tmp_path)
    for name in ("masks", "keypoints", "poses"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data/a.csv").touch()

    def file(text: str, name: str = "study.yaml") -> Path:
        (tmp_path / name).write_text(text)
        return Path(name)

    return file


def _filled(text: str, over: Mapping[str, str]) -> str:
    for name, value in {**FILLED, **over}.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize("case", MISPLACED)
def test_a_misplaced_side_car_is_told_where_it_is_named(write: Callable[..., Path], tmp_path: Path, case: str) -> None:
    over, said, near = MISPLACED[case]
    with pytest.raises(StudyError) as error:
        load_study(write(_filled(STUDY, over)))
    message = str(error.value).replace(f"{tmp_path}/", "")
    assert message.startswith(f"study.yaml{said}")
    assert near is None or f"did you mean '{near}'?" in message
    assert len(message) < 1000


def test_side_cars_that_are_there_are_no_mistake(write: Callable[..., Path]) -> None:
    load_study(write(_filled(STUDY, {})))


def test_a_file_that_is_extended_and_a_trial_s_own_name_the_line_too(write: Callable[..., Path]) -> None:
    write(_filled(STUDY, {"ENTRY": "maps: data/maskz"}), "low.yaml")
    with pytest.raises(StudyError, match=r"^low\.yaml:6: base\.data\.maps: .*did you mean '.*/data/masks'\?"):
        load_study(write("extends: low.yaml\n"))
    with pytest.raises(StudyError, match=r"^trial\.yaml:4: data\.maps: .*did you mean '.*/data/masks'\?"):
        load_trial_file(write(_filled(TRIAL, {"ENTRY": "maps: data/maskz"}), "trial.yaml"))


def test_those_of_a_stage_are_told_at_its_line(write: Callable[..., Path]) -> None:
    text = (
        "data: {name: market1501, root: data, keypoints: data/keypoints}\n"
        "model: {architecture: part_bilinear, backbone: resnet10_thin}\n"
        "losses: {heat: {kind: heatmap, on: [pose@coarse]}}\n"
        "training:\n  stages:\n    - {name: one, images: 320, losses: [heat], data: {root: more,\n"
        "       keypoints: data/poss}}\n    - {name: all, images: 320}\n"
    )
    with pytest.raises(StudyError) as error:
        load_trial_file(write(text, "trial.yaml"))
    assert str(error.value).startswith("trial.yaml:7: training.stages.0 (one).data.keypoints: ")
    assert "data/poss: no such folder" in str(error.value)
    load_trial_file(write(text.replace("poss", "poses"), "trial.yaml"))


def test_of_many_names_a_few_are_told(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"folder {number}").mkdir()
    (tmp_path / "list.json").touch()
    error = why_misplaced("keypoints", tmp_path / "pose")
    assert type(error) is DataAbsent
    assert str(error).endswith("folder 103, folder 104 and 493 more")
    assert len(str(error)) < 1000
    assert why_misplaced("keypoints", tmp_path / "list.json") is None
    assert why_misplaced("maps", tmp_path / "folder 7") is None
    found = why_misplaced("maps", tmp_path / "list.json")
    assert type(found) is DataError
    assert "list.json: a file; expected a folder of part maps" in str(found)
