"""The file of a manifest: CSV or Parquet, one row for each image, and what each column may hold.

`path` (in the manifest's folder, with `/`), `identity`, `split` (train, query or gallery) and, where cameras are known,
`camera`. Identities and cameras are any text or number. A gallery image without identity is a distractor: a person who
is no query's. `box` is x,y,width,height in pixels of the image as it stands upright, with commas or spaces between: the
image is that part of its file, which may have several rows. `time`, `clothes` and any other column are kept.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from reid_search.data.boxes import Box, named, parse_box
from reid_search.data.listing import PARTS, Part
from reid_search.errors import DataAbsent, DataError, nearest

REQUIRED = ("path", "identity", "split")
OPTIONAL = ("camera", "box", "time", "clothes")
FIXED = (*REQUIRED, "camera", "box")
FILES = ("manifest.csv", "manifest.parquet")
_ENDINGS = (".csv", ".parquet")
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
    """

    path: str
    identity: str
    split: Part | Literal[""]
    camera: str
    more: tuple[tuple[str, str], ...] = ()
    box: Box | None = None

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
        raise DataAbsent(f"{root}: holds no {' or '.join(FILES)}; write one with `reid-search data import {root}`")
    return found[0]


def read_table(path: Path) -> list[Row]:
    """Read a manifest.

    Raises:
        DataError: It cannot be read, lacks a column, or a row breaks a rule; the row is named as a text editor counts.
    """
    records = read_records(path)
    for column in REQUIRED:
        if column not in records[0]:
            raise DataError(
                f"{path}: column '{column}' is missing; expected {', '.join(REQUIRED)} and, where known, "
                f"{', '.join(OPTIONAL)}; found {', '.join(records[0])}"
            )
    rows: list[Row] = []
    lines: dict[str, list[int]] = {}
    for line, record in enumerate(records, start=2):
        row = _row(f"{path}:{line}", record)
        earlier = [rows[number - 2] for number in lines.setdefault(row.name, [])]
        # A query may be in the gallery too, where the rule leaves it out.
        if earlier and sorted(item.split for item in (*earlier, row)) != ["gallery", "query"]:
            raise DataError(f"{path}:{line}: {row.name} is in line {lines[row.name][0]} too; an image has one row")
        for item in earlier:
            if (item.identity, item.camera) != (row.identity, row.camera):
                raise DataError(
                    f"{path}:{line}: {row.name} is in line {lines[row.name][0]} too, with another identity or camera; "
                    "a query that is in the gallery has the same in both"
                )
        lines[row.name].append(line)
        rows.append(row)
    _check_cameras(path, rows)
    return rows


def read_records(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV or Parquet file as text, at least one.

    Raises:
        DataError: The file is missing, of another kind, or empty.
    """
    if not path.is_file():
        raise DataAbsent(f"{path}: no such file")
    if path.suffix.lower() not in _ENDINGS:
        raise DataError(f"{path}: not a table; expected a file that ends in {' or '.join(_ENDINGS)}")
    try:
        records = _from_csv(path) if path.suffix.lower() == ".csv" else _from_parquet(path)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: not a readable table ({error})") from error
    if not records:
        raise DataError(f"{path}: holds no row; expected one for each image")
    return records


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write a manifest; columns that are empty throughout are left out.

    Raises:
        DataError: The file's name ends in something else than `.csv` or `.parquet`.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise DataError(f"{path}: expected a name that ends in {' or '.join(_ENDINGS)}")
    records = [
        {
            "path": row.path,
            "identity": row.identity,
            "camera": row.camera,
            "split": row.split,
            "box": str(row.box or ""),
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


def _from_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        _check_header([name.strip() for name in reader.fieldnames or ()])
        records = []
        for record in reader:
            if None in record or None in record.values():
                raise ValueError(f"line {reader.line_num} has another number of cells than the first line")
            records.append({name.strip(): value.strip() for name, value in record.items()})
        return records


def _from_parquet(path: Path) -> list[dict[str, str]]:
    from pyarrow.parquet import read_table as read

    table = read(path)
    _check_header(table.column_names)
    rows: Sequence[Mapping[str, object]] = table.to_pylist()
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _text(value: object) -> str:
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if is_missing else str(value).strip()


def _check_header(names: Sequence[str]) -> None:
    twice = next((name for name, count in Counter(names).items() if name and count > 1), None)
    if twice is not None:
        raise ValueError(f"two columns are called '{twice}'")


def _row(place: str, record: Mapping[str, str]) -> Row:
    path, identity, split, camera = (record.get(name, "") for name in ("path", "identity", "split", "camera"))
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts:
        raise DataError(f"{place}: path {path!r} leaves the manifest's folder; expected one inside, such as a/b.jpg")
    if split not in PARTS:
        raise DataError(f"{place}: split {split!r} of {path}; {nearest(split, PARTS)}")
    if not identity and split != "gallery":
        raise DataError(f"{place}: {path} has no identity; only a gallery image may be without, as a distractor")
    box = parse_box(record.get("box", ""), f"{place}: {path}")
    more = tuple((name, value) for name, value in sorted(record.items()) if name not in FIXED)
    return Row(str(pure), identity, split, camera, more, box)


def _check_cameras(path: Path, rows: Sequence[Row]) -> None:
    without = [row.path for row in rows if not row.camera]
    if without and len(without) < len(rows):
        raise DataError(f"{path}: {without[0]} has no camera, and others have one; fill in all cameras or none")
