"""Readers of published data sets: true names where they are public, folders by their rules elsewhere."""

import lzma
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from h5py import File, special_dtype
from PIL import Image
from scipy.io import loadmat, savemat

from reid_search.data.folder import near_miss, sniffed
from reid_search.data.listing import Listing
from reid_search.data.ltcc.config import RULES
from reid_search.data.occluded_duke.config import ABOUT as OCCLUDED_DUKE
from reid_search.errors import DataError, ReidSearchError
from reid_search.study import DATASETS

_MOST_LINKS = 50_000  # to one file
NAMES = Path(__file__).with_name("names")
MARKET_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
Fill = Callable[[Path, Iterable[str]], None]


@pytest.fixture(scope="module")
def fill(tmp_path_factory: pytest.TempPathFactory) -> Fill:
    """Fills a folder with files of these names, which are all the same small image."""
    images, made = tmp_path_factory.mktemp("images"), count()

    def write(folder: Path, names: Iterable[str]) -> None:
        for name, number in zip(names, made, strict=False):
            image = images / f"{number // _MOST_LINKS}.jpg"
            if not image.exists():
                Image.new("RGB", (2, 4)).save(image)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(image, folder / name)

    return write


def _true(name: str) -> list[str]:
    return lzma.decompress((NAMES / f"{name}.txt.xz").read_bytes()).decode().split()


def _read(name: str, root: Path, **settings: object) -> Listing:
    config = DATASETS.config_class(name).model_validate({"name": name, "root": root, **settings})
    return config.listing()


def _counts(listing: Listing) -> dict[str, tuple[int, int]]:
    return {part: tuple(listing.counts(part)) for part in ("train", "query", "gallery")}


def _part(root: Path, part: str) -> Path:
    return root / MARKET_FOLDERS[part]


@pytest.fixture(scope="module")
def duke(fill: Fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true file names of DukeMTMC-reID."""
    root = tmp_path_factory.mktemp("duke")
    for part in MARKET_FOLDERS:
        fill(_part(root, part), _true(f"dukemtmc_{part}"))
    return root


def test_duke_has_its_published_counts_and_says_that_it_was_withdrawn(duke: Path) -> None:
    listing = _read("dukemtmc", duke)
    assert _counts(listing) == {"train": (16_522, 702), "query": (2_228, 702), "gallery": (17_661, 1_110)}
    assert listing.deviations() == []
    assert {image.camera for image in listing.images} == set(range(1, 9))
    assert "withdrawn" in listing.about.status


def test_occluded_duke_is_read_from_duke_through_its_lists(duke: Path, tmp_path: Path) -> None:
    train, query, gallery = (_true(f"dukemtmc_{part}") for part in MARKET_FOLDERS)
    chosen = {"train": train[:400], "query": [*query[:20], *gallery[:60]], "gallery": gallery}
    for part, names in chosen.items():
        (tmp_path / f"{part}.list").write_text("\n".join(names))
    listing = _read("occluded_duke", duke, lists=tmp_path)
    assert {part: len(listing.of(part)) for part in chosen} == {part: len(names) for part, names in chosen.items()}
    assert len({image.path for image in listing.of("query")} & {image.path for image in listing.of("gallery")}) == 60
    assert any("Occluded-Duke, train: 400 images" in text for text in listing.deviations())
    (tmp_path / "query.list").write_text("0002_c1_f9999999.jpg")
    with pytest.raises(
        DataError, match=r"query\.list: 0002_c1_f9999999\.jpg is not in .* expected DukeMTMC-reID there"
    ):
        _read("occluded_duke", duke, lists=tmp_path)


def test_duke_and_occluded_duke_read_as_each_other_say_so(duke: Path) -> None:
    whole = _read("occluded_duke", duke)
    assert "Occluded-Duke: it has the counts of dukemtmc; is it that? Then write name: dukemtmc" in whole.deviations()
    assert not [text for text in _read("dukemtmc", duke).deviations() if "counts of" in text]
    listing = _read("dukemtmc", duke)
    assert listing.about.alike == {"name: occluded_duke": OCCLUDED_DUKE.published}
    cut = [image for image in listing.images if image.part != "train"]
    listing.images = [*listing.of("train")[:-904], *cut]  # as Occluded-Duke, whose queries are Duke's here
    listing.about = replace(listing.about, alike={"name: other": {"train": listing.counts("train")}}, published={})
    assert "DukeMTMC-reID: it has the counts of other; is it that? Then write name: other" in listing.deviations()


def test_a_folder_of_occluded_duke_s_numbers_is_occluded_duke(fill: Fill, tmp_path: Path) -> None:
    """Some images of each part are missing, so that all counts of both data sets deviate."""
    chosen = {part: _true(f"dukemtmc_{part}") for part in MARKET_FOLDERS}
    for part, lacking in (("train", 910), ("query", 25), ("gallery", 2)):
        fill(_part(tmp_path, part), chosen[part][lacking:])
    assert [item.name for item in sniffed(tmp_path)] == ["occluded_duke", "dukemtmc"]
    shutil.rmtree(_part(tmp_path, "query"))
    assert near_miss(tmp_path).startswith("it is most like occluded_duke: query missing; found bounding_box_test, ")


@pytest.fixture(scope="module")
def cuhk03(fill: Fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true names of CUHK03's detected boxes, with the file of the new protocol."""
    root = tmp_path_factory.mktemp("cuhk03")
    shutil.copy(NAMES / "cuhk03_new_protocol_config_detected.mat", root)
    content = loadmat(root / "cuhk03_new_protocol_config_detected.mat")
    fill(root / "images_detected", [str(row[0][0]) for row in content["filelist"]])
    return root


def test_cuhk03_s_new_protocol_is_read_from_its_own_file(cuhk03: Path, fill: Fill) -> None:
    listing = _read("cuhk03", cuhk03)
    assert _counts(listing) == {"train": (7_365, 767), "query": (1_400, 700), "gallery": (5_332, 700)}
    assert listing.deviations() == []
    assert all(image.name.rpartition("/")[2].split("_")[2] == str(image.camera) for image in listing.images)
    pairs = {(image.identity, image.camera) for image in listing.of("query")}
    assert len(pairs) == 1_400, "each test identity has one query in each view"


def test_cuhk03_s_people_are_a_pair_of_cameras_and_a_number(cuhk03: Path) -> None:
    who: dict[int, set[str]] = {}
    for image in _read("cuhk03", cuhk03).images:
        who.setdefault(image.identity, set()).add(image.name.rpartition("/")[2][:5])
    assert {len(people) for people in who.values()} == {1}


def _classic(release: Path, tested: list[list[tuple[int, int]]]) -> None:
    with File(release, "w") as content:
        cells = content.create_dataset("testsets", (1, len(tested)), dtype=special_dtype(ref=type(content.ref)))
        for index, pairs in enumerate(tested):
            cells[0, index] = content.create_dataset(f"split{index}", data=np.array(pairs, float).T).ref


def test_cuhk03_s_classic_protocol_tests_the_people_of_a_split(cuhk03: Path) -> None:
    rng = np.random.default_rng(0)
    people = sorted({path.name[:5] for path in (cuhk03 / "images_detected").iterdir()})
    drawn = [rng.choice(len(people), 100, replace=False) for _ in range(20)]
    tested = [[(int(people[place][0]), int(people[place][2:])) for place in places] for places in drawn]
    _classic(cuhk03 / "cuhk-03.mat", tested)
    for split in (0, 19):
        listing = _read("cuhk03", cuhk03, protocol="classic", split=split)
        assert listing.counts("query") == listing.counts("gallery")
        assert (listing.counts("query").identities, listing.counts("train").identities) == (100, len(people) - 100)
        there = {tuple(map(int, image.name.rpartition("/")[2].split("_")[:2])) for image in listing.of("query")}
        assert there == set(tested[split])
        assert listing.deviations() == []  # 1,367 and 100 people, and the images that the new protocol has too
    _classic(cuhk03 / "cuhk-03.mat", [pairs[:99] for pairs in tested])
    assert _read("cuhk03", cuhk03, protocol="classic").deviations() == [
        "CUHK03 (detected, classic split 0), train: 1,368 identities, where 1,367 are published (1 more)",
        "CUHK03 (detected, classic split 0), query: 99 identities, where 100 are published (1 fewer)",
        "CUHK03 (detected, classic split 0), gallery: 99 identities, where 100 are published (1 fewer)",
    ]
    (cuhk03 / "images_labeled").symlink_to("images_detected")
    [whole] = _read("cuhk03", cuhk03, protocol="classic", boxes="labelled", split=1).deviations()[3:]
    (cuhk03 / "images_labeled").unlink()
    (cuhk03 / "cuhk-03.mat").unlink()
    assert whole.endswith("train and test: 14,097 images, where 14,096 are published (1 more)")
    rule = DATASETS.config_class("cuhk03").model_validate({"name": "cuhk03", "protocol": "classic"}).rule
    assert (rule.left_out, rule.single_shot.draws) == (("same camera",), 100)


def test_cuhk03_s_folders_are_read_too(fill: Fill, tmp_path: Path) -> None:
    for part, names in {
        "train": ["0001_c1_1.png", "0001_c2_2.png", "0004_c1_3.png"],
        "query": ["0002_c1_22.png"],
        "gallery": ["0002_c2_25.png", "0003_c1_27.jpg"],
    }.items():
        fill(tmp_path / "labeled" / MARKET_FOLDERS[part], names)
    assert _counts(_read("cuhk03", tmp_path, boxes="labelled")) == {"train": (3, 2), "query": (1, 1), "gallery": (2, 2)}


def _in_folders(fill: Fill, root: Path, images: dict[str, int], people: dict[str, int]) -> None:
    """Fill the folders of CUHK03's new protocol with so many images of so many people."""
    for number, (part, folder) in enumerate(MARKET_FOLDERS.items()):
        who = (1 + 767 * (part != "train") + shot % people[part] for shot in range(images[part]))
        fill(root / folder, (f"{person:04}_c{1 + number % 2}_{shot}.png" for shot, person in enumerate(who)))


@pytest.mark.parametrize("boxes", ["detected", "labelled"])
def test_cuhk03_s_folders_of_the_other_boxes_are_known_by_their_counts_and_their_name(
    fill: Fill, tmp_path: Path, boxes: str
) -> None:
    images = {"train": 7_365, "query": 1_400, "gallery": 5_332}
    if boxes == "labelled":
        images = {"train": 7_368, "query": 1_400, "gallery": 5_328}
    people = {"train": 767, "query": 700, "gallery": 700}
    other = {"detected": "labelled", "labelled": "detected"}[boxes]
    _in_folders(fill, tmp_path / "mine", images, people)
    assert _read("cuhk03", tmp_path / "mine", boxes=boxes).deviations() == []
    title = f"CUHK03 ({other}, new protocol)"
    told = _read("cuhk03", tmp_path / "mine", boxes=other).deviations()
    assert told[0] == f"{title}: it has the counts of {boxes}; is it that? Then write boxes: {boxes}"
    (_part(tmp_path / "mine", "train") / "0001_c1_0.png").unlink()
    assert _read("cuhk03", tmp_path / "mine", boxes=other).deviations()[0] == told[0]
    name = {"detected": "detected", "labelled": "labeled"}[boxes]
    _in_folders(fill, tmp_path / name, dict.fromkeys(images, 4), dict.fromkeys(images, 2))
    told = _read("cuhk03", tmp_path / name, boxes=other).deviations()
    assert told[-1] == f"{title}: its folder is called {name}; is it that? Then write boxes: {boxes}"
    assert not [said for said in _read("cuhk03", tmp_path / name, boxes=boxes).deviations() if "is it that" in said]


def test_images_in_folders_within_a_part_are_counted(fill: Fill, tmp_path: Path) -> None:
    for folder in MARKET_FOLDERS.values():
        fill(tmp_path / folder, ["0002_c1s1_000451_03.jpg"])
    fill(tmp_path / "query" / "more", ["0007_c1s1_000000_01.jpg"])
    listing = _read("market1501", tmp_path)
    assert listing.unused == {"images in folders within a part": ["query/more/0007_c1s1_000000_01.jpg"]}


def test_duke_is_read_by_market_s_names_where_all_of_them_are_and_market_is_then_the_likelier(
    fill: Fill, tmp_path: Path
) -> None:
    for folder in MARKET_FOLDERS.values():
        fill(tmp_path / folder, ["0002_c1s1_000451_03.jpg", "0007_c2s1_000451_03.jpg"])
    assert _read("dukemtmc", tmp_path).deviations()[0] == "DukeMTMC-reID: its files have the names of a converted copy"
    assert sniffed(tmp_path)[0].name == "market1501"
    fill(tmp_path / "query", ["0002_c1_f0044158.jpg"])
    with pytest.raises(DataError, match="names of two forms in one folder; is another data set mixed in"):
        _read("dukemtmc", tmp_path)
    assert sniffed(tmp_path) == []


def test_a_folder_that_is_cuhk03_with_other_boxes_or_splits_alone_is_known_as_that(
    cuhk03: Path, fill: Fill, tmp_path: Path
) -> None:
    labelled, classic = tmp_path / "labelled", tmp_path / "classic"
    for part, names in {
        "train": ["0001_c1_1.png", "0001_c2_6.png", "0002_c1_1.png"],
        "query": ["0003_c1_1.png"],
        "gallery": ["0003_c2_1.png", "0004_c1_2.png"],
    }.items():
        fill(labelled / "labeled" / MARKET_FOLDERS[part], names)
    classic.mkdir()
    (classic / "images_labeled").symlink_to(cuhk03 / "images_detected")
    people = sorted({path.name[:5] for path in (cuhk03 / "images_detected").iterdir()})
    pairs = [(int(name[0]), int(name[2:])) for name in people[:100]]
    _classic(classic / "cuhk-03.mat", [pairs for _ in range(20)])
    boxes = "data: {name: cuhk03, boxes: labelled, "
    assert [item.written for item in sniffed(labelled)] == [f"{boxes}root: {labelled}}}"]
    assert sniffed(classic)[0].written == f"{boxes}protocol: classic, root: {classic}}}"
    assert sniffed(cuhk03)[0].written == f"data: {{name: cuhk03, root: {cuhk03}}}"
    with pytest.raises(DataError, match=r"looks like cuhk03: write data: \{name: cuhk03, boxes: labelled, root"):
        DATASETS.validate({"name": "cuhk03", "root": labelled}).listing()  # type: ignore[attr-defined]


def test_the_file_of_another_protocol_is_named(cuhk03: Path, tmp_path: Path) -> None:
    (tmp_path / "images_labeled").mkdir()
    savemat(tmp_path / "cuhk03_new_protocol_config_labeled.mat", {"market_attribute": {"train": 1}})
    with pytest.raises(DataError, match=r"labeled\.mat: not the new protocol of CUHK03: it lacks filelist; expected"):
        _read("cuhk03", tmp_path, boxes="labelled")
    shutil.copy(NAMES / "cuhk03_new_protocol_config_detected.mat", tmp_path / "cuhk03_new_protocol_config_labeled.mat")
    with pytest.raises(
        DataError, match=r"config_labeled\.mat: by its counts the protocol of detected boxes; .*boxes=detected"
    ):
        _read("cuhk03", tmp_path, boxes="labelled")
    (tmp_path / "images_detected").mkdir()
    with pytest.raises(DataError, match=r"cuhk-03\.mat: no such file"):
        _read("cuhk03", tmp_path, protocol="classic")


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file, and nothing more" + b" " * 200])
def test_a_wrong_file_beside_a_good_protocol_of_cuhk03_is_named_in_our_words(
    cuhk03: Path, tmp_path: Path, content: bytes
) -> None:
    for name in ("images_detected", "cuhk03_new_protocol_config_detected.mat"):
        (tmp_path / name).symlink_to(cuhk03 / name)
    assert _read("cuhk03", tmp_path).facts().notes == _read("cuhk03", cuhk03).facts().notes
    for name, expected in (("cuhk03_new_protocol_config_labeled.mat", "filelist"), ("cuhk-03.mat", "HDF5")):
        (tmp_path / name).write_bytes(content)
        notes = "\n".join(_read("cuhk03", tmp_path).facts().notes)
        assert re.search(rf"wrong file: {tmp_path / name}: not .*{expected}", notes)
        assert not re.search(r"Error|Exception|Errno|\[|mat_stream", notes)


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("train_idx", [0, 1], "train_idx holds 0 to 1; allowed: 1 to 14097"),
        ("train_idx", [1, 14_098], "train_idx holds 1 to 14098; allowed"),
        ("query_idx", [1.5], "1.5 is no whole number"),
        ("gallery_idx", [7, 8, 7], "gallery_idx holds a number twice"),
        ("labels", [np.inf], "expected whole numbers"),
    ],
)
def test_a_protocol_with_impossible_numbers_is_named(
    cuhk03: Path, tmp_path: Path, field: str, values: list[float], said: str
) -> None:
    (tmp_path / "images_detected").symlink_to(cuhk03 / "images_detected")
    name = "cuhk03_new_protocol_config_detected.mat"
    content = {key: value for key, value in loadmat(cuhk03 / name).items() if not key.startswith("__")}
    savemat(tmp_path / name, {**content, field: np.array(values)[:, None]})
    with pytest.raises(DataError, match=re.escape(f"{name}: not the new protocol of CUHK03") + ".*" + re.escape(said)):
        _read("cuhk03", tmp_path)


def _msmt(root: Path, fill: Fill, train: str = "train", test: str = "test") -> dict[str, list[str]]:
    """A folder by the rules of MSMT17: training and test people both count from 0."""
    names = {
        "train": ["0000/0000_000_01_0303morning_0015_0.jpg", "0001/0001_003_14_0113noon_0300_1_ex.jpg"],
        "val": ["0000/0000_009_02_0303afternoon_0015_0.jpg"],
        "query": ["0000/0000_000_03_0303morning_0033_1.jpg"],
        "gallery": ["0000/0000_001_05_0303morning_0037_0.jpg", "0002/0002_001_15_0303noon_0037_2_ex.jpg"],
    }
    for part, listed in names.items():
        fill(root / (train if part in ("train", "val") else test), listed)
        lines = [f"{name} {int(name[:4])}" for name in listed]
        (root / f"list_{part}.txt").write_text("\n".join(lines) + "\n")
    return names


@pytest.mark.parametrize(
    ("folders", "version", "mixed"),
    [
        (("train", "test"), "V1 (faces as they were filmed)", ""),
        (("mask_train_v2", "mask_test_v2"), "V2 (blurred faces)", ""),
        (
            ("mask_train_v2", "test"),
            "V1 (faces as they were filmed) and V2 (blurred faces)",
            "MSMT17: mask_train_v2 is of V2 and test is of V1; a number is comparable only where both are of one",
        ),
    ],
)
def test_msmt17_is_read_from_its_lists(
    fill: Fill, tmp_path: Path, folders: tuple[str, str], version: str, mixed: str
) -> None:
    _msmt(tmp_path, fill, *folders)
    notes = _read("msmt17", tmp_path).facts().notes
    assert notes[0] == f"MSMT17 {version}"
    assert [note for note in notes if "comparable" in note] == [f"{mixed} version"] * bool(mixed)
    fill(tmp_path / folders[1], ["0002/0002_005_01_0303noon_0037_2.jpg"])
    listing = _read("msmt17", tmp_path)
    assert _counts(listing) == {"train": (3, 2), "query": (1, 1), "gallery": (2, 2)}
    assert min(image.identity for image in listing.images) == 1
    assert sorted(image.camera for image in listing.images) == [1, 2, 3, 5, 14, 15]
    assert not listing.about.one_numbering
    assert {reason: len(names) for reason, names in listing.unused.items()} == {"images that no list names": 1}
    shorter = _read("msmt17", tmp_path, training="train")
    assert shorter.counts("train") == (2, 2)
    assert {reason: len(names) for reason, names in shorter.unused.items()} == {
        "images that no list names": 1,
        "validation images": 1,
    }
    assert shorter.about.published["train"] == (30_248, 1_041)
    assert listing.fingerprint() != shorter.fingerprint()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0000/0000_000_01_0303morning_0015_0.jpg", "is not of the form of MSMT17"),
        ("0000/0000_000_01_0303morning_0015_0.jpg 1", "is not of the form of MSMT17"),
        ("../0000/0001_000_01_0303morning_0015_0.jpg 0", "is not of the form of MSMT17"),
        ("0000/0000_777_01_0303morning_0015_0.jpg 0", "no such file"),
    ],
)
def test_a_wrong_line_of_a_list_is_named(fill: Fill, tmp_path: Path, line: str, message: str) -> None:
    _msmt(tmp_path, fill)
    (tmp_path / "list_train.txt").write_text(f"{line}\n")
    with pytest.raises(DataError, match=message):
        _read("msmt17", tmp_path).fingerprint()


def test_veri_ltcc_and_their_rules(fill: Fill, tmp_path: Path) -> None:
    for folder, names in {
        "image_train": ["0001_c001_00016450_0.jpg", "0001_c002_00016450_1.jpg"],
        "image_query": ["0002_c002_00030600_0.jpg"],
        "image_test": ["0002_c020_00030600_0.jpg", "0002_c002_00030605_0.jpg"],
    }.items():
        fill(tmp_path / "veri" / folder, names)
    assert [image.camera for image in _read("veri776", tmp_path / "veri").of("gallery")] == [2, 20]
    for folder, names in {
        "train": ["000_1_c1_000001.png", "000_2_c2_000002.png"],
        "query": ["094_1_c9_015833.png"],
        "test": ["094_1_c8_015835.png", "094_2_c9_015836.png", "094_2_c3_015837.png"],
    }.items():
        fill(tmp_path / "ltcc" / folder, names)
    listing = _read("ltcc", tmp_path / "ltcc")
    assert _counts(listing) == {"train": (2, 1), "query": (1, 1), "gallery": (3, 1)}
    assert [dict(image.more)["clothes"] for image in listing.of("gallery")] == ["1", "2", "2"]
    config = DATASETS.config_class("ltcc")
    rules = {name: config.model_validate({"name": "ltcc", "protocol": name}).rule.left_out for name in RULES}
    assert rules == {
        "clothes_changing": ("same clothes", "same camera"),
        "same_clothes": ("other clothes", "same camera"),
        "standard": ("same camera",),
    }


def test_prcc_looks_for_one_camera_s_people_in_another_s(fill: Fill, tmp_path: Path) -> None:
    rgb = tmp_path / "prcc" / "rgb"
    fill(rgb / "train" / "001", ["A_cropped_rgb001.jpg", "B_cropped_rgb002.jpg", "C_cropped_rgb003.jpg"])
    fill(rgb / "val" / "001", ["A_cropped_rgb004.jpg"])
    for camera in "ABC":
        fill(rgb / "test" / camera, [f"{person}/cropped_rgb{n}.jpg" for person in ("008", "009") for n in range(2)])
    listing = _read("prcc", tmp_path / "prcc")
    assert _counts(listing) == {"train": (3, 1), "query": (4, 2), "gallery": (4, 2)}
    assert {image.camera for image in listing.of("query")} == {3}
    unused = {reason: len(names) for reason, names in listing.unused.items()}
    assert unused == {"images of camera B": 4, "validation images": 1}
    same = _read("prcc", tmp_path / "prcc", query="same_clothes", training="train+val")
    assert {reason: len(names) for reason, names in same.unused.items()} == {"images of camera C": 4}
    assert {image.camera for image in same.of("query")} == {2}
    assert same.counts("train") == (4, 1)
    clothes = {image.name[-19:]: dict(image.more)["clothes"] for image in listing.of("train")}
    assert len(set(clothes.values())) == 2
    assert {text for text in listing.deviations() if "train" not in text} == {
        "PRCC, query: 2 identities, where 71 are published (69 fewer)",
        "PRCC, gallery: 2 identities, where 71 are published (69 fewer)",
        "PRCC, cameras A, B, C of the test together: 12 images, where 10,800 are published (10,788 fewer)",
    }
    inside = _read("prcc", rgb)
    assert [image.name for image in inside.images] == [image.name for image in listing.images]
    assert inside.fingerprint() == listing.fingerprint()
    config = DATASETS.config_class("prcc")
    assert config.model_validate({"name": "prcc"}).rule.single_shot.draws == 10
    assert config.model_validate({"name": "prcc", "gallery": "whole"}).rule.single_shot is None


@pytest.mark.parametrize("name", ["dukemtmc", "occluded_duke", "cuhk03", "msmt17", "veri776", "ltcc", "prcc"])
def test_a_folder_that_is_none_of_it_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ReidSearchError, match=str(tmp_path)) as error:
        _read(name, tmp_path)
    assert error.value.exit_code == 2
    with pytest.raises(DataError, match="no such folder"):
        _read(name, tmp_path / "absent")


def test_a_folder_read_as_another_data_set_says_which_it_is(duke: Path) -> None:
    with pytest.raises(DataError, match=r"looks like dukemtmc or occluded_duke: write data: \{name: dukemtmc"):
        _read("market1501", duke)
    assert sniffed(duke)[0].name == "dukemtmc"


def test_distractors_are_in_the_gallery_on_request(fill: Fill, tmp_path: Path) -> None:
    fill(tmp_path / "bounding_box_train", ["0002_c1s1_000451_03.jpg", "0002_c2s1_000451_03.jpg.jpg"])
    fill(tmp_path / "query", ["0001_c1s1_001051_00.jpg"])
    fill(tmp_path / "bounding_box_test", ["0001_c2s1_001051_01.jpg", "-1_c1s1_001051_01.jpg"])
    fill(tmp_path / "images", ["anything.jpg", "0000_c1s1_000000_00.jpg"])
    assert _read("market1501", tmp_path).counts("gallery") == (2, 1)
    listing = _read("market1501", tmp_path, distractors=True)
    assert listing.counts("gallery") == (4, 1)
    assert sorted(image.identity for image in listing.of("gallery")) == [-1, 0, 0, 1]
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(DataError, match="images: no such"):
        _read("market1501", tmp_path, distractors=True)


@pytest.mark.parametrize("name", ["../../elsewhere/train/{}", "/elsewhere/train/{}", "a/../{}", "{} 0\n{} 0\n{}"])
def test_a_list_names_images_of_its_own_folder_once(fill: Fill, tmp_path: Path, name: str) -> None:
    first = _msmt(tmp_path, fill)["train"][0]
    text = (tmp_path / "list_train.txt").read_text()
    (tmp_path / "list_train.txt").write_text(text.replace(first, name.replace("{}", first), 1))
    twice = "is in train 3 times; an image counts once"
    said = twice if "\n" in name else r"list_train\.txt:1: .* is not of the form of MSMT17"
    with pytest.raises(DataError, match=said):
        DATASETS.validate({"name": "msmt17", "root": str(tmp_path)}).listing()


def test_a_fifo_in_place_of_a_list_is_not_waited_for(fill: Fill, tmp_path: Path) -> None:
    _msmt(tmp_path, fill)
    (tmp_path / "list_train.txt").unlink()
    os.mkfifo(tmp_path / "list_train.txt")
    with pytest.raises(DataError, match=r"list_train\.txt: not a readable list"):
        _read("msmt17", tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{'9' * 30}_1_c1_000001.png", "a number of more than"),
        (f"001_1_c{'9' * 30}_000001.png", "a number of more than"),
        (os.fsdecode(b"001_1_c1_\xff.png"), "its name is not in UTF-8; rename the file"),
    ],
)
def test_a_name_that_no_table_could_hold_is_refused(fill: Fill, tmp_path: Path, name: str, said: str) -> None:
    for folder in ("train", "query", "test"):
        fill(tmp_path / folder, ["094_1_c9_015833.png"])
    (tmp_path / "train/094_1_c9_015833.png").rename(tmp_path / "train" / name)
    with pytest.raises(DataError, match=said):
        _read("ltcc", tmp_path)
