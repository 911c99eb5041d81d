"""`reid-search evaluate`: a trained trial on any data set, by that set's rule, as a study would have measured it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ruamel.yaml import YAML
from safetensors.torch import save_file

from reid_search.backbones import build_backbone
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset

Command = Callable[..., Any]
Train = Callable[..., tuple[Path, dict[str, Any]]]

MARKET, OTHER, OWN = ({"name": name, "root": root} for name, root in
                      (("market1501", "market"), ("market1501", "other"), ("manifest", "own/list.csv")))  # fmt: skip
TRIAL = {
    "data": {"image_size": [16, 8], "holdout": 0.0},
    "model": {
        "architecture": "baseline",
        "backbone": "resnet10_thin",
        "embedding_dim": 16,
        "weights": {"file": "drawn.safetensors", "mean": [0.2, 0.3, 0.4], "std": [0.1, 0.2, 0.3]},
    },
    "training": {"images": 32, "batch": {"ids": 4, "per_id": 2}},
    "readouts": {"default": {}, "reranked": {"scorer": "k_reciprocal"}},
}


def _market(root: Path, seed: int) -> None:
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "unit", "seed": seed}), root)


def _own(root: Path, market: Path) -> None:
    """Write a manifest without cameras of the test images of another data set, and nothing to train on."""
    root.mkdir()
    lines = ["path,identity,split"]
    for part, folder in (("query", "query"), ("gallery", "bounding_box_test")):
        for image in sorted((market / folder).glob("0*.jpg")):
            shutil.copy(image, root / f"{part}-{image.name}")
            lines.append(f"{part}-{image.name},{image.name[:4]},{part}")
    (root / "list.csv").write_text("\n".join(lines))


@pytest.fixture
def trained(tmp_path: Path, command: Command) -> Train:
    """Train on some data; return the trial's folder and what its record measured by readout."""
    for name, seed in (("market", 0), ("other", 5), ("third", 9)):
        _market(tmp_path / name, seed)
    _own(tmp_path / "own", tmp_path / "third")
    network = build_backbone("resnet10_thin", None, 1)
    save_file({name: value.clone() for name, value in network.state_dict().items()}, tmp_path / "drawn.safetensors")

    def train(**data: Any) -> tuple[Path, dict[str, Any]]:
        with (tmp_path / "trial.yaml").open("w") as file:
            YAML().dump({**TRIAL, "data": {**TRIAL["data"], **data}}, file)
        ran = command("train", "trial.yaml", "--json", "--device", "cpu")
        assert ran.code == 0, ran.err
        record = json.loads(ran.out)
        return tmp_path / f"runs/single/trials/{record['key']}-s1", record["readouts"]

    return train


def _numbers(answer: Any) -> dict[str, dict[str, float]]:
    assert answer.code == 0, answer.err
    return {name: found["metrics"] for name, found in json.loads(answer.out).items()}


def _of(readouts: dict[str, Any], split: str) -> dict[str, dict[str, float]]:
    """Return the numbers of one test of a record, by the names that a trial of one data set gives them.

    What the untrained network scored is left out: kept weights are trained ones.
    """
    beginning = f"{split}/"
    return {
        name: {f"test/{key.removeprefix(beginning)}": value for key, value in found["metrics"].items()
               if key.startswith(beginning) and not key.endswith("_untrained")}
        for name, found in readouts.items()
    }  # fmt: skip


@pytest.mark.slow  # two trainings, and four evaluations of six splits with re-ranking
def test_another_set_is_measured_as_a_study_that_tests_on_it_measures_it(trained: Train, command: Command) -> None:
    folder, record = trained(train=[MARKET], test={"market": MARKET, "other": OTHER, "own": OWN})
    for place, split, rule in (("other", "other", "same camera"), ("own/list.csv", "own", "same image")):
        answer = command("evaluate", folder, "--data", place, "--device", "cpu", "--json")
        found, expected = _numbers(answer), _of(record, f"test/{split}")
        assert found.keys() == expected.keys() == {"default", "reranked"}
        for name, metrics in found.items():
            assert metrics == pytest.approx(expected[name], abs=1e-12)
        assert f"test: {'market1501' if split == 'other' else 'manifest'} in " in answer.err
        assert f"a ranking leaves out: {rule}" in answer.err
    again = command("evaluate", folder, "--device", "cpu", "--json")
    for name, metrics in _numbers(again).items():
        trained_ones = {key: value for key, value in record[name]["metrics"].items() if not key.endswith("_untrained")}
        assert metrics == pytest.approx(trained_ones, abs=1e-12)
    assert [line.partition(" ")[0] for line in again.err.splitlines() if line.startswith("test")] == [
        "test/market:",
        "test/other:",
        "test/own:",
    ]

    alone, own = trained(**MARKET)
    assert own["default"]["metrics"]["test/mAP"] == record["default"]["metrics"]["test/market/mAP"]
    found = _numbers(command("evaluate", alone, "--data", "other", "--device", "cpu", "--json"))
    assert found["default"] == pytest.approx(_of(record, "test/other")["default"], abs=1e-12)


def test_a_folder_that_could_be_two_sets_has_to_be_named(trained: Train, command: Command, tmp_path: Path) -> None:
    folder, _ = trained(**MARKET)
    for part in ("bounding_box_train", "query", "bounding_box_test"):
        (tmp_path / "duke" / part).mkdir(parents=True)
        for image in (tmp_path / "other" / part).glob("0*.jpg"):
            identity, camera = image.name[:4], image.name.partition("_c")[2][0]
            number = f"{len(list((tmp_path / 'duke' / part).iterdir())):07}"
            if identity != "0000" or part == "bounding_box_test":
                shutil.copy(image, tmp_path / "duke" / part / f"{identity}_c{camera}_f{number}.jpg")
    asked = ("evaluate", folder, "--data", "duke", "--device", "cpu")
    refused = command(*asked)
    assert refused.code == 2, refused.err
    assert "duke: can be read as dukemtmc or occluded_duke; say which with --name" in refused.err
    named = command(*asked, "--name", "dukemtmc")
    assert named.code == 0, named.err
    assert "test: dukemtmc in " in named.err


def test_a_rule_that_ranks_a_part_of_the_gallery_leaves_re_ranking_out(
    trained: Train, command: Command, tmp_path: Path
) -> None:
    folder, _ = trained(**MARKET)
    images = iter(sorted((tmp_path / "other/bounding_box_train").glob("*.jpg")))
    for person in ("001", "002", "003"):
        for camera, letter in (("train", "A"), ("test/A", "A"), ("test/B", "B"), ("test/C", "C")):
            place = tmp_path / "prcc/rgb" / camera / person
            place.mkdir(parents=True)
            name = f"{letter}_cropped_rgb001.jpg" if camera == "train" else "cropped_rgb001.jpg"
            shutil.copy(next(images), place / name)
    answer = command("evaluate", folder, "--data", "prcc", "--device", "cpu", "--json")
    assert set(_numbers(answer)) == {"default"}
    assert "test/single_shot_mAP" in _numbers(answer)["default"]
    assert "single shot of each identity, 10 draws" in answer.err
    assert "readout 'reranked' is left out: its scorer looks at the whole gallery" in answer.err
    whole = command("evaluate", folder, "--data", "prcc", "--set", "gallery=whole", "--device", "cpu", "--json")
    assert set(_numbers(whole)) == {"default", "reranked"}


def test_people_that_the_trial_was_trained_on_are_said_beside_the_numbers(
    trained: Train, command: Command, tmp_path: Path
) -> None:
    folder, _ = trained(**MARKET)
    asked = ("evaluate", folder, "--device", "cpu", "--json")

    def warnings(*arguments: str) -> list[str]:
        answer = command(*asked, *arguments)
        assert answer.code == 0, answer.err
        (found,) = {tuple(readout["warnings"]) for readout in json.loads(answer.out).values()}
        assert [line for line in answer.err.splitlines() if line.startswith("WARNING: ")] == [
            f"WARNING: {warning}" for warning in found
        ]
        return list(found)

    assert warnings() == warnings("--data", "market") == []
    train = sorted((tmp_path / "market/bounding_box_train").glob("0*.jpg"))
    (tmp_path / "seen").mkdir()
    rows = [f"seen/{image.name},{image.name[:4]},{image.name.partition('_c')[2][0]}" for image in train]
    for image in train:
        shutil.copy(image, tmp_path / "seen" / image.name)
    lines = [f"{row},{'query' if '_c1' in row else 'gallery'}" for row in rows]
    (tmp_path / "seen.csv").write_text("\n".join(["path,identity,camera,split", *lines]))
    (images,) = warnings("--data", "seen.csv")
    assert images.startswith(f"72 of 72 images of manifest in {tmp_path} are among those of market1501 in ")
    assert "of 12 identities (" in images
    assert "learnt by heart" in images

    for part in ("query", "bounding_box_test"):  # the people of training, in other images of them
        shutil.rmtree(tmp_path / "other" / part)
        (tmp_path / "other" / part).mkdir()
    for number, image in enumerate(train):
        part = "query" if "_c1" in image.name else "bounding_box_test"
        with Image.open(image) as opened:
            opened.rotate(number + 1).save(tmp_path / "other" / part / image.name)
    shutil.rmtree(tmp_path / "other/bounding_box_train")
    (tmp_path / "other/bounding_box_train").mkdir()
    shutil.copy(train[0], tmp_path / "other/bounding_box_train/1499_c1s1_000000_00.jpg")
    (people,) = warnings("--data", "other", "--name", "market1501")
    assert people.startswith("12 identities (")
    assert "the number or name of a person of market1501" in people

    (tmp_path / "market").rename(tmp_path / "moved")
    (unknown,) = warnings("--data", "seen.csv")
    assert "whether the trial was trained on people of this test is not known: " in unknown


def test_broken_images_of_its_own_data_are_left_out_on_request(
    trained: Train, command: Command, tmp_path: Path
) -> None:
    folder, _ = trained(**MARKET)
    broken = min((tmp_path / "market/bounding_box_test").glob("0*.jpg"))
    broken.write_bytes(broken.read_bytes()[:200])
    refused = command("evaluate", folder, "--device", "cpu")
    assert refused.code == 2, refused.err
    assert f"{broken}: not a readable image" in refused.err
    assert "--skip-broken" in refused.err
    left_out = command("evaluate", folder, "--device", "cpu", "--skip-broken")
    assert (left_out.code, "not used: unreadable images (1)" in left_out.err) == (0, True), left_out.err


WRONG = [
    (["--name", "market1501"], "of another data set; give its folder with --data"),
    (["--set", "multi_query=true"], "of another data set; give its folder with --data"),
    (["--data", "nowhere"], "--data nowhere: no such folder or manifest"),
    (["--data", "."], "looks like no data set that is known; did you mean"),
    (["--data", "other", "--name", "marketl501"], "did you mean 'market1501'"),
    (["--data", "other", "--set", "image_size=[32, 16]"], "--set image_size: that of the trial stays"),
    (["--data", "other", "--set", "boxes=labelled"], "'boxes' is a setting of"),
]


def test_what_cannot_be_evaluated_is_one_message(trained: Train, command: Command) -> None:
    folder, _ = trained(**MARKET)
    for arguments, said in WRONG:
        refused = command("evaluate", folder, *arguments, "--device", "cpu")
        assert refused.code == 2, refused.out
        assert said in refused.err
