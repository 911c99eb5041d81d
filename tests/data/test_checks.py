"""A split that cannot be tested is refused before training, with one message."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.data import load_dataset, open_trial_data
from reid_search.data.checks import check_people, check_test, checked_split
from reid_search.data.dataset import ReidDataset, dataset_of
from reid_search.data.listing import About, Listing
from reid_search.data.ltcc.config import LtccConfig
from reid_search.data.manifest.config import ManifestConfig
from reid_search.data.market1501.config import MarketConfig
from reid_search.errors import DataError
from reid_search.study import EvaluationRule, TrialConfig, load_study
from reid_search.study.rules import SingleShot
from reid_search.study.trial.config import SetUse
from tests.data.conftest import write_image

WITHOUT_CAMERAS = EvaluationRule(left_out=("same image",))


def _one_camera(root: Path) -> None:
    for path in sorted(root.glob("bounding_box_test/*_c2s*")):
        path.unlink()


def _no_match(root: Path) -> None:
    for path in sorted(root.glob("bounding_box_test/*_c2s*")):
        if not path.name.startswith("-1"):
            path.unlink()


def _learnt_by_heart(root: Path) -> None:
    shutil.copy(root / "bounding_box_train/0002_c1s1_000000_01.jpg", root / "bounding_box_test/0002_c1s1_000009_01.jpg")


def _one_camera_in_training(root: Path) -> None:
    for path in sorted(root.glob("bounding_box_train/*_c2s*")):
        path.unlink()


def _few_people(root: Path) -> None:
    for path in sorted(root.glob("bounding_box_train/001*")):
        path.unlink()


WRONG = [
    (_one_camera, "every query and gallery image is of camera 1"),
    (_no_match, "none of the 2 queries has an image of its identity from another camera in the gallery"),
    (_learnt_by_heart, "1 identity is both in training and in test (2)"),
    (_one_camera_in_training, "no held-out identity was seen by two cameras"),
    (_few_people, "at least 2 are needed on either side"),
]


@pytest.mark.parametrize(("damage", "said"), WRONG)
def test_a_split_of_no_use_is_refused_by_the_plan_and_before_training(
    market: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(f"""\
name: real
base:
  data: {{name: market1501, root: {market}, image_size: [32, 16], holdout: 0.5}}
  model: {{architecture: baseline, backbone: resnet10_thin}}
  training: {{images: 8, batch: {{ids: 2, per_id: 2}}}}
phases: [{{kind: search, trials: 1, sampler: random}}]
axes: {{training.optimizer.lr: {{log_uniform: [1.0e-4, 1.0e-2]}}}}
""")
    load_study(study).plan()
    damage(market)
    for attempt in (lambda: load_study(study).plan(), lambda: open_trial_data(_trial(market), 1, tmp_path)):
        with pytest.raises(DataError) as caught:
            attempt()
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 2
    assert not (tmp_path / "images").exists()


def _trial(root: Path) -> TrialConfig:
    content: dict[str, Any] = {
        "data": {"name": "market1501", "root": root, "image_size": [32, 16], "holdout": 0.5},
        "model": {"architecture": "baseline", "backbone": "resnet10_thin"},
        "training": {"images": 8, "batch": {"ids": 2, "per_id": 2}},
    }
    return TrialConfig.model_validate(content)


def test_people_whose_numbers_restart_may_have_the_same_number(market: Path) -> None:
    _learnt_by_heart(market)
    listing = MarketConfig(name="market1501", root=market).listing()
    listing.about = About("MSMT17", one_numbering=False)
    check_people(dataset_of("msmt17", listing))


def test_queries_may_lie_in_the_gallery(market: Path) -> None:
    """As those of Occluded-Duke do: the rule of cameras leaves them out."""
    for path in sorted((market / "query").iterdir()):
        shutil.copy(path, market / "bounding_box_test" / path.name)
    dataset = load_dataset(MarketConfig(name="market1501", root=market))
    check_test(dataset, EvaluationRule())


def _without_cameras(root: Path, gallery: list[str]) -> Listing:
    listing = Listing(root, About("flat", cameras=False))
    listing.use(root / "query/0001_c1s1_000000_00.jpg", "query", 1, None)
    for name in gallery:
        listing.use(root / "bounding_box_test" / name, "gallery", 1, None)
    return listing


def test_without_cameras_a_query_does_not_find_itself(market: Path) -> None:
    shutil.copy(market / "query/0001_c1s1_000000_00.jpg", market / "bounding_box_test/copy.jpg")
    itself = dataset_of("flat", _without_cameras(market, ["copy.jpg"]))
    assert "camera" not in itself.gallery
    with pytest.raises(DataError, match="none of the 1 queries has an image of its identity in the gallery"):
        check_test(itself, WITHOUT_CAMERAS)
    (market / "bounding_box_test/other.jpg").write_bytes(b"another image of the same person")
    found = _without_cameras(market, ["copy.jpg", "other.jpg"])
    found.use(market / "bounding_box_test/0005_c1s1_000001_01.jpg", "gallery", 5, None)
    check_test(dataset_of("flat", found), WITHOUT_CAMERAS)


# An image: its identity, camera, clothes and action. The one query has the number 1 in all of them.
Shown = tuple[int, int, int, int]
ITSELF, MATCH = (1, 1, 1, 1), (1, 2, 2, 1)
RULES = {
    "market": EvaluationRule(),
    "same image": WITHOUT_CAMERAS,
    "clothes": EvaluationRule(left_out=("same clothes", "same camera")),
    "one action": EvaluationRule(left_out=("same image",), within="action"),
    "single shot": EvaluationRule(single_shot=SingleShot(draws=2)),
    "multi-query": EvaluationRule(multi_query=True),
}


def _asked(gallery: list[Shown]) -> ReidDataset:
    listing = Listing(Path("/set"), About("a set"))
    for part, shown in (("query", ITSELF), *(("gallery", image) for image in gallery)):
        identity, camera, clothes, action = shown
        name = f"/set/{part}/{len(listing.images)}.jpg"
        listing.use(name, part, identity, camera, clothes=clothes, action=action)
    return dataset_of("a set", listing, "unknown")


@pytest.mark.parametrize("rule", RULES)
def test_a_test_that_nobody_could_fail_is_refused(rule: str) -> None:
    alone: list[list[Shown]] = [[MATCH], [MATCH, ITSELF], [MATCH, (JUNK, 2, 1, 1)]]
    in_another_action: Shown = (5, 2, 2, 2)
    confused: list[list[Shown]] = [[MATCH, (5, 1, 1, 1)], [MATCH, (DISTRACTOR, 2, 2, 1)]]
    (alone if rule == "one action" else confused).append([MATCH, in_another_action])
    for gallery in alone:
        with pytest.raises(DataError, match="a set in /set: the gallery has no image of another identity") as caught:
            check_test(_asked(gallery), RULES[rule])
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(f"test on at least 2 identities (the rule leaves out: {RULES[rule]})")
    for gallery in confused:
        check_test(_asked(gallery), RULES[rule])


def test_people_and_cameras_have_the_names_that_the_data_set_gave_them(tmp_path: Path) -> None:
    for name in "abcd":
        write_image(tmp_path / f"{name}.jpg", ord(name))
    rows = ["a.jpg,Ana,door,train", "b.jpg,Bea,yard,train", "c.jpg,{},door,query", "d.jpg,{},{},gallery"]
    for who, camera, check, said in (
        ("Bea", "yard", check_people, r"1 identity is both in training and in test \(Bea\)"),
        ("Zoe", "door", lambda found: check_test(found, EvaluationRule()), "every .* image is of camera door, and"),
    ):
        text = "\n".join(["path,identity,camera,split", *rows]).format(who, who, camera)
        (tmp_path / "manifest.csv").write_text(text)
        with pytest.raises(DataError, match=said):
            check(load_dataset(ManifestConfig(name="manifest", root=tmp_path)))
    for part in ("train", "query", "test"):
        write_image(tmp_path / "ltcc" / part / "094_1_c9_015833.png", 1)
    with pytest.raises(DataError, match=r"both in training and in test \(94\)"):  # 95 here: LTCC counts from 0
        check_people(load_dataset(LtccConfig(name="ltcc", root=tmp_path / "ltcc")))


def _one_person(market: Path) -> Listing:
    listing = Listing(market, About("one person", cameras=False))
    listing.use(market / "bounding_box_train/0002_c1s1_000000_01.jpg", "train", 2, None)
    return listing


def test_only_the_parts_that_are_used_must_be_there(market: Path) -> None:
    listing = Listing(market, About("train only", cameras=False))
    for number in (2, 7, 10, 11):
        listing.use(market / f"bounding_box_train/{number:04}_c1s1_000000_01.jpg", "train", number, None)
    dataset = dataset_of("train only", listing)
    config = MarketConfig(name="market1501", holdout=0.0)
    assert len(checked_split(dataset, SetUse(config, test=False)).train) == 4
    alone = dataset_of("one person", _one_person(market))
    with pytest.raises(DataError, match="one identity in training, so nobody could be told from anybody; at least 2"):
        checked_split(alone, SetUse(config, test=False))
    for use, part in ((SetUse(config), "query"), (SetUse(config, train=False), "query")):
        with pytest.raises(DataError, match=f"train only in {market}: has no image of the split {part}"):
            checked_split(dataset, use)
