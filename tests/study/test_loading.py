"""What is refused of a study or a trial once the command has said where the data are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.errors import StudyError
from reid_search.study import load_study, load_trial_file

Write = Callable[..., Path]

STUDY = """\
name: privileged
base:
  data: {name: market1501}
  model: {architecture: ARCHITECTURE, backbone: resnet10_thin}
phases: [{kind: ablate}]
"""
TRIAL = "data: {name: market1501}\nmodel: {architecture: ARCHITECTURE, backbone: resnet10_thin}\n"
NEEDS = {
    "spreid": r"architecture 'spreid' needs part maps \(.+\), but there are none; .* put them at \S+/masks$",
    "landmarks": r"architecture 'landmarks' needs keypoints \(.+\), but there are none; .* put them at \S+/keypoints$",
    "attributes": r"loss 'attributes' needs attributes \(.+\), but there are none; .* put them at \S+/attributes\.csv$",
}


@pytest.mark.parametrize("architecture", NEEDS)
def test_a_study_whose_data_folder_lacks_the_side_cars_is_refused_at_its_line(write: Write, architecture: str) -> None:
    path = write(STUDY.replace("ARCHITECTURE", architecture))
    load_study(path)  # while nobody says where the data are, they may have everything
    place = "base.losses.attributes" if architecture == "attributes" else "base.data"
    with pytest.raises(StudyError, match=rf"^study\.yaml:\d+: {place}: {NEEDS[architecture]}"):
        load_study(path, data=Path("empty"))


@pytest.mark.parametrize("architecture", NEEDS)
def test_a_trial_whose_data_folder_lacks_the_side_cars_is_refused_at_its_line(write: Write, architecture: str) -> None:
    path = write(TRIAL.replace("ARCHITECTURE", architecture), "trial.yaml")
    load_trial_file(path)
    with pytest.raises(StudyError, match=rf"^trial\.yaml:?\d*: [a-z.]+: {NEEDS[architecture]}"):
        load_trial_file(path, data=Path("empty"))
