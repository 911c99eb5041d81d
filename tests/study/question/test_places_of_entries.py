"""A batch that the training set cannot fill is refused in the plan, at the line that gives the arm its batch."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.write import write_dataset
from reid_search.errors import StudyError
from reid_search.study import Study

Load = Callable[..., Study]
PEOPLE, IMAGES = PRESETS["unit"].train_identities, PRESETS["unit"].train_images

STUDY = """\
name: large
base:
  recipe: pcb
  data: {name: market1501, root: ROOT, image_size: [96, 32]}
  model: {backbone: resnet10_thin, weights: null}
  training:
    images: 48
    batch: {ids: 4, per_id: 3}
    augment: {crop: null}
axes:
  training.optimizer.lr: {choice: [1e-3, 1e-4]}
  training.batch.ids: {choice: [4, 5]}
  batches:
    variants:
      usual: {}
      other:
        training: {batch: {per_id: 4}}
phases:
  - kind: ablate
    seeds: 1
    set:
      training.report_every: 48
"""
FOUR, FIVE = "batch: {ids: 4", "training.batch.ids: {choice: [4, 5]}"
CASES = {
    "the base's batch of any order": (
        STUDY.replace(FOUR, "batch: {ids: 1000").replace(f"  {FIVE}\n", ""),
        f":8: ablate: arm 'baseline': training.batch: 3,000 images in a batch, and the training set has {IMAGES}",
    ),
    "the base's people": (
        STUDY.replace(FOUR, "batch: {order: identities, ids: 13").replace(f"  {FIVE}\n", ""),
        f":8: ablate: arm 'baseline': training.batch.ids: 13: the training set has {PEOPLE} identities",
    ),
    "an axis": (
        STUDY.replace(FOUR, "batch: {order: identities, ids: 4").replace("[4, 5]", "[4, 13]"),
        ":12: ablate: arm 'training.batch.ids=13': training.batch.ids: 13: the training set has",
    ),
    "a variant": (
        STUDY.replace("{batch: {per_id: 4}}", "{batch: {order: identities, ids: 13}}").replace(f"  {FIVE}\n", ""),
        ":16: ablate: arm 'batches=other': training.batch.ids: 13: the training set has",
    ),
    "a phase": (
        STUDY.replace("training.report_every: 48", "training.batch.ids: 25").replace(f"  {FIVE}\n", ""),
        f":21: ablate: arm 'baseline': training.batch: 75 images in a batch, and the training set has {IMAGES}",
    ),
    "a search": (
        STUDY.replace(FOUR, "batch: {ids: 1000")
        .replace(f"  {FIVE}\n", "")
        .replace("kind: ablate\n    seeds: 1", "kind: search\n    trials: 2"),
        ":8: search: arm 'base': training.batch: 3,000 images in a batch, and the training set has",
    ),
}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "unit"
    write_dataset(SyntheticConfig(name="synthetic", preset="unit"), root)
    return root


@pytest.mark.parametrize("case", CASES)
def test_a_batch_that_a_folder_cannot_fill_is_refused_where_it_is_written(load: Load, unit: Path, case: str) -> None:
    text, said = CASES[case]
    study = load(text.replace("ROOT", str(unit)))
    with pytest.raises(StudyError) as error:
        study.plan()
    assert str(error.value).startswith(f"study.yaml{said}")
    load(STUDY.replace("ROOT", str(unit))).plan()


@pytest.mark.parametrize("case", ["the base's batch of any order", "the base's people"])
def test_a_batch_that_drawn_people_cannot_fill_is_refused_before_any_is_drawn(load: Load, case: str) -> None:
    text, said = CASES[case]
    with pytest.raises(StudyError) as error:
        load(text.replace("name: market1501, root: ROOT", "name: synthetic, preset: unit"))
    assert str(error.value).startswith(f"study.yaml:18: {said.removeprefix(':8: ablate: ')}")
