"""What a person reads when a command is asked for what cannot be, word for word.

`error_messages.txt` holds every message; a change of wording is a change of that file. Write it anew with
`REID_SEARCH_UPDATE_SNAPSHOTS=1 pytest tests/cli/test_error_messages.py` and read the difference.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reid_search.study import DATASETS, TrialConfig
from reid_search.study.trial.side_cars import ATTRIBUTES

SNAPSHOT = Path(__file__).with_name("error_messages.txt")
MARKET = (
    *(f"bounding_box_train/000{person}_c{camera}s1_000451_01.jpg" for person in (2, 7) for camera in (1, 2)),
    *(f"query/000{person}_c1s1_001051_00.jpg" for person in (1, 3)),
    *(f"bounding_box_test/000{person}_c2s1_001051_01.jpg" for person in (1, 3)),
)
OWN = tuple(f"{person}/{number}.jpg" for person in ("ann", "bob") for number in (1, 2))
HEADER = "path,identity,camera,split\n"
ROWS = "ann/1.jpg,ann,1,train\nbob/1.jpg,bob,1,query\nbob/2.jpg,bob,2,gallery\n"
STUDY = """\
name: small
base:
  data: {{name: {}, root: {}, image_size: [64, 32], holdout: 0}}
  model: {{architecture: mgn, backbone: resnet10_thin, embedding_dim: 64}}
phases: [{{kind: ablate, design: one_factor}}]
axes: {{model.parts: {{choice: [[1], [1, 2]]}}}}
"""

ATTRIBUTES_OF = """\
name: small
base:
  recipe: attributes
  data: {name: market1501, root: market, image_size: [64, 32], holdout: 0}
  model: {backbone: resnet10_thin, weights: null}
  training: {images: 48, report_every: 48, batch: {ids: 2, per_id: 2}, augment: {crop: null}}
phases: [{kind: ablate}]
axes: {training.lr_multiplier: {choice: [1.0, 2.0]}}
"""
TABLE = "\n".join(
    [f"identity;{';'.join(ATTRIBUTES)}", *(f"{who};1{';0' * (len(ATTRIBUTES) - 1)}" for who in (1, 2, 3, 7))]
)

# What is asked for, by name: the files that are written first (None takes one away), and the command.
CASES: dict[str, tuple[Mapping[str, str | None], str]] = {
    "check: nothing there": ({}, "data check nowhere"),
    "check: unknown name": ({}, "data check market --name marketl501"),
    "check: setting without a value": ({}, "data check market --set boxes"),
    "check: setting of another data set": ({}, "data check market --set boxes=labelled"),
    "check: wrong value": ({}, "data check market --set holdout=many"),
    "check: like nothing": ({"empty/notes.txt": ""}, "data check empty"),
    "check: part of a data set": ({}, "data check market/query"),
    "check: part that is missing": (dict.fromkeys(f"market/{name}" for name in MARKET[4:6]), "data check market"),
    "check: read as another data set": ({}, "data check market --name cuhk03"),
    "check: name that does not fit": ({"market/query/me.jpg": ""}, "data check market --name market1501"),
    "check: broken image": ({f"market/{MARKET[0]}": "no image"}, "data check market --name market1501"),
    "check: one camera": (
        {f"market/{name}": None for name in MARKET[6:]}
        | {f"market/bounding_box_test/000{person}_c1s1_000001_00.jpg": "image" for person in (1, 3)},
        "data check market --name market1501",
    ),
    "check: side-cars that are not there": ({}, "data check market --name market1501 --set maps=nowhere"),
    "check: manifest without a split": ({"own/manifest.csv": "path,identity\nann/1.jpg,ann\n"}, "data check own"),
    "check: manifest with an unknown split": ({"own/manifest.csv": f"{HEADER}ann/1.jpg,ann,1,training\n"},
                                              "data check own"),
    "check: manifest that leaves its folder": ({"own/manifest.csv": f"{HEADER}../a.jpg,ann,1,train\n"},
                                               "data check own"),
    "check: manifest with an image twice": ({"own/manifest.csv": HEADER + ROWS + "ann/1.jpg,ann,1,train\n"},
                                            "data check own"),
    "check: manifest of Windows": ({"own/manifest.csv": HEADER + ROWS.replace("ann/", "ann\\")}, "data check own"),
    "check: manifest without a side-car": ({"own/list.csv": "path,identity,split,maps\nann/1.jpg,ann,train,a.png\n"},
                                           "data check own/list.csv"),
    "check: manifest of another kind": ({"own/list.txt": HEADER + ROWS}, "data check own/list.txt"),
    "import: pattern and list": ({}, "data import own --pattern {identity}/* --list list.csv"),
    "import: manifest elsewhere": ({}, "data import own --to manifest.csv"),
    "import: manifest that is there": ({"own/manifest.csv": ""}, "data import own"),
    "import: unknown field": ({}, "data import own --pattern {person}/*"),
    "import: no identity": ({}, "data import own --pattern {camera}/*"),
    "import: pattern that fits nothing": ({}, "data import own --pattern {identity}_*"),
    "import: unknown split": ({}, "data import own --pattern {split}/{identity}.jpg"),
    "import: too few people": ({}, "data import own"),
    "import: known data set": ({}, "data import market --pattern {split}/{identity}_*"),
    "import: list that is not there": ({}, "data import own --list list.csv"),
    "import: list without identities": ({"list.csv": "path\nann/1.jpg\n"}, "data import own --list list.csv"),
    "import: list of files that are not there": ({"list.csv": "path,identity\nann/1.JPG,ann\nb\\2.jpg,b\n"},
                                                 "data import own --list list.csv"),
    "evaluate: no trial": ({}, "evaluate market"),
    "evaluate: setting without data": ({}, "evaluate trial --set boxes=labelled"),
    "evaluate: no data": ({}, "evaluate trial --data nowhere"),
    "evaluate: unknown data": ({}, "evaluate trial --data own"),
    "evaluate: unknown name": ({}, "evaluate trial --data market --name marketl501"),
    "evaluate: setting of the trial": ({}, "evaluate trial --data market --set holdout=0.5"),
    "evaluate: no weights": ({}, "evaluate trial"),
    "evaluate: unknown device": ({}, "evaluate trial --device tpu"),
    "plan: no study": ({}, "plan nowhere.yaml"),
    "plan: no data": ({"study.yaml": STUDY.format("market1501", "nowhere")}, "plan study.yaml"),
    "plan: part maps that are not there": (
        {"study.yaml": STUDY.format("market1501", "market, maps: market/querry"), f"market/{MARKET[0]}": "image"},
        "plan study.yaml",
    ),
    "plan: a folder as a table of attributes": (
        {"study.yaml": STUDY.format("market1501", "market, attributes: market"), "market/attributes.csv": "identity"},
        "plan study.yaml",
    ),
    "plan: wrong row of attributes": (
        {"study.yaml": ATTRIBUTES_OF, "market/attributes.csv": TABLE.replace("7;1", "7;5")}, "plan study.yaml",
    ),
    "plan: data of another name": ({"study.yaml": STUDY.format("cuhk03", "market")}, "plan study.yaml"),
    "plan: data on the command line": ({"study.yaml": STUDY.format("market1501", "nowhere")},
                                       "plan study.yaml --data own"),
    "plan: broken image": ({"study.yaml": STUDY.format("market1501", "market"), f"market/{MARKET[0]}": "no image"},
                           "plan study.yaml"),
    "plan: missing image of a manifest": (
        {"study.yaml": STUDY.format("manifest", "own"), "own/manifest.csv": HEADER + ROWS, "own/bob/1.jpg": None},
        "plan study.yaml",
    ),
    "plan: one identity": ({"study.yaml": STUDY.format("manifest", "own"), "own/manifest.csv": HEADER + ROWS},
                           "plan study.yaml"),
    "plan: weights that lead back to themselves": (
        {"study.yaml": STUDY.format("market1501", "market")}, "plan study.yaml --set model.weights=circle.pth"),
    "plan: weights that are no weights": (
        {"study.yaml": STUDY.format("market1501", "market"), "weights.pth": "text"},
        "plan study.yaml --set model.weights=weights.pth --set training.batch.ids=2",
    ),
}  # fmt: skip


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A data set, images of one's own, and a trial that kept no weights."""
    for number, name in enumerate((*(f"market/{name}" for name in MARKET), *(f"own/{name}" for name in OWN))):
        _image(tmp_path / name, number)
    trial = {
        "data": {"name": "market1501", "root": str(tmp_path / "market"), "image_size": [64, 32]},
        "model": {"architecture": "baseline", "backbone": "resnet10_thin"},
    }
    config = TrialConfig.model_validate(trial).model_dump(mode="json")
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial/config.json").write_text(json.dumps({"config": config, "seed": 1, "key": "k"}))
    (tmp_path / "circle.pth").symlink_to("circle.pth")
    return tmp_path


def _image(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 16), (number, 0, 0)).save(path)


def _known() -> dict[str, str]:
    blocks = SNAPSHOT.read_text(encoding="utf-8").removeprefix("== ").split("\n== ")
    return {name: message.strip("\n") for name, _, message in (block.partition("\n") for block in blocks)}


@pytest.mark.parametrize("name", CASES)
def test_message_of_a_wrong_command(name: str, folders: Path, command: Callable[..., Any]) -> None:
    files, line = CASES[name]
    for number, (place, content) in enumerate(files.items()):
        if content is None:
            (folders / place).unlink()
        elif content == "image":
            _image(folders / place, 99 + number)
        else:
            (folders / place).parent.mkdir(exist_ok=True)
            (folders / place).write_text(content)
    answer = command(*line.split(" "))
    assert answer.code == 2, answer.err
    message = answer.err.replace(f"{folders}/", "").strip().replace(", ".join(DATASETS.names()), "<every data set>")
    if os.environ.get("REID_SEARCH_UPDATE_SNAPSHOTS"):
        known = (_known() if SNAPSHOT.exists() else {}) | {name: message}
        SNAPSHOT.write_text("\n".join(f"== {case}\n{known[case]}\n" for case in CASES if case in known), "utf-8")
    assert message == _known().get(name)


def test_every_message_of_the_snapshot_is_tested() -> None:
    assert list(_known()) == list(CASES)
