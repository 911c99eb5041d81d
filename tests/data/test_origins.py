"""Side-cars that the renderer wrote are the truth in every data set that names them, and no others are."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_search.data.manifest.config import ManifestConfig
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.several.config import SeveralConfig
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.study import SideCar, TrialConfig
from reid_search.study.trial.side_cars import SIDE_CARS

NOISE = 0.25


def _settings(**noise: float) -> dict[str, object]:
    return {"name": "synthetic", "preset": "unit", "nuisances": noise}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "unit"
    write_dataset(SyntheticConfig.model_validate(_settings(keypoint_noise=NOISE)), root)
    return root


@pytest.fixture
def made(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "made"))


def _market(root: Path, **entries: object) -> MarketConfig:
    return MarketConfig.model_validate({"name": "market1501", "root": str(root), **entries})


def _origins(config: MarketConfig | ManifestConfig) -> list[str]:
    return [config.origin_of(kind) for kind in SIDE_CARS]


TOLD = ["truth", f"truth with noise {NOISE}", "truth"]
PREDICTED = ["predicted"] * 3


def test_a_written_folder_read_as_another_data_set_is_told_what_the_synthetic_one_is(made: Path) -> None:
    drawn = SyntheticConfig.model_validate(_settings(keypoint_noise=NOISE))
    assert _origins(_market(made)) == [drawn.origin_of(kind) for kind in SIDE_CARS] == TOLD


def test_without_the_note_of_the_renderer_side_cars_are_predicted(made: Path, market: Path) -> None:
    (made / "manifest.json").unlink()
    assert _origins(_market(made)) == PREDICTED
    assert _origins(_market(market)) == PREDICTED
    (made / "manifest.json").write_text(json.dumps({"sha256": "of another program"}))
    assert _origins(_market(made)) == PREDICTED
    assert MarketConfig(name="market1501").origin_of("maps") == "predicted", "no folder is given yet"


@pytest.mark.parametrize("moved", ["moved beside", "moved away", "link to the folder", "links to files", "named after"])
def test_side_cars_stay_the_truth_wherever_they_lie(made: Path, tmp_path: Path, moved: str) -> None:
    other = tmp_path / "elsewhere" / "parts"
    other.parent.mkdir()
    match moved:
        case "moved beside":
            other = made / "parts"
            shutil.move(made / "masks", other)
        case "moved away":  # the images still lie in the folder
            shutil.move(made / "masks", other)
        case "link to the folder":
            other.symlink_to(made / "masks")
        case "links to files":
            other.mkdir()
            for mask in (made / "masks").iterdir():
                (other / mask.name).symlink_to(mask)
        case _:  # sub-folders named after those of the images
            for image in made.glob("*/*.jpg"):
                (other / image.parent.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(made / f"masks/{image.stem}.png", other / image.parent.name)
    assert _market(made, maps=str(other)).origin_of("maps") == "truth"


def test_maps_of_a_parser_in_the_same_folder_are_predicted_and_one_true_map_among_them_is_told(made: Path) -> None:
    masks = sorted((made / "masks").iterdir())
    for mask in masks[:-1]:
        labels = np.asarray(Image.open(mask))
        Image.fromarray(np.where(labels > 0, 2, 0).astype(np.uint8)).save(mask)
    assert _market(made).origin_of("maps") == "truth"
    Image.new("L", (64, 128)).save(masks[-1])
    assert _market(made).origin_of("maps") == "predicted"
    assert _market(made).origin_of("keypoints") == f"truth with noise {NOISE}"


@pytest.mark.parametrize("columns", ["maps", ""])
def test_a_manifest_is_told_the_truth_whether_it_names_them_or_not(made: Path, columns: str) -> None:
    rows = []
    splits = {"bounding_box_train": "train", "query": "query", "bounding_box_test": "gallery"}
    for image in sorted(made.glob("*/*.jpg")):
        identity, camera = image.name.split("_")[:2]
        if int(identity) < 1:
            continue
        named = {"maps": f"masks/{image.stem}.png"} if columns else {}
        path = f"{image.parent.name}/{image.name}"
        rows.append({"path": path, "identity": identity, "camera": camera, "split": splits[image.parent.name], **named})
    with (made / "own.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    config = ManifestConfig.model_validate({"name": "manifest", "root": str(made / "own.csv")})
    assert _origins(config) == TOLD


@pytest.mark.parametrize("split", ["test", "test/own"])
def test_a_trial_says_that_it_reads_the_truth_of_a_written_folder(made: Path, split: str) -> None:
    data: dict[str, object] = {"name": "market1501", "root": str(made)}
    if "/" in split:
        data = {"train": [data], "test": {"own": data}}
    content = {"data": data, "model": {"architecture": "spreid", "backbone": "resnet10_thin"}}
    config = TrialConfig.model_validate(content)
    assert isinstance(config.data, MarketConfig | SeveralConfig)
    assert config.read_beside(split) == "maps: truth"


def test_how_wrong_each_kind_is_said_to_be(tmp_path: Path) -> None:
    noises: dict[SideCar, str] = {"maps": "mask", "keypoints": "keypoint", "attributes": "attribute"}
    for kind, name in noises.items():
        root = tmp_path / kind
        write_dataset(SyntheticConfig.model_validate(_settings(**{f"{name}_noise": 0.5})), root)
        assert [other for other in SIDE_CARS if "noise 0.5" in _market(root).origin_of(other)] == [kind]
