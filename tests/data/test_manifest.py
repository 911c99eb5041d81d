"""Manifests: a data set of one's own, imported, read, and refused with one message."""

import csv
import math
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from reid_search.data.listing import Listing
from reid_search.data.manifest.config import ManifestConfig
from reid_search.data.manifest.importing import expression, from_list, from_pattern, with_splits
from reid_search.data.manifest.table import Row, numbers, read_table, unread_columns, write_table
from reid_search.errors import DataError, RequestError

HEADER = "path,identity,camera,split\n"


def write_image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 4), (seed % 256, seed // 256, 0)).save(path)


def _folder(root: Path, identities: int = 6, cameras: int = 2, frames: int = 2) -> Path:
    for identity in range(identities):
        for camera in range(cameras):
            for frame in range(frames):
                write_image(root / f"person {identity}/{camera}-{frame}.jpg", identity * 100 + camera * 10 + frame)
    return root


def _listing(root: Path) -> Listing:
    return ManifestConfig(name="manifest", root=root).listing()


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.parquet"])
def test_images_by_identity_become_a_data_set(tmp_path: Path, name: str) -> None:
    root = _folder(tmp_path / "own", cameras=1, frames=3)
    (root / "notes.txt").write_text("mine")
    (root / ".DS_Store").write_bytes(b"")
    rows, unused = from_pattern(root, ["{identity}/*"])
    assert {reason: len(files) for reason, files in unused.items()} == {
        "files that are no images": 1,
        "hidden files": 1,
    }
    write_table(root / name, with_splits(rows, 0.5, seed=1))
    listing = _listing(root)
    parts = {part: {image.identity for image in listing.of(part)} for part in ("train", "query", "gallery")}
    assert len(parts["train"]) == 3
    assert parts["query"] == parts["gallery"] == set(range(1, 7)) - parts["train"]
    assert [len(listing.of(part)) for part in parts] == [9, 3, 6]
    assert not listing.about.cameras
    assert {image.camera for image in listing.images} == {None}
    assert listing.lists == {name: root / name}


@pytest.mark.parametrize(
    ("counts", "each"), [((1, 1), 1), ((2, 1), 1), ((1, 1, 1), 2), ((3, 2), 2), ((5, 1, 1), 2)], ids=str
)
def test_every_drawn_query_finds_an_image_of_another_camera_in_the_gallery(counts: tuple[int, ...], each: int) -> None:
    rows = [
        Row(f"{identity}/{camera}-{frame}.jpg", str(identity), "", str(camera))
        for identity in range(8)
        for camera, count in enumerate(counts)
        for frame in range(count)
    ]
    split = with_splits(rows, 0.5, seed=2)
    queries, gallery = ([row for row in split if row.split == part] for part in ("query", "gallery"))
    assert {row.identity for row in queries} == {row.identity for row in gallery}
    for query in queries:
        assert any(row.identity == query.identity and row.camera != query.camera for row in gallery)
    assert len(queries) == 4 * each


def test_an_unknown_split_of_a_pattern_is_named(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_image(tmp_path / part / "1_c1.jpg", 1)
    with pytest.raises(DataError, match=r"test/1_c1\.jpg: split 'test'; .*train, query, gallery|allowed"):
        from_pattern(tmp_path, ["{split}/{identity}_c{camera}.jpg"])


def test_a_split_is_drawn_by_its_seed_and_disjoint(tmp_path: Path) -> None:
    rows, _ = from_pattern(_folder(tmp_path), ["{identity}/{camera}-*.jpg"])
    split = with_splits(rows, 0.5, seed=3)
    assert split == with_splits(list(reversed(rows)), 0.5, seed=3)[::-1]
    assert split != with_splits(rows, 0.5, seed=4)
    by = {part: {row.identity for row in split if row.split == part} for part in ("train", "query", "gallery")}
    assert not by["train"] & (by["query"] | by["gallery"])
    queries = [(row.identity, row.camera) for row in split if row.split == "query"]
    assert sorted(queries) == sorted({(identity, camera) for identity in by["query"] for camera in "01"})


def test_identities_and_cameras_are_any_text_or_number() -> None:
    assert numbers(["10", "9", "0"]) == {"0": 1, "9": 2, "10": 3}
    assert numbers(["10", "9", "b"]) == {"10": 1, "9": 2, "b": 3}


def test_words_zeros_distractors_and_further_columns_are_kept(tmp_path: Path) -> None:
    for name in "abcdef":
        write_image(tmp_path / f"{name}.jpg", ord(name))
    (tmp_path / "manifest.csv").write_text(
        "path,identity,camera,split,clothes,part,self\n"
        "a.jpg,Ana,door,train,red,1,\nb.jpg,0,yard,train,blue,2,\n"
        "c.jpg,Åsa,door,query,red,3,\nd.jpg,Åsa,yard,gallery,red,4,\ne.jpg,,yard,gallery,,5,\n"
    )
    listing = _listing(tmp_path)
    assert [image.identity for image in listing.of("train")] == [2, 1]
    assert sorted(image.identity for image in listing.of("gallery")) == [0, 3]
    assert [image.camera for image in listing.of("train")] == [1, 2]
    assert dict(listing.of("query")[0].more) == {"clothes": "red", "part": "3", "self": ""}
    assert listing.unused == {"images without a row": ["f.jpg"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,identity\na.jpg,1\n", "column 'split' is missing; expected path, identity, split"),
        ("path,identity\na.jpg,1\n", "/manifest_with_split.csv` draws one"),
        (HEADER, "holds no row"),
        (HEADER + "a.jpg,1,1,training\n", "manifest.csv:2: split 'training' of a.jpg; did you mean 'train'"),
        (HEADER + "../a.jpg,1,1,train\n", "manifest.csv:2: path '../a.jpg' leaves the manifest's folder"),
        (HEADER + "a.jpg,1,1,train\n,1,1,train\n", "manifest.csv:3: path is empty; expected the path of an image"),
        ("sep=;\n" + (HEADER + "a.jpg,1,1,train\n,1,1,train\n").replace(",", ";"), "manifest.csv:4: path is empty"),
        ("sep=;\n" + HEADER.replace(",", ";") + "a.jpg;1;1\n", "line 3 has another number of cells"),
        (HEADER + "/etc/a.jpg,1,1,train\n", "path '/etc/a.jpg' leaves the manifest's folder"),
        (HEADER + "a.jpg,1,1,train\na.jpg,1,2,train\n", "manifest.csv:3: a.jpg is in line 2 too"),
        (HEADER + "a.jpg,1,1,query\na.jpg,1,1,gallery\na.jpg,1,1,gallery\n", "manifest.csv:4: a.jpg is in line 2 too"),
        (HEADER + "a.jpg,1,1,gallery\na.jpg,1,1,query\na.jpg,1,1,query\n", "manifest.csv:4: a.jpg is in line 2 too"),
        (HEADER + "a.jpg,1,1,query\na.jpg,2,1,gallery\n", "a.jpg is in line 2 too, with another identity or camera"),
        (HEADER + "a.jpg,1,1,query\na.jpg,1,2,gallery\n", "a.jpg is in line 2 too, with another identity or camera"),
        (HEADER[:-1] + ",identity\na.jpg,1,1,train,2\n", "two columns are called 'identity'"),
        (HEADER[:-1] + ", camera\na.jpg,1,1,train,2\n", "two columns are called 'camera'"),
        (HEADER + "a.jpg,1,1,train\nb.jpg,1,,train\n", "manifest.csv:3: b.jpg has no camera, and others"),
        (HEADER + "a.jpg,,1,query\n", "a.jpg has no identity; only a gallery image may be without"),
        (HEADER + "a.jpg,1,1\n", "line 2 has another number of cells"),
        ("\xff\xfe", "holds no row"),
    ],
)
def test_a_wrong_manifest_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.csv").write_text(content)
    with pytest.raises(DataError) as error:
        _listing(tmp_path)
    assert message in str(error.value)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["nan", "None", "nan", "x"], ["identity 'None' in 1 row is taken", "identity 'nan' in 2 rows is taken"]),
        (["-1", "1", "2", "3"], ["identity '-1' in 1 row is a person like others, not junk"]),
        (["01", "1", "1.0", "2"], ["identity: '01' and '1' and '1.0' are different people"]),
        (["Ann", "ann", "\u00e9", "e\u0301"], ["'Ann' and 'ann', 'e\u0301' and '\u00e9' are different people"]),
        (["1", "10", "100", "-2"], []),
    ],
)
def test_labels_that_may_not_mean_what_they_say_are_told(tmp_path: Path, labels: list[str], said: list[str]) -> None:
    """They are people all the same: a person may be called Nan."""
    lines = [f"{number}.jpg,{label},{number % 2},gallery" for number, label in enumerate(labels)]
    (tmp_path / "manifest.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    for number in range(len(labels)):
        write_image(tmp_path / f"{number}.jpg", number)
    listing = _listing(tmp_path)
    told = listing.deviations()
    assert len(told) == len(said)
    assert all(part in sentence for part, sentence in zip(said, told, strict=True))
    assert len({image.identity for image in listing.images}) == len(set(labels))


def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", 1)
    rows = [Row("a.jpg", "1", "train", ""), Row("b.jpg", "2", "query", ""), Row("c.jpg", "2", "gallery", "")]
    write_table(tmp_path / "manifest.csv", rows)
    with pytest.raises(DataError, match=r"b\.jpg: no such file"):
        _listing(tmp_path).fingerprint()


def test_a_list_brings_its_columns(tmp_path: Path) -> None:
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["path", "identity", "camera", "place"], *([f"{n}.jpg", n % 5, n % 2, "yard"] for n in range(20))]
        )
    for number in range(20):
        write_image(tmp_path / f"{number}.jpg", number)
    rows = with_splits(from_list(tmp_path / "list.csv", tmp_path), 0.4, seed=0)
    assert {row.more for row in rows} == {(("place", "yard"),)}
    assert len({row.identity for row in rows if row.split == "train"}) == 3
    write_table(tmp_path / "manifest.csv", rows)
    assert read_table(tmp_path / "manifest.csv") == rows


TABLE = """path;identity;camera;split;box
Ä/a.jpg;Åsa;1;train;0,0,2,4
b.jpg;0;1;train;
"""


@pytest.mark.parametrize("said", ["", "sep={}\r\n", '"sep={}"\n'])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path: Path, separator: str, encoding: str, said: str) -> None:
    cells = [line.split(";") for line in TABLE.splitlines()]
    with (tmp_path / "own.csv").open("w", newline="", encoding=encoding) as file:
        file.write(said.format(separator))
        csv.writer(file, delimiter=separator).writerows(cells)
    first, second = read_table(tmp_path / "own.csv")
    assert (first.path, first.identity, str(first.box)) == ("Ä/a.jpg", "Åsa", "0,0,2,4")
    assert (second.path, second.identity, second.box) == ("b.jpg", "0", None)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_text_of_unknown_encoding_is_refused_with_the_way_on(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "own.csv").write_bytes(TABLE.encode(encoding))
    with pytest.raises(DataError, match=r"own\.csv: not a readable table .*not in UTF-8.*save it as CSV UTF-8"):
        read_table(tmp_path / "own.csv")


def test_cells_that_nobody_filled_are_none(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("path;identity;split;;\na.jpg;1;train;;\n;;;;\n")
    (row,) = read_table(tmp_path / "own.csv")
    assert (row.path, row.more) == ("a.jpg", ())
    (tmp_path / "own.csv").write_text("path;identity;split\n;;\n\na.jpg;1;trian\n")
    with pytest.raises(DataError, match=r"own\.csv:4: split 'trian'"):
        read_table(tmp_path / "own.csv")
    (tmp_path / "own.csv").write_text(",path,identity,split\n0,a.jpg,1,train\n")
    (row,) = read_table(tmp_path / "own.csv")
    assert row.more == (("", "0"),)


def test_wrong_rows_are_counted(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(f"{HEADER}a.jpg,1,1,train\n../b.jpg,1,1,train\na.jpg,1,1,train\n/c,1,1,no\n")
    with pytest.raises(DataError, match=r"manifest\.csv:3: path '\.\./b\.jpg' leaves .* \(one of 3 wrong rows\)$"):
        read_table(tmp_path / "manifest.csv")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["path", "identity", "split", "camera", "time", "clothes"], ""),
        (["path", "identity", "bbox"], "bbox (did you mean box?)"),
        (["", "path", "identity"], "one without a name"),
        (
            ["path", "identity", "note", "x", "y", "w", "h", "cam"],
            "note; x, y, w, h (did you mean box?); cam (did you mean camera?)",
        ),
        (["path", "identity", "box", "bbox", "cloths"], "bbox; cloths (did you mean clothes?)"),
    ],
)
def test_columns_that_nothing_reads_are_named(names: list[str], said: str) -> None:
    assert unread_columns(names) == (f"columns that nothing reads, kept as labels: {said}" if said else "")


@pytest.mark.parametrize(("name", "column"), [("file", "path"), ("pid", "identity"), ("Split", "split")])
def test_a_column_by_another_name_is_recognised(tmp_path: Path, name: str, column: str) -> None:
    header = HEADER.replace(column, name)
    (tmp_path / "manifest.csv").write_text(f"{header}a.jpg,1,1,train\n")
    with pytest.raises(DataError, match=f"column '{column}' is missing; .*; is it {name}\\?"):
        read_table(tmp_path / "manifest.csv")


@pytest.mark.parametrize("folder", [" id2 ", "id2 "])
def test_blanks_that_a_table_does_not_keep_are_refused(tmp_path: Path, folder: str) -> None:
    root = _folder(tmp_path)
    (root / "person 0").rename(root / folder)
    with pytest.raises(DataError, match=f"{folder}/0-0.jpg: .*'{folder}.* has a blank at an end.*rename"):
        from_pattern(root, ["{identity}/*"])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("person 0/0-0.JPG", r"person 0/0-0\.JPG: no such file in .*; did you mean person 0/0-0\.jpg\?"),
        ("person 0/0-0", r"; did you mean person 0/0-0\.jpg\?"),
        ("person 0\\0-0.jpg", "; folders in a path are divided by /, as in a/b.jpg"),
        ("own/person 0/0-0.jpg", "; it is in .*, so import that folder"),
        ("0.jpg", "; paths start from that folder"),
    ],
)
def test_a_list_names_files_that_are_there(tmp_path: Path, path: str, said: str) -> None:
    root = _folder(tmp_path / "own")
    (tmp_path / "elsewhere").mkdir()
    table = tmp_path / "elsewhere/list.csv"
    table.write_text(f"path,identity\nperson 1/0-0.jpg,1\n{path},0\nnowhere.jpg,0\n")
    with pytest.raises(DataError, match=rf"list\.csv:3: .*{said} \(one of 2 wrong rows\)$"):
        from_list(table, root)


def test_a_list_names_each_image_once(tmp_path: Path) -> None:
    root = _folder(tmp_path)
    (tmp_path / "list.csv").write_text("path,identity\nperson 1/0-0.jpg,1\nperson 1/0-0.jpg,2\n")
    with pytest.raises(DataError, match=r"list\.csv:3: person 1/0-0\.jpg is in line 2 too; an image has one row"):
        from_list(tmp_path / "list.csv", root)


@pytest.mark.parametrize(
    ("pattern", "path", "said"),
    [
        ("{identity}/*", "7/a.jpg", {"identity": "7"}),
        (
            "{split}/{identity}_c{camera}_*",
            "query/0002_c3_x_y.jpg",
            {"split": "query", "identity": "0002", "camera": "3"},
        ),
        ("{identity}/{identity}_{camera}.png", "7/7_b.png", {"identity": "7", "camera": "b"}),
        ("**/{identity}-*.jpg", "a/b/7-1.jpg", {"identity": "7"}),
    ],
)
def test_patterns_read_paths(pattern: str, path: str, said: dict[str, str]) -> None:
    found = expression(pattern).fullmatch(path)
    assert found is not None
    assert found.groupdict() == said


def test_what_fits_no_pattern_is_said(tmp_path: Path) -> None:
    root = _folder(tmp_path)
    with pytest.raises(DataError, match=r"no image fits \{identity\}\.png; one that does not is person 0/0-0\.jpg"):
        from_pattern(root, ["{identity}.png"])
    with pytest.raises(RequestError, match=r"did you mean 'identity'"):
        from_pattern(root, ["{identty}/*"])
    with pytest.raises(RequestError, match=r"names no \{identity\}"):
        from_pattern(root, ["*.jpg"])
    rows, _ = from_pattern(root, ["{identity}/*"])
    with pytest.raises(DataError, match=r"too few identities to draw a split: 1 \(person 0\); .* is 0 of them"):
        with_splits([row for row in rows if row.identity == "person 0"], 0.5, 0)


def test_labels_of_more_digits_than_python_counts_are_text(tmp_path: Path) -> None:
    assert numbers(["9" * 5000, "10", "9"]) == {"10": 1, "9": 2, "9" * 5000: 3}
    (tmp_path / "manifest.csv").write_text(HEADER[:-1] + f',box\na.jpg,1,1,train,"0,0,{"9" * 5000},1"\n')
    with pytest.raises(DataError, match=r"manifest\.csv:2: a\.jpg: box '0,0,9+,1'; expected x,y,width,height"):
        read_table(tmp_path / "manifest.csv")


def test_a_number_that_is_missing_from_parquet_is_missing(tmp_path: Path) -> None:
    numbered = {"identity": [1.0, math.nan], "camera": [math.nan] * 2}
    table = pa.table({"path": ["a.jpg", "b.jpg"], "split": ["query", "gallery"], **numbered})
    pq.write_table(table, tmp_path / "manifest.parquet")
    assert [(row.identity, row.camera) for row in read_table(tmp_path / "manifest.parquet")] == [("1.0", ""), ("", "")]


def test_a_name_that_is_no_text_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    root = _folder(tmp_path)
    (root / "person 0/0-0.jpg").rename(root / "person 0" / os.fsdecode(b"\xff.jpg"))
    with pytest.raises(DataError, match=r"person 0/\\udcff\.jpg': its name is not in UTF-8; rename the file"):
        from_pattern(root, ["{identity}/*"])


def test_nobody_who_was_seen_by_one_camera_alone_becomes_a_query() -> None:
    def row(identity: str, camera: str, number: int) -> Row:
        return Row(f"{identity}/{camera}{number}.jpg", identity, "", camera)

    alone = [row(identity, "1", number) for identity in "abcd" for number in range(3)]
    with pytest.raises(DataError, match="no test identity has two images that could find each other"):
        with_splits(alone, 0.5, seed=0)
    tested = with_splits([*alone, *(row(identity, "2", 0) for identity in "abc")], 0.5, seed=0)
    assert {item.identity for item in tested if item.split == "query"} <= set("abc")
    assert {item.identity for item in tested if item.split == "gallery"} & {"d"}, "this seed tests one who is no query"
