"""Part maps, keypoints and attributes from files: what is read, and one clear error for each mistake."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

from reid_search.data import ReidDataset, load_dataset, open_images
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.side_cars import attributes_of, read_attributes, read_keypoints, read_maps, side_car_problems
from reid_search.errors import DataAbsent, DataError
from reid_search.study import DATASETS, Fingerprints, TrialConfig
from reid_search.study.trial.side_cars import ALL_ATTRIBUTES, ATTRIBUTES, DUKE_ATTRIBUTES, KEYPOINTS

from .conftest import write_image

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


def _table(path: Path, identities: Sequence[object], **columns: object) -> Path:
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
        (
            np.zeros((16, 8)),
            "no colours) and the size of its image, 32×16",
        ),
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
        ({"a": np.zeros((5, 2, 2)), "b": np.zeros(3)}, "expected one array, or an array `maps`"),
        (
            {"maps": np.zeros((4, 2, 2))},
            "shape (4, 2, 2); expected labels (height, width) or one plane",
        ),
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


@pytest.mark.parametrize("all_in_one", [False, True])
def test_keypoints_that_say_they_are_of_another_size_are_refused(all_in_one: bool, image: Path, tmp_path: Path) -> None:
    numbers = [4.0, 8.0, 2] * len(KEYPOINTS)
    place, content = tmp_path / "keypoints", {"keypoints": numbers, "image_size": [64, 32]}
    if all_in_one:
        place = tmp_path / "all.json"
        listed = {"id": 1, "file_name": image.name, "width": 32, "height": 64}
        place.write_text(json.dumps({"images": [listed], "annotations": [{"image_id": 1, "keypoints": numbers}]}))
    else:
        _keypoints(place, image, content)
    with pytest.raises(DataError, match=r"keypoints are of an image of 32×64 pixels, and .*\.jpg has 16×32"):
        read_keypoints(image, place, SIZE)


def test_attributes_are_those_of_the_identity(tmp_path: Path) -> None:
    path = _table(tmp_path / "a.csv", [5, 3], age=[1, 3], upred=[0, 1])
    found = attributes_of(np.array([3, 5, 3]), path, np.array([3, 5]))
    assert found.shape == (3, 32)
    assert (found[:, 27:] == -1).all()
    columns = list(ATTRIBUTES)
    assert found[:, columns.index("age")].tolist() == [3, 1, 3]
    assert found[:, columns.index("upred")].tolist() == [1, 0, 1]


@pytest.mark.parametrize("people", [["0", "1", "2"], ["10", "007", "3"], ["ann", "bob", "0"]])
def test_attributes_of_a_manifest_are_those_of_its_own_identities(tmp_path: Path, people: list[str]) -> None:
    rows = ["path,identity,split"]
    for number, person in enumerate(people):
        for part in ("train",) if number < 2 else ("query", "gallery"):
            name = f"{person}-{part}.png"
            write_image(tmp_path / name, number)
            rows.append(f"{name},{person},{part}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    table = pd.DataFrame({"identity": people, **{name: [0] * len(people) for name in ATTRIBUTES}})
    table["gender"] = [1, 0, 1]
    table[::-1].to_csv(tmp_path / "attributes.csv", index=False)
    config = DATASETS.validate({"name": "manifest", "root": str(tmp_path)})
    dataset = load_dataset(config)
    assert side_car_problems(dataset) == []
    samples = open_images(dataset, (8, 4), tmp_path / "cache", {"train": ["attributes"]}, ["train"])["train"]
    place = list(ALL_ATTRIBUTES).index("gender")
    trained = [Path(path).stem.split("-")[0] for path in dataset.train["path"]]
    assert dict(zip(trained, samples.attributes[:, place], strict=True)) == {people[0]: 1, people[1]: 0}
    for wrong, said in (
        (table.assign(identity=["stranger", *people[1:]]), ":2: identity stranger is not in the data set"),
        (table[1:], f": no attributes of identity {people[0]}, which is trained on"),
        (pd.concat([table, table[:1]]), f":5: identity {people[0]} has two rows, the first in line 2; expected one"),
        (table.assign(gender=[0, 2, 0]), f":3: gender of identity {people[1]} is 2; allowed: 0 to 1"),
    ):
        wrong.to_csv(tmp_path / "attributes.csv", index=False)
        assert side_car_problems(dataset)[0].startswith(f"{tmp_path}/attributes.csv{said}")


def test_attributes_of_a_set_that_counts_from_0_are_those_of_the_names_of_its_files(tmp_path: Path) -> None:
    for who, part in ((0, "train"), (1, "train"), (2, "query"), (2, "test")):
        write_image(tmp_path / part / f"{who:03}_1_c1_000001.png", who)
    table = _table(tmp_path / "attributes.csv", ["000", "001", "2"], gender=[1, 0, 0])
    labels = load_dataset(DATASETS.validate({"name": "ltcc", "root": tmp_path})).labels
    found = attributes_of(np.array([1, 2]), table, np.array([1, 2, 3]), labels)
    assert found[:, list(ALL_ATTRIBUTES).index("gender")].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("identities", "columns", "message"),
    [
        ([3, 5, 9], {}, "a.csv:4: identity 9 is not in the data set"),
        ([3], {}, "a.csv: no attributes of identity 5"),
        ([3, 5, 5], {}, "a.csv:4: identity 5 has two rows, the first in line 3; expected one"),
        ([3, 5], {"age": [0, 4]}, "a.csv:3: age of identity 5 is 4; allowed: 0 to 3"),
        ([3, 5], {"hat": [0, 0.5]}, "a.csv:3: hat of identity 5 is 0.5; allowed: 0 to 1"),
        ([3, 5], {"hat": ["", 0]}, "a.csv:2: hat of identity 3 is empty; allowed: 0 to 1"),
        ([3, 5], {"hat": [0, "yes"]}, "a.csv:3: hat of identity 5 is yes; allowed: 0 to 1"),
    ],
)
def test_wrong_attributes_are_named(identities, columns, message: str, tmp_path: Path) -> None:
    path = _table(tmp_path / "a.csv", identities, **columns)
    with pytest.raises(DataError, match=re.escape(message)):
        attributes_of(np.array([3, 5]), path, np.array([3, 5]))


def test_the_line_of_a_wrong_row_is_that_of_an_editor(tmp_path: Path) -> None:
    """Beside empty lines, a quoted cell of two lines, and semicolons, as spreadsheets save them."""
    rows = [["identity", "note", *ATTRIBUTES], ["3", '"two\nlines"', *["0"] * 27], [], ["5", "", *["0"] * 26, "7"]]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(";".join(row) for row in rows) + "\n")
    lines = path.read_text().splitlines()
    with pytest.raises(DataError, match=re.escape(f"a.csv:{lines.index(';'.join(rows[3])) + 1}: ")):
        read_attributes(path)


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
    assert side_car_problems(dataset) == []
    needs = {"train": ["maps", "attributes"], "query": ["keypoints"]}
    opened = open_images(dataset, (12, 6), tmp_path / "cache", needs)
    train, query = opened["train"], opened["query"]
    assert train.maps.shape == (len(dataset.train), 4, 12, 6)
    assert train.attributes.shape == (len(dataset.train), 32)
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
    problems = side_car_problems(dataset)
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


LIP = {"head": (1, 2, 4, 13), "upper": (3, 5, 6, 7, 10, 11, 14, 15), "lower": (9, 12, 16, 17), "shoes": (8, 18, 19)}


def test_labels_of_lip_in_an_indexed_png_become_the_parts_of_spreid(image: Path, tmp_path: Path) -> None:
    labels = (np.arange(32 * 16) % 20).reshape(SIZE).astype(np.uint8)
    drawn = Image.fromarray(labels).convert("P")
    drawn.putdata(labels.ravel().tolist())
    drawn.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
    (tmp_path / "masks").mkdir()
    drawn.save(tmp_path / "masks" / f"{image.name}.png")
    maps = read_maps(image, tmp_path / "masks", SIZE, "lip")
    for plane, numbers in zip(maps, LIP.values(), strict=True):
        np.testing.assert_array_equal(plane, 255 * np.isin(labels, numbers))
    with pytest.raises(DataError, match=r"holds the value 5; allowed: 0 background, 1 head"):
        read_maps(image, tmp_path / "masks", SIZE)


@pytest.mark.parametrize("ending", [".npy", ".jpg.npy", ".npz"])
def test_arrays_of_labels_or_of_planes_say_the_same(image: Path, tmp_path: Path, ending: str) -> None:
    labels = np.random.default_rng(3).integers(0, 20, SIZE)
    for folder, array in (("labels", labels), ("planes", np.eye(20, dtype=np.float32)[labels].transpose(2, 0, 1))):
        (tmp_path / folder).mkdir()
        with (tmp_path / folder / f"{image.stem}{ending}").open("wb") as file:
            (np.savez if ending == ".npz" else np.save)(file, array)
    maps = read_maps(image, tmp_path / "labels", SIZE, "lip")
    np.testing.assert_array_equal(maps, read_maps(image, tmp_path / "planes", SIZE, "lip"))
    np.testing.assert_array_equal(maps, read_maps(image, tmp_path / "labels", SIZE, LIP))
    assert [int((plane > 0).sum()) for plane in maps] == [
        int(np.isin(labels, numbers).sum()) for numbers in LIP.values()
    ]


def test_planes_of_any_labels_are_summed_and_bounded(image: Path, tmp_path: Path) -> None:
    planes = np.random.default_rng(4).uniform(0, 1, (36, 6, 3))
    (tmp_path / "masks").mkdir()
    np.save(tmp_path / "masks" / f"{image.stem}.npy", planes)
    maps = read_maps(image, tmp_path / "masks", (6, 3), {"head": (0, 1), "lower": (35,)}) / 255
    head, lower = planes[:2].sum(axis=0), planes[35]
    np.testing.assert_allclose(maps[[0, 2]], np.stack([head, lower]) / np.maximum(head + lower, 1), atol=0.51 / 255)
    assert not maps[[1, 3]].any()


def test_arrays_that_are_no_maps_are_named(image: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    path = tmp_path / "masks" / f"{image.stem}.npy"
    for array, message in (
        (np.full(SIZE, 20), "holds the value 20; allowed: 0 to 19, the labels of LIP"),
        (np.full(SIZE, 1.5), "holds the value 1.5; allowed: 0 to 19"),
        (np.zeros((19, 4, 4)), "one plane a label (20, height, width)"),
        (np.array([{}]), "not a readable part map"),
    ):
        np.save(path, array)
        with pytest.raises(DataError, match=re.escape(message)):
            read_maps(image, tmp_path / "masks", SIZE, "lip")
    path.write_bytes(b"")
    with pytest.raises(DataError, match="not a readable part map"):
        read_maps(image, tmp_path / "masks", SIZE, "lip")
    _npz(tmp_path / "masks", image, maps=np.zeros(SIZE))
    with pytest.raises(DataError, match="is a part map of the same image too; keep one of them"):
        read_maps(image, tmp_path / "masks", SIZE, "lip")


SIDES = {"r": "right", "l": "left"}
_ARMS_AND_NECK = "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist"
_LEGS_AND_FACE = "r_hip r_knee r_ankle l_hip l_knee l_ankle r_eye l_eye r_ear l_ear"
_FEET = "l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel"
COCO_18 = f"{_ARMS_AND_NECK} {_LEGS_AND_FACE}".split()
BODY_25 = f"{_ARMS_AND_NECK} mid_hip {_LEGS_AND_FACE} {_FEET}".split()


def _detected(names: list[str] | tuple[str, ...]) -> list[float]:
    """A place and a confidence for each name, the same wherever the name stands."""
    places = {name: (index % 16, index + 1, 0.1 if name == "nose" else 0.9) for index, name in enumerate(KEYPOINTS)}
    sides = [re.sub("^[rl](?=_)", lambda side: SIDES[side[0]], name) for name in names]
    return [number for name in sides for number in places.get(name, (1, 1, 1.0))]


def _other() -> list[float]:
    return [3.0, 3.0, 0.5] * len(KEYPOINTS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("{stem}_keypoints.json", {"people": [{"pose_keypoints_2d": _detected(COCO_18)}]}),
        ("{stem}_keypoints.json", {"people": [{"pose_keypoints_2d": _detected(BODY_25)}]}),
        (
            "{name}.predictions.json",
            [{"keypoints": _other(), "score": 0.4}, {"keypoints": _detected(KEYPOINTS), "score": 0.6}],
        ),
        (
            "{name}_keypoints.json",
            [
                {"keypoints": _other(), "score": 0.9},
                {"keypoints": _detected(KEYPOINTS), "score": 0.1, "is_target": True},
            ],
        ),
        (None, [{"image_id": "{name}", "keypoints": _detected(KEYPOINTS), "score": 0.7}]),
        (
            None,
            {
                "images": [{"id": 7, "file_name": "query/{name}"}, {"id": 8, "file_name": "train/{name}"}],
                "annotations": [
                    {"image_id": 8, "keypoints": _other(), "score": 0.7},
                    {"image_id": 7, "keypoints": _detected(KEYPOINTS), "score": 0.7},
                ],
            },
        ),
    ],
    ids=["openpose-18", "openpose-25", "openpifpaf", "target", "results", "results-by-number"],
)
def test_keypoints_of_every_detector_are_coco_s(name: str | None, content, image: Path, tmp_path: Path) -> None:
    text = json.dumps(content).replace("{name}", image.name)
    place = tmp_path / ("all.json" if name is None else "keypoints")
    if name is not None:
        place.mkdir()
    (place / name.format(stem=image.stem, name=image.name) if name else place).write_text(text)
    expected = np.array(_detected(KEYPOINTS)).reshape(17, 3)
    expected[:, 2] = 2
    expected[0] = 0  # the nose's confidence is too low
    np.testing.assert_allclose(read_keypoints(image, place, SIZE), expected, atol=1e-6)
    assert read_keypoints(image, place, SIZE, confidence=0.05)[0, 2] == 2


def test_an_annotated_file_of_all_images_keeps_coco_s_visibility(image: Path, tmp_path: Path) -> None:
    numbers = [1, 2, 1] + [3, 4, 2] * 16
    content = {
        "images": [{"id": 1, "file_name": image.name}],
        "annotations": [{"image_id": 1, "category_id": 1, "keypoints": numbers}],
    }
    (tmp_path / "all.json").write_text(json.dumps(content))
    assert read_keypoints(image, tmp_path / "all.json", SIZE)[:2].tolist() == [[1, 2, 1], [3, 4, 2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"image_id": 5, "keypoints": [0] * 51, "score": 1}], "image_id 5"),
        ([{"image_id": "another.jpg", "keypoints": [0] * 51, "score": 1}], "its images are named such as another.jpg"),
        ({"info": {}}, "expected COCO's `images` and `annotations`, or a list of results"),
        ([], "expected COCO's `images` and `annotations`, or a list of results"),
        ([{"image_id": "0002_c1s1_000451_03.jpg", "keypoints": [1, 1, 0.5] * 17}], "needs the `score` of its person"),
        ([{"image_id": "0002_c1s1_000451_03.jpg", "keypoints": [1, 1, -1] * 17, "score": 1}], "negative or no number"),
        ([{"image_id": "0002_c1s1_000451_03.jpg", "keypoints": [1] * 42, "score": 1}], "OpenPose's 54 or 75"),
    ],
)
def test_a_wrong_file_of_all_keypoints_is_named(content, message: str, image: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=re.escape(message)) as error:
        read_keypoints(image, path, SIZE)
    assert str(path) in str(error.value)


def _mat(path: Path, order: list[list[str]], values: list[dict[str, list[int]]], identities: list[list[str]]) -> Path:
    parts = {
        part: {**{name: np.array(columns[name], np.uint8) for name in names}, "image_index": np.array(people, object)}
        for part, names, columns, people in zip(("train", "test"), order, values, identities, strict=True)
    }
    savemat(path, {path.stem: parts})
    return path


def test_market_s_attributes_are_read_by_name_and_counted_from_0(tmp_path: Path) -> None:
    """Values count from 1 in the file, and its fields stand in another order for the test people."""
    names, rng = list(ATTRIBUTES), np.random.default_rng(0)
    people = [["0002", "0007", "0010"], ["0001", "0003"]]
    columns = [
        {name: rng.integers(1, count + 1, len(part)).tolist() for name, count in ATTRIBUTES.items()} for part in people
    ]
    path = _mat(tmp_path / "market_attribute.mat", [names, names[::-1]], columns, people)
    table = read_attributes(path)
    for part, people_of, values in zip(("train", "test"), people, columns, strict=True):
        for row, identity in enumerate(people_of):
            assert [int(table.loc[int(identity), name]) for name in names] == [
                values[name][row] - 1 for name in names
            ], part


def test_duke_s_attributes_are_read_beside_those_of_market(tmp_path: Path) -> None:
    colours = [*(f"up{name}" for name in ["black", "white", "red", "purple", "gray", "blue", "green", "brown"])]
    colours += [f"down{name}" for name in ["black", "white", "red", "gray", "blue", "green", "brown"]]
    names = ["backpack", "bag", "handbag", "boots", "gender", "hat", "shoes", "top", *colours]
    columns = [{name: [2, 1] for name in names} | {"top": [0, 1]}, {name: [1] for name in names}]
    path = _mat(tmp_path / "duke_attribute.mat", [names, names], columns, [["0001", "0005"], ["0009"]])
    table = read_attributes(path)
    assert table.loc[1, "backpack"] == 1
    assert table.loc[5, "upblack"] == 0
    assert (table[["hair", "age", "up", "upyellow", "downpink"]] == -1).all(axis=None)
    own = table[["top", "boots", "shoes", "upbrown", "downred"]]
    assert own.loc[[1, 5]].to_numpy().tolist() == [[-1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]
    found = attributes_of(np.array([5, 1]), path, np.array([1, 5, 9]))
    assert found.shape == (2, 32)
    assert {name for name, values in zip(ALL_ATTRIBUTES, found.T, strict=True) if (values >= 0).any()} == set(names)


def test_a_table_has_all_attributes_of_one_set(tmp_path: Path) -> None:
    table = pd.DataFrame({"identity": [3], **dict.fromkeys(DUKE_ATTRIBUTES, 1)})
    table.to_csv(tmp_path / "duke.csv", index=False)
    read = read_attributes(tmp_path / "duke.csv").loc[3]
    assert {name for name in ALL_ATTRIBUTES if read[name] == 1} == set(DUKE_ATTRIBUTES)
    assert {name for name in ALL_ATTRIBUTES if read[name] == -1} == set(ALL_ATTRIBUTES) - set(DUKE_ATTRIBUTES)
    table.drop(columns="boots").to_csv(tmp_path / "duke.csv", index=False)
    with pytest.raises(DataError, match="column 'boots' is missing; expected identity, gender, top, boots"):
        read_attributes(tmp_path / "duke.csv")


@pytest.mark.parametrize("content", [{"a": np.zeros(3)}, {"a": {"train": {}}}, {"a": 1, "b": 2}])
def test_a_mat_file_without_attributes_is_named(content, tmp_path: Path) -> None:
    savemat(tmp_path / "other.mat", content)
    with pytest.raises(DataError, match=re.escape("expected market_attribute.mat or duke_attribute.mat")):
        read_attributes(tmp_path / "other.mat")
    (tmp_path / "other.mat").write_text("<html>")
    with pytest.raises(DataError, match=re.escape("expected market_attribute.mat or duke_attribute.mat")):
        read_attributes(tmp_path / "other.mat")


def test_a_side_car_is_of_the_image_as_it_stands_upright(tmp_path: Path) -> None:
    """A camera held upright stores a lying image of 32 by 16 and says how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = tmp_path / "0002_c1s1_000451_03.jpg"
    Image.new("RGB", (32, 16)).save(image, exif=exif)
    labels = np.zeros((32, 16), np.uint8)
    labels[:8] = 1
    _png(tmp_path / "maps", image, labels)
    assert (read_maps(image, tmp_path / "maps", (32, 16))[0] == 255 * (labels == 1)).all()
    _png(tmp_path / "lying", image, labels.T)
    with pytest.raises(DataError, match="the size of its image, 32×16"):
        read_maps(image, tmp_path / "lying", (32, 16))


def _two_of_one_name(tmp_path: Path) -> ReidDataset:
    """Return a manifest of two people, each with images `0.png` and `1.png` in a folder of its own for each camera."""
    lines = ["path,identity,camera,split"]
    for identity, split in (("x", "train"), ("y", "query"), ("y", "gallery")):
        for camera in (1, 2):
            name = f"{identity}/{split}{camera}/a.png"
            write_image(tmp_path / name, len(lines), SIZE)
            lines.append(f"{name},{identity},{camera},{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return _loaded(tmp_path)


def _loaded(root: Path) -> ReidDataset:
    return load_dataset(DATASETS.validate({"name": "manifest", "root": str(root)}))


def test_a_map_that_would_serve_two_images_is_refused_and_one_of_the_same_image_is_not(tmp_path: Path) -> None:
    dataset = _two_of_one_name(tmp_path)
    one = _png(tmp_path / "masks", Path("a.png"), np.ones(SIZE))
    dataset = _loaded(tmp_path)
    first, second = tmp_path / "x/train1/a.png", tmp_path / "x/train2/a.png"
    message = f"{one}: holds the maps of {first} and of {second}, which are two images"
    with pytest.raises(DataError, match=re.escape(message)):
        open_images(dataset, (8, 4), tmp_path / "cache", {"train": ["maps"]})
    assert any(message in problem for problem in side_car_problems(dataset))
    for path in pd.concat(dataset.tables)["path"]:
        Path(path).write_bytes(first.read_bytes())
    maps = open_images(_loaded(tmp_path), (8, 4), tmp_path / "cache", {"train": ["maps"]})["train"].maps
    assert maps is not None
    assert (maps[:, 0] == 255).all()


def test_names_in_a_file_of_all_keypoints_are_as_long_as_it_takes_to_tell_images_apart(tmp_path: Path) -> None:
    image = tmp_path / "x/cam1/a.png"
    write_image(image, 0, SIZE)
    people = [
        {"image_id": f"{folder}/cam1/a.png", "keypoints": [x, 1, 0.9] * 17, "score": score}
        for folder, x, score in (("x", 1, 0.2), ("y", 9, 0.8))
    ]
    place = tmp_path / "all.json"
    place.write_text(json.dumps(people))
    assert read_keypoints(image, place, SIZE)[0].tolist() == [1, 1, 2]
    with pytest.raises(DataError, match=re.escape("z/a.png may be x/cam1/a.png or y/cam1/a.png")):
        read_keypoints(tmp_path / "z/a.png", place, SIZE)


def test_keypoints_that_were_edited_without_a_new_time_are_read_again(image: Path, tmp_path: Path) -> None:
    place = tmp_path / "all.json"
    person = {"image_id": image.name, "keypoints": [3, 4, 0.9] * 17, "score": 1}
    place.write_text(json.dumps([person]))
    status = place.stat()
    assert read_keypoints(image, place, SIZE)[0].tolist() == [3, 4, 2]
    place.write_text(json.dumps([{**person, "keypoints": [5, 4, 0.9] * 17}]))
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read_keypoints(image, place, SIZE)[0].tolist() == [5, 4, 2]


@pytest.mark.parametrize(
    "content",
    [
        {"images": [{"id": [1], "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "keypoints": []}]},
        [{"image_id": [1], "keypoints": []}],
        {"images": 5, "annotations": [{"image_id": 1, "keypoints": []}]},
    ],
)
def test_a_file_of_all_keypoints_with_odd_ids_is_named(content: object, image: Path, tmp_path: Path) -> None:
    place = tmp_path / "all.json"
    place.write_text(json.dumps(content))
    with pytest.raises(DataError, match=re.escape(f"{place}: not COCO's form")):
        read_keypoints(image, place, SIZE)


def test_a_coordinate_beyond_every_float_is_named(image: Path, tmp_path: Path) -> None:
    path = _keypoints(tmp_path, image, {"keypoints": [10**400, *[1] * 50]})
    with pytest.raises(DataError, match=re.escape(f"{path}: holds a number beyond all use; expected `keypoints`")):
        read_keypoints(image, tmp_path, SIZE)


def _damaged(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + 8] = b"\xff" * 8
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", ["cut", "a wrong sum", "a record", "nothing in it"])
def test_a_damaged_array_of_maps_is_named(damage: str, image: Path, tmp_path: Path) -> None:
    if damage in ("cut", "a wrong sum"):
        path = _npz(tmp_path / "masks", image, maps=np.ones(SIZE, np.uint8))
        path.write_bytes(path.read_bytes()[:100]) if damage == "cut" else _damaged(path, 300)
    else:
        path = tmp_path / "masks" / f"{image.stem}.npy"
        path.parent.mkdir()
        np.save(path, np.zeros(SIZE, [("x", "i4")]) if damage == "a record" else np.zeros((5, 0, 3)))
    with pytest.raises(DataError, match=re.escape(str(path))):
        read_maps(image, tmp_path / "masks", SIZE)


@pytest.mark.parametrize("identity", ["a", "1.5", "", "9" * 30, "1_0", "nan"])
def test_an_identity_of_attributes_that_is_no_number_is_named(identity: str, tmp_path: Path) -> None:
    path = tmp_path / "attributes.csv"
    rows = [[name, *["1"] * len(ATTRIBUTES)] for name in (identity, "2")]
    path.write_text("\n".join(",".join(row) for row in [["identity", *ATTRIBUTES], *rows]) + "\n")
    with pytest.raises(DataError, match=re.escape(f"{path}:2: identity: expected the number")):
        read_attributes(path)


@pytest.mark.parametrize("value", [1.5, np.inf, np.nan, "a", 1 + 2j, np.array([1, 2])])
def test_a_value_of_attributes_that_is_no_whole_number_is_named(value: object, tmp_path: Path) -> None:
    part = {name: np.ones(2) for name in ATTRIBUTES} | {"image_index": np.array(["0001", "0002"], object)}
    part["gender"] = np.array([[value], [1.0]], object) if isinstance(value, str | np.ndarray) else np.full(2, value)
    savemat(tmp_path / "m.mat", {"market_attribute": {"train": part, "test": part}})
    with pytest.raises(DataError, match=r"m\.mat: not a table of attributes"):
        read_attributes(tmp_path / "m.mat")


@pytest.mark.parametrize("at", [140, 200, 300])
def test_a_damaged_mat_file_is_named(at: int, tmp_path: Path) -> None:
    part = {name: np.arange(1.0, 3) for name in ATTRIBUTES} | {"image_index": np.array(["0001", "0002"], object)}
    path = tmp_path / "m.mat"
    savemat(path, {"market_attribute": {"train": part, "test": part}}, do_compression=True)
    _damaged(path, at)
    with pytest.raises(DataError, match=re.escape(f"{path}: not a table of attributes")):
        read_attributes(path)


SPREID = {"architecture": "spreid", "backbone": "resnet10_thin"}


def _checked(market: Path, **over: object) -> None:
    data = {"name": "market1501", "root": str(market), "holdout": 0.0}
    batch = {"ids": 4, "per_id": 4}
    config = TrialConfig.model_validate({"data": data, "model": SPREID, "training": {"batch": batch}, **over})
    Fingerprints().check(config)


def _trained(market: Path) -> list[Path]:
    return [market / "masks" / f"{image.stem}.png" for image in sorted((market / "bounding_box_train").iterdir())]


def test_what_a_trial_needs_is_read_before_it_trains_and_counted(market: Path) -> None:
    _accompany(market)
    _checked(market)
    images = len(list(market.glob("*/*.jpg")))
    first, second, *_ = _trained(market)
    first.unlink()
    _png(market / "masks", second, np.zeros((3, 2)))
    with pytest.raises(
        DataAbsent, match=rf"{first.stem}.*no such file; .*; 2 of {images} images lack maps, or have wro"
    ):
        _checked(market)
    _checked(market, model=SPREID | {"maps": "learnt"}, losses={"parsing": {"on": []}})  # none is needed


def test_maps_that_were_sound_are_read_again_once_they_or_their_images_change(market: Path) -> None:
    _accompany(market)
    _checked(market)
    image = next(iter(sorted((market / "query").iterdir())))
    write_image(image, 5, (20, 10))
    with pytest.raises(DataError, match=rf"{image.stem}\.png: 16×8; a part map has one channel .* 20×10; 1 of"):
        _checked(market)
    _png(market / "masks", image, np.full((20, 10), 2))
    _checked(market)
    _png(market / "masks", image, np.full((20, 10), 9))
    with pytest.raises(DataError, match=rf"{image.stem}\.png: holds the value 9; allowed: 0 background"):
        _checked(market)


def test_maps_that_only_training_needs_are_asked_of_training_alone(market: Path) -> None:
    _accompany(market)
    for image in market.glob("query/*.jpg"):
        (market / f"masks/{image.stem}.png").unlink()
    learnt = SPREID | {"maps": "learnt"}
    _checked(market, model=learnt)
    _trained(market)[0].unlink()
    images = len(_trained(market))
    with pytest.raises(DataError, match=f"1 of {images} images lack maps"):
        _checked(market, model=learnt)
