"""Part maps, keypoints and attributes from files: what is read, and one clear error for each mistake."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reid_search.data import load_dataset, open_images
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.side_cars import attributes_of, read_attributes, read_keypoints, read_maps, side_car_problems
from reid_search.errors import DataError
from reid_search.study.trial.side_cars import ATTRIBUTES, KEYPOINTS

SIZE = (32, 16)
NAMES = ("background", "head", "upper", "lower", "shoes")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A picture of 32 by 16 pixels."""
    path = tmp_path / "query" / "0002_c1s1_000451_03.jpg"
    path.parent.mkdir()
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(path)
    return path


def _png(folder: Path, image: Path, labels: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{image.stem}.png"
    Image.fromarray(labels.astype(np.uint8)).save(path)
    return path


def _npz(folder: Path, image: Path, **arrays: np.ndarray) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{image.stem}.npz"
    np.savez(path, **arrays)
    return path


def _keypoints(folder: Path, image: Path, content: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{image.stem}.json"
    path.write_text(json.dumps(content))
    return path


def _table(path: Path, identities: list[int], **columns: object) -> Path:
    table = pd.DataFrame({"identity": identities, **dict.fromkeys(ATTRIBUTES, 0), **columns})
    table.to_csv(path, index=False)
    return path


def test_labels_become_one_map_a_part(image: Path, tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 5, SIZE)
    _png(tmp_path / "masks", image, labels)
    maps = read_maps(image, tmp_path / "masks", SIZE)
    for part in range(4):
        np.testing.assert_array_equal(maps[part], 255 * (labels == part + 1))


def test_resized_maps_keep_the_share_of_each_part_and_sum_to_at_most_one(image: Path, tmp_path: Path) -> None:
    labels = np.repeat(np.arange(32) * 5 // 32, 16).reshape(SIZE)
    _png(tmp_path / "masks", image, labels)
    maps = read_maps(image, tmp_path / "masks", (8, 4)).astype(float) / 255
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), [(labels == part).mean() for part in range(1, 5)], atol=0.03)
    assert maps.sum(axis=0).max() <= 1.01


def test_probabilities_on_any_grid_are_read_and_sub_folders_are_searched(image: Path, tmp_path: Path) -> None:
    soft = np.random.default_rng(1).dirichlet(np.ones(5), (6, 3)).transpose(2, 0, 1)
    (tmp_path / "masks").mkdir()
    _npz(tmp_path / "masks" / "query", image, maps=soft)
    maps = read_maps(image, tmp_path / "masks", (6, 3))
    np.testing.assert_allclose(maps / 255, soft[1:], atol=0.5 / 255 + 1e-9)


def test_keypoints_follow_the_size_of_the_image(image: Path, tmp_path: Path) -> None:
    numbers = np.zeros((17, 3))
    numbers[0] = 0, 0, 2
    numbers[16] = 15, 31, 1
    _keypoints(tmp_path / "keypoints", image, {"keypoints": numbers.ravel().tolist()})
    read = read_keypoints(image, tmp_path / "keypoints", (64, 32))
    np.testing.assert_allclose(read[0], [0.5, 0.5, 2])
    np.testing.assert_allclose(read[16], [30.5, 62.5, 1])
    assert (read[1:16] == 0).all()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "no such file; expected the part map of query/0002_c1s1_000451_03.jpg"),
        (np.zeros((16, 8)), "16×8; a part map has one channel and the size of its image, 32×16"),
        (np.zeros((32, 16, 3)), "32×16×3; a part map has one channel"),
        (np.full(SIZE, 7), "holds the value 7; allowed: 0 background, 1 head, 2 upper, 3 lower, 4 shoes"),
    ],
    ids=["missing", "size", "channels", "values"],
)
def test_a_wrong_part_map_is_named(labels: np.ndarray | None, message: str, image: Path, tmp_path: Path) -> None:
    if labels is not None:
        _png(tmp_path / "masks", image, labels)
    with pytest.raises(DataError, match=re.escape(message)) as error:
        read_maps(image, tmp_path / "masks", SIZE)
    assert f"masks/{image.stem}" in str(error.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"masks": np.zeros((5, 2, 2))}, "expected an array `maps`"),
        ({"maps": np.zeros((4, 2, 2))}, "shape (4, 2, 2); expected (5, height, width)"),
        ({"maps": np.full((5, 2, 2), 0.5)}, "no probabilities"),
        ({"maps": np.full((5, 2, 2), np.nan)}, "no probabilities"),
    ],
)
def test_wrong_probabilities_are_named(arrays, message: str, image: Path, tmp_path: Path) -> None:
    _npz(tmp_path / "masks", image, **arrays)
    with pytest.raises(DataError, match=re.escape(message)):
        read_maps(image, tmp_path / "masks", SIZE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"points": []}, "expected `keypoints` with 51 numbers"),
        ({"keypoints": [0.0] * 50}, "expected `keypoints` with 51 numbers"),
        ({"keypoints": ["a"] * 51}, "expected `keypoints` with 51 numbers"),
        ({"keypoints": [1, 1, 3] + [0] * 48}, "nose has the visibility 3; allowed: 0 absent"),
        ({"keypoints": [0] * 3 + [16, 5, 2] + [0] * 45}, "left_eye lies at (16, 5), outside the image of 16×32"),
    ],
)
def test_wrong_keypoints_are_named(content, message: str, image: Path, tmp_path: Path) -> None:
    path = _keypoints(tmp_path / "keypoints", image, content)
    with pytest.raises(DataError, match=re.escape(message)) as error:
        read_keypoints(image, tmp_path / "keypoints", SIZE)
    assert str(path) in str(error.value)


def test_attributes_are_those_of_the_identity(tmp_path: Path) -> None:
    path = _table(tmp_path / "a.csv", [5, 3], age=[1, 3], upred=[0, 1])
    found = attributes_of(np.array([3, 5, 3]), path, np.array([3, 5]))
    assert found.shape == (3, 27)
    columns = list(ATTRIBUTES)
    assert found[:, columns.index("age")].tolist() == [3, 1, 3]
    assert found[:, columns.index("upred")].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("identities", "columns", "message"),
    [
        ([3, 5, 9], {}, "identity 9 is not in the data set"),
        ([3], {}, "no attributes of identity 5"),
        ([3, 5, 5], {}, "identity 5 has two rows"),
        ([3, 5], {"age": [0, 4]}, "age of identity 5 is 4; allowed: 0 to 3"),
        ([3, 5], {"hat": [0, 0.5]}, "hat of identity 5.0 is 0.5; allowed: 0 to 1"),
    ],
)
def test_wrong_attributes_are_named(identities, columns, message: str, tmp_path: Path) -> None:
    path = _table(tmp_path / "a.csv", identities, **columns)
    with pytest.raises(DataError, match=re.escape(message)):
        attributes_of(np.array([3, 5]), path, np.array([3, 5]))


def test_a_table_without_a_column_or_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("identity,gender\n1,0\n")
    with pytest.raises(DataError, match="column 'hair' is missing"):
        read_attributes(path)
    with pytest.raises(DataError, match="not a readable table"):
        read_attributes(tmp_path / "none.csv")


def _accompany(market: Path) -> None:
    images = sorted(market.glob("*/*.jpg"))
    for image in images:
        height, width = np.asarray(Image.open(image)).shape[:2]
        _png(market / "masks", image, np.full((height, width), hash(image.stem) % 5))
        _keypoints(market / "keypoints", image, {"keypoints": [1, 2, 2] * len(KEYPOINTS)})
    identities = sorted({int(image.name.split("_")[0]) for image in images} - {0, -1})
    _table(market / "attributes.csv", identities)


def test_side_cars_in_their_usual_places_are_offered_and_opened(market: Path, tmp_path: Path) -> None:
    assert MarketConfig(name="market1501", root=market).offers == frozenset()
    before = MarketConfig(name="market1501", root=market).fingerprint()
    _accompany(market)
    config = MarketConfig(name="market1501", root=market)
    assert config.offers == {"maps", "keypoints", "attributes"}
    assert config.fingerprint() != before
    dataset = load_dataset(config)
    assert side_car_problems(dataset, dataset.side_cars) == []
    needs = {"train": ["maps", "attributes"], "query": ["keypoints"]}
    opened = open_images(dataset, (12, 6), tmp_path / "cache", needs)
    train, query = opened["train"], opened["query"]
    assert train.maps.shape == (len(dataset.train), 4, 12, 6)
    assert train.attributes.shape == (len(dataset.train), 27)
    assert query.keypoints.shape == (len(dataset.query), 17, 3)
    assert (train.keypoints, query.maps, opened["gallery"].maps) == (None, None, None)
    some = train.at(np.array([3, 1]))
    np.testing.assert_array_equal(some.maps[1], train.maps[1])


def test_problems_of_all_side_cars_are_listed(market: Path) -> None:
    _accompany(market)
    masks = sorted((market / "masks").iterdir())
    masks[0].unlink()
    masks[1].write_bytes(b"no picture")
    (market / "attributes.csv").write_text("identity\n1\n")
    dataset = load_dataset(MarketConfig(name="market1501", root=market))
    problems = side_car_problems(dataset, dataset.side_cars)
    assert len(problems) == 3
    assert masks[0].stem in "".join(problems)
    assert any("not a readable part map" in problem for problem in problems)
    assert any("column 'gender' is missing" in problem for problem in problems)


def test_a_side_car_that_is_missing_is_named_before_anything_trains(market: Path, tmp_path: Path) -> None:
    _accompany(market)
    dataset = load_dataset(MarketConfig(name="market1501", root=market))
    (market / "masks" / (Path(dataset.train["path"].iloc[4]).stem + ".png")).unlink()
    with pytest.raises(DataError, match="no such file; expected the part map of bounding_box_train"):
        open_images(dataset, (12, 6), tmp_path / "cache", {"train": ["maps"]})
    assert not list((tmp_path / "cache" / "maps").glob("[!.]*"))
