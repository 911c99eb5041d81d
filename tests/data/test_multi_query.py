"""Multi-query on Market-1501: the hand-drawn boxes that describe a query together."""

import lzma
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from reid_search.data import load_dataset, open_trial_data
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.market1501.layout import FOLDERS
from reid_search.errors import DataError
from reid_search.study import MARKET_RULE, EvaluationRule, TrialConfig
from reid_search.study.trial.key import trial_key
from tests.data.conftest import write_image

NAMES = Path(__file__).with_name("names")
MODEL = {"architecture": "baseline", "backbone": "resnet10_thin"}


def _config(root: Path, **settings: object) -> MarketConfig:
    return MarketConfig.model_validate({"name": "market1501", "root": root, "multi_query": True, **settings})


@pytest.fixture
def hand_drawn(market: Path) -> Path:
    """The market folder with `gt_bbox`: three boxes of person 1 in camera 1, others of nobody who is asked for."""
    (market / "gt_bbox").mkdir()
    shutil.copy(market / "query/0001_c1s1_000000_00.jpg", market / "gt_bbox")
    names = ("0001_c1s1_000007_00", "0001_c1s2_000008_00", "0001_c2s1_000009_00", "0002_c1s1_000000_00")
    for seed, name in enumerate(names):
        write_image(market / f"gt_bbox/{name}.jpg", seed)
    (market / "gt_bbox/Thumbs.db").write_bytes(b"")
    return market


def test_boxes_of_the_query_s_identity_in_its_camera_describe_it(hand_drawn: Path) -> None:
    listing = _config(hand_drawn).listing()
    assert [image.name for image in listing.of("multi_query")] == [
        f"gt_bbox/0001_c1s{name}_00.jpg" for name in ("1_000000", "1_000007", "2_000008")
    ]
    assert listing.unused == {
        "hidden files": ["gt_bbox/Thumbs.db"],
        "hand-drawn boxes of no query": ["gt_bbox/0001_c2s1_000009_00.jpg", "gt_bbox/0002_c1s1_000000_00.jpg"],
    }
    alone = "multi-query: 1 of 2 queries has no other image and is described by its own"
    assert alone in listing.facts().notes


def test_the_true_names_have_boxes_for_every_query(tmp_path: Path) -> None:
    """The query of an identity in a camera is one of its hand-drawn boxes, so that each has at least itself."""
    image = tmp_path / "image.jpg"
    Image.new("RGB", (1, 2)).save(image)
    for part, folder in {**FOLDERS, "multi_query": "gt_bbox"}.items():
        (tmp_path / folder).mkdir()
        name = "query" if part == "multi_query" else part
        for line in lzma.decompress((NAMES / f"market1501_{name}.txt.xz").read_bytes()).decode().split():
            os.link(image, tmp_path / folder / line)
    for line in ("0001_c1s1_001126_00.jpg", "0003_c1s6_015996_00.jpg.jpg", "0002_c1s1_000451_00.jpg"):
        os.link(image, tmp_path / "gt_bbox" / line)
    listing = _config(tmp_path).listing()
    assert len(listing.of("multi_query")) == 3_368 + 2
    assert listing.unused == {"hand-drawn boxes of no query": ["gt_bbox/0002_c1s1_000451_00.jpg"]}
    assert not any("multi-query" in note for note in listing.facts("sha256-0").notes)


def test_without_multi_query_nothing_changes(market: Path) -> None:
    plain = _config(market, multi_query=False)
    before = plain.fingerprint()
    (market / "gt_bbox").mkdir()
    write_image(market / "gt_bbox/0001_c1s1_000007_00.jpg", 1)
    assert plain.fingerprint() == before
    assert plain.listing().unused == {}
    assert load_dataset(plain).multi_query is None
    assert plain.rule == MARKET_RULE
    assert "multi_query" not in plain.model_dump()
    assert MarketConfig(name="market1501", root=market).model_dump() == plain.model_dump()
    pooled = _config(market)
    assert pooled.rule == EvaluationRule(multi_query=True) != MARKET_RULE
    assert str(pooled.rule) == "same camera; multi-query"
    assert pooled.fingerprint() != before
    keys = {
        trial_key(TrialConfig.model_validate({"data": config.model_dump(mode="json"), "model": MODEL}), before)
        for config in (plain, pooled)
    }
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (lambda root: shutil.rmtree(root / "gt_bbox"), r"gt_bbox: no such folder; .* allowed: multi_query: false"),
        (
            lambda root: [path.unlink() for path in root.glob("gt_bbox/0001_c1*")],
            "no readable image of a query's",
        ),
        (lambda root: [path.unlink() for path in root.glob("gt_bbox/*.jpg")], "gt_bbox: holds no images"),
        (lambda root: (root / "gt_bbox/face.jpg").write_bytes(b""), "not of the form of Market-1501"),
    ],
)
def test_a_wrong_folder_of_boxes_is_one_clear_error(hand_drawn: Path, breakage, message: str) -> None:
    breakage(hand_drawn)
    with pytest.raises(DataError, match=message):
        _config(hand_drawn).fingerprint()


def test_boxes_that_cannot_be_read_are_left_out_on_request(hand_drawn: Path) -> None:
    names = [f"gt_bbox/0001_c1s{name}_00.jpg" for name in ("1_000000", "1_000007", "2_000008")]
    (hand_drawn / names[1]).write_bytes(b"no image")
    config = _config(hand_drawn, skip_broken=True)
    assert [image.name for image in config.listing().of("multi_query")] == [names[0], names[2]]
    for name in names:
        (hand_drawn / name).write_bytes(name.encode())
    with pytest.raises(DataError, match="gt_bbox: holds no readable image of a query's identity in its camera"):
        config.listing()


def test_queries_are_pooled_within_their_camera_in_test_and_validation(hand_drawn: Path, tmp_path: Path) -> None:
    data = {"name": "market1501", "root": str(hand_drawn), "multi_query": True, "holdout": 0.5}
    training = {"batch": {"ids": 2, "per_id": 2}}
    config = TrialConfig.model_validate({"data": data, "model": MODEL, "training": training})
    sets = open_trial_data(config, 0, tmp_path).sets
    assert [places.tolist() for places in sets["test"].pooled()] == [[0, 1, 2], []]
    val = sets["val"]
    assert val.multi_query is val.gallery
    for (identity, camera), places in zip(
        val.query.table[["identity", "camera"]].to_numpy(), val.pooled(), strict=True
    ):
        same = (val.gallery.identities == identity) & (val.gallery.cameras == camera)
        assert places.tolist() == same.nonzero()[0].tolist()
        assert len(places) == 2


def test_a_rule_pools_only_what_it_leaves_out() -> None:
    with pytest.raises(ValueError, match="left_out must hold 'same camera'"):
        EvaluationRule(left_out=("same image",), multi_query=True)


def test_each_of_several_data_sets_has_its_own_query_mode(hand_drawn: Path, tmp_path: Path) -> None:
    """Tested pooled and unpooled in one study; held-out people of two sets are pooled within their own set."""
    other = tmp_path / "other"
    for identity in (2, 3, 4, 5):
        for camera in (1, 2):
            for frame in range(2):
                name = f"bounding_box_train/{identity:04}_c{camera}s1_{frame:06}_01.jpg"
                write_image(other / name, 1000 + identity * 100 + camera * 10 + frame)
    for name in ("query/0001_c1s1_000000_00", "bounding_box_test/0001_c2s1_000001_01", "gt_bbox/0001_c1s1_000000_00"):
        write_image(other / f"{name}.jpg", len(name) + 5000)
    pooled = {"name": "market1501", "root": str(hand_drawn), "multi_query": True}
    data = {
        "train": [pooled, {"name": "market1501", "root": str(other), "multi_query": True}],
        "test": {"pooled": pooled, "single": {"name": "market1501", "root": str(hand_drawn)}},
        "holdout": 0.5,
    }
    training = {"batch": {"ids": 2, "per_id": 2}}
    config = TrialConfig.model_validate({"data": data, "model": MODEL, "training": training})
    sets = open_trial_data(config, 0, tmp_path / "cache").sets
    assert {split: images.rule.multi_query for split, images in sets.items()} == {
        "test": True,
        "test/pooled": True,
        "test/single": False,
        "val": True,
    }
    assert sets["test/single"].multi_query is None
    assert [len(places) for places in sets["test/pooled"].pooled()] == [3, 0]
    val = sets["val"]
    folders = [Path(path).parents[1] for path in val.gallery.table["path"]]
    for query, places in zip(val.query.table.itertuples(), val.pooled(), strict=True):
        assert {folders[place] for place in places} == {Path(query.path).parents[1]}
        assert len(places) == 2
