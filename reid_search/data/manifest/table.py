"""The file of a manifest: CSV or Parquet, one row for each image, and what each column may hold.

`path` (in the manifest's folder, with `/`), `identity`, `split` (train, query or gallery) and, where cameras are known,
`camera`. Identities and cameras are any text or number. A gallery image without identity is a distractor: a person who
is no query's. `box` is x,y,width,height in pixels of the image as it stands upright, with commas or spaces between: the
image is that part of its file, which may have several rows. `maps` and `keypoints` are paths as `path` is one: the
side-car of each image, empty where it has none. `time`, `clothes` and any other column are kept.
"""

import csv
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from reid_search.data.boxes import Box, named, parse_box
from reid_search.data.listing import PARTS, Part
from reid_search.data.manifest.cells import ENDINGS, read_records
from reid_search.data.side_cars.files import PER_IMAGE, PerImage
from reid_search.errors import DataAbsent, DataError, closest, nearest

REQUIRED = ("path", "identity", "split")
OPTIONAL = ("camera", "box", *PER_IMAGE, "time", "clothes")
FIXED = (*REQUIRED, "camera", "box", *PER_IMAGE)
FILES = ("manifest.csv", "manifest.parquet")
_KNOWN = (*REQUIRED, *OPTIONAL)
_OTHER_NAMES = {
    "path": ("file", "filename", "file_name", "image", "img", "image_path", "img_path"),
    "identity": ("id", "pid", "person", "person_id"),
    "camera": ("cam", "camid", "cam_id", "camera_id"),
    "split": ("set", "subset"),
    "maps": ("map", "mask", "masks"),
    "keypoints": ("pose", "poses"),
    "box": ("bbox", "xywh", "x", "y", "w", "h", "left", "top", "width", "height"),
}
_MOST_DIGITS = 4_000


@dataclass(frozen=True)
class Row:
    """One image of a manifest, as text.

    Attributes:
        path: Relative to the manifest's folder.
        identity: Empty for a distractor.
        split: The part of the data set; empty before there is a split.
        camera: Empty where cameras are unknown.
        more: Further columns.
        box: The part of the file that it is; the whole where omitted.
        side_cars: Paths of its side-cars, as `path`; empty for one that it lacks.
        line: Where it stands in its table, as a text editor counts.
    """

    path: str
    identity: str
    split: Part | Literal[""]
    camera: str
    more: tuple[tuple[str, str], ...] = ()
    box: Box | None = None
    side_cars: tuple[tuple[PerImage, str], ...] = ()
    line: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """Its path, and its box if it has one; no two images have the same."""
        return named(self.path, self.box)


def manifest_at(root: Path) -> Path:
    """Return the manifest of a folder, or the file itself.

    Raises:
        DataError: There is none, or there are two.
    """
    if not root.exists():
        raise DataAbsent(f"{root}: no such file or folder")
    if not root.is_dir():
        return root
    found = [root / name for name in FILES if (root / name).is_file()]
    if len(found) > 1:
        raise DataError(f"{root}: holds {' and '.join(FILES)}; keep one of them")
    if not found:
        raise DataAbsent(f"{root}: holds no {' or '.join(FILES)}; write one with `{_import(root)}`")
    return found[0]


def read_table(path: Path, *, drawn: bool = False) -> list[Row]:
    """Read a manifest.

    Args:
        path: The file.
        drawn: Whether it may lack splits, which are drawn then.

    Raises:
        DataError: It cannot be read, lacks a column, or a row breaks a rule; the first such row is named as a text
            editor counts, with the number of all.
    """
    records = read_records(path)
    columns = list(next(iter(records.values())))
    drawn = drawn and "split" not in columns
    _check_columns(path, columns, [name for name in REQUIRED if not (drawn and name == "split")])
    rows: dict[str, list[Row]] = {}
    problems: list[DataError] = []
    for line, record in records.items():
        try:
            row = replace(_row(f"{path}:{line}", record, drawn), line=line)
            _check_once(path, row, rows.get(row.name, []))
        except DataError as error:
            problems.append(error)
        else:
            rows.setdefault(row.name, []).append(row)
    if problems:
        raise DataError(f"{problems[0]}{and_others(len(problems))}")
    found = sorted((row for same in rows.values() for row in same), key=lambda row: row.line)
    _check_cameras(path, found)
    return found


def and_others(count: int) -> str:
    """Return the end of a message on the first of some wrong rows."""
    return f" (one of {count:,} wrong rows)" if count > 1 else ""


def unread_columns(names: Sequence[str]) -> str:
    """Say in one line which columns are kept as labels and not read, and which one each may have been meant to be."""
    groups: dict[str | None, list[str]] = {}
    for name in names:
        if name not in _KNOWN:
            groups.setdefault(_meant(name, names), []).append(name or "one without a name")
    told = [
        f"{', '.join(group)}{f' (did you mean {known}?)' if known else ''}"
        for known, group in sorted(groups.items(), key=lambda item: item[0] or "")
    ]
    return f"columns that nothing reads, kept as labels: {'; '.join(told)}" if told else ""


def _meant(name: str, names: Sequence[str]) -> str | None:
    """Return the known column that is not there and that this name may stand for."""
    others = {other: known for known, others in _OTHER_NAMES.items() for other in (known, *others)}
    absent = [known for known in _KNOWN if known not in names]
    found = others.get(name.lower()) or closest(name.lower(), absent)
    return found if found in absent else None


def _check_columns(path: Path, names: Sequence[str], required: Sequence[str]) -> None:
    for column in required:
        if column not in names:
            other = next((name for name in names if name not in _KNOWN and _meant(name, names) == column), None)
            draw = f"; `{_import(path.parent, path)}` draws one" if column == "split" else ""
            raise DataError(
                f"{path}: column '{column}' is missing; expected {', '.join(required)} and, where known, "
                f"{', '.join(OPTIONAL)}; found {', '.join(names)}{f'; is it {other}?' if other else draw}"
            )


def _import(folder: Path, table: Path | None = None) -> str:
    """Return the command that writes a manifest of a folder, or draws the split of a table in it."""
    words = ["reid-search", "data", "import", str(folder)]
    if table is not None:
        words += ["--list", str(table)]
        if (folder / FILES[0]).exists():
            words += ["--to", str(table.with_stem(f"{table.stem}_with_split"))]
    return shlex.join(words)


def _check_once(path: Path, row: Row, earlier: Sequence[Row]) -> None:
    # A query may be in the gallery too, where the rule leaves it out.
    if earlier and sorted(item.split for item in (*earlier, row)) != ["gallery", "query"]:
        raise DataError(f"{path}:{row.line}: {row.name} is in line {earlier[0].line} too; an image has one row")
    for item in earlier:
        if (item.identity, item.camera) != (row.identity, row.camera):
            raise DataError(
                f"{path}:{row.line}: {row.name} is in line {item.line} too, with another identity or camera; a query "
                "that is in the gallery has the same in both"
            )


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write a manifest; columns that are empty throughout are left out.

    Raises:
        DataError: The file's name ends in something else than `.csv` or `.parquet`.
    """
    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{path}: expected a name that ends in {' or '.join(ENDINGS)}")
    records = [
        {
            "path": row.path,
            "identity": row.identity,
            "camera": row.camera,
            "split": row.split,
            "box": str(row.box or ""),
            **dict(row.side_cars),
            **dict(row.more),
        }
        for row in rows
    ]
    columns = [name for name in records[0] if name in REQUIRED or any(record[name] for record in records)]
    if path.suffix.lower() == ".parquet":
        from pyarrow import Table
        from pyarrow.parquet import write_table as write

        write(Table.from_pylist([{name: record[name] for name in columns} for record in records]), path)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def numbers(labels: Iterable[str]) -> dict[str, int]:
    """Number labels from 1: in numeric order where all of them are whole numbers, else in the order of text."""
    distinct = set(labels)
    whole = all(label.removeprefix("-").isdecimal() and len(label) <= _MOST_DIGITS for label in distinct)
    ordered = sorted(distinct, key=lambda label: (int(label), label)) if whole else sorted(distinct)
    return {label: number for number, label in enumerate(ordered, start=1)}


def _row(place: str, record: Mapping[str, str], drawn: bool) -> Row:
    path, identity, split, camera = (record.get(name, "") for name in ("path", "identity", "split", "camera"))
    path = _inside(place, "path", path)
    side_cars = tuple(
        (kind, _inside(place, kind, record[kind]) if record[kind] else "") for kind in PER_IMAGE if kind in record
    )
    box = parse_box(record.get("box", ""), f"{place}: {path}")
    more = tuple((name, value) for name, value in sorted(record.items()) if name not in FIXED)
    if drawn:
        return Row(path, identity, "", camera, more, box, side_cars)
    if split not in PARTS:
        raise DataError(f"{place}: split {split!r} of {path}; {nearest(split, PARTS)}")
    if not identity and split != "gallery":
        raise DataError(f"{place}: {path} has no identity; only a gallery image may be without, as a distractor")
    return Row(path, identity, split, camera, more, box, side_cars)


def _inside(place: str, column: str, path: str) -> str:
    if not path:
        raise DataError(f"{place}: {column} is empty; expected the path of an image in the manifest's folder: a/b.jpg")
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise DataError(
            f"{place}: {column} {path!r} leaves the manifest's folder; expected a path inside, such as a/b.jpg"
        )
    return str(pure)


def _check_cameras(path: Path, rows: Sequence[Row]) -> None:
    without = [row for row in rows if not row.camera]
    if without and len(without) < len(rows):
        place = f"{path}:{without[0].line}: {without[0].path}"
        raise DataError(f"{place} has no camera, and others have one; fill in all cameras or none")
