"""Attributes of identities, in one table.

* `.csv`: the columns `identity` and all attributes of Market-1501, or of DukeMTMC-reID, or both; one row for each
  identity; -1 is unknown.
* `.mat`: `market_attribute.mat` or `duke_attribute.mat` (Lin et al. 2019), whose values count from 1 and whose fields
  stand in another order for test than for training, so that names alone are trusted.

What only one of the two data sets has (`hair`, `age`, …; `top`, `shoes`, `boots`, `upbrown`, `downred`) is unknown in
the other. Which attributes are learnt is for the loss to say.
"""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from reid_search.common.arrays import Integers
from reid_search.common.contents import why_unreadable
from reid_search.data.manifest.cells import csv_records
from reid_search.data.mat_files import problem_with, read_mat, whole_numbers
from reid_search.errors import DataError, closest
from reid_search.study.trial.side_cars import ALL_ATTRIBUTES, ATTRIBUTE_SETS, UNKNOWN

_MOST = 10**15


def read_attributes(path: Path, labels: Mapping[int, str] | None = None) -> pd.DataFrame:
    """Return a table of attributes, one row per identity (the index), one column per attribute; -1 is unknown.

    Args:
        path: The table.
        labels: What it calls the identities, by number; where omitted, the numbers.

    Raises:
        DataError: The table cannot be read, lacks a column, or holds a value that is not allowed; the message names
            the line of a CSV file.
    """
    return _read(path, labels or {}).set_index("identity")[list(ALL_ATTRIBUTES)].astype(np.int64)


def _read(path: Path, labels: Mapping[int, str]) -> pd.DataFrame:
    """Return the table with the column `identity`, by the lines of a CSV file, and with the column `place`."""
    is_csv = path.suffix.lower() != ".mat"
    table = _from_csv(path) if is_csv else _from_mat(path)
    table["place"] = [f"{path}:{line}" if is_csv else str(path) for line in table.index]
    numbers = {label: number for number, label in labels.items()}
    pairs = zip(table["place"], table["identity"], strict=True)
    table["identity"] = pd.Series([_identity(*pair, numbers) for pair in pairs], index=table.index, dtype=np.int64)
    again = table["identity"].duplicated()
    if again.any():
        twice = table[again].iloc[0]
        first = table["place"][table["identity"] == twice["identity"]].iloc[0].rpartition(":")[2]
        where = f", the first in line {first}" if is_csv else ""
        raise DataError(
            f"{twice['place']}: identity {_label(twice['identity'], labels)} has two rows{where}; expected one"
        )
    for column, count in ALL_ATTRIBUTES.items():
        values = pd.to_numeric(table[column], errors="coerce")
        wrong = table[~values.isin(range(UNKNOWN, count))]
        if len(wrong):
            row = wrong.iloc[0]
            found = str(row[column])[:60] or "empty"
            raise DataError(
                f"{row['place']}: {column} of identity {_label(row['identity'], labels)} is {found}; allowed: 0 to "
                f"{count - 1}, or {UNKNOWN} for unknown"
            )
        table[column] = values
    return table


def attributes_of(
    identities: Integers, path: Path, known: Integers, labels: Mapping[int, str] | None = None
) -> Integers:
    """Return the attributes of images, `(N, 32)` in the order of `ALL_ATTRIBUTES`; -1 is unknown.

    Args:
        identities: `(N,)` identity of each image.
        path: Table of attributes.
        known: All identities of the data set.
        labels: What the table calls them, by number; where omitted, the numbers.

    Raises:
        DataError: The table is wrong, lacks an identity, or has one that the data set does not.
    """
    labels = labels or {}
    table = _read(path, labels).set_index("identity")
    strangers = np.setdiff1d(table.index.to_numpy(np.int64), known)
    if strangers.size:
        first = table[table.index.isin(strangers)].iloc[0]
        name = _label(int(str(first.name)), labels)
        raise DataError(f"{first['place']}: identity {name} is not in the data set; take out its row")
    lacking = np.setdiff1d(identities, table.index.to_numpy(np.int64))
    if lacking.size:
        raise DataError(
            f"{path}: no attributes of identity {_label(lacking[0], labels)}, which is trained on; add a row"
        )
    return table[list(ALL_ATTRIBUTES)].loc[identities].to_numpy(np.int64)


def _label(number: int, labels: Mapping[int, str]) -> str:
    return labels.get(int(number), str(int(number)))


def _identity(place: str, value: object, numbers: Mapping[str, int]) -> int:
    """Return the number of the identity in a row; `numbers` are those of the data set by label, if it has labels.

    Raises:
        DataError: It is none that the data set has, or no number where identities are numbers.
    """
    text = str(value)
    if not numbers:
        number = _whole(text)
        if number is None:
            raise DataError(f"{place}: identity: expected the number of an identity in each row, found {text!r:.60}")
        return number
    # A label of digits may be written with zeros in front, as in the names of files.
    written = text if text in numbers else text.lstrip("0") or "0"
    if written not in numbers:
        near = closest(text, numbers)
        hint = f" (did you mean '{near}'?)" if near else ""
        raise DataError(f"{place}: identity {text:.60} is not in the data set; take out its row{hint}")
    return numbers[written]


def _whole(text: str) -> int | None:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) <= _MOST else None


def _from_csv(path: Path) -> pd.DataFrame:
    """Return the table as text, by the line of each row."""
    try:
        records = csv_records(path)
    except OSError as error:
        raise DataError(f"{path}: not a readable table of attributes ({why_unreadable(str(path), error)})") from error
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}: not a readable table of attributes ({error})") from error
    table = pd.DataFrame.from_dict({line: row for line, row in records.items() if any(row.values())}, orient="index")
    if table.empty:
        raise DataError(f"{path}: not a readable table of attributes (it holds no row)")
    if "identity" not in table or not any({*attributes} <= {*table} for attributes in ATTRIBUTE_SETS.values()):
        meant = ["identity", *max(ATTRIBUTE_SETS.values(), key=lambda attributes: len({*attributes} & {*table}))]
        missing = next(name for name in meant if name not in table)
        raise DataError(f"{path}: column '{missing}' is missing; expected {', '.join(meant)}")
    return table.reindex(columns=["identity", *ALL_ATTRIBUTES], fill_value=UNKNOWN)


def _from_mat(path: Path) -> pd.DataFrame:
    try:
        content = read_mat(path, simplify=True)
        (whole,) = (value for name, value in content.items() if not name.startswith("__"))
        parts = [_part(whole[name]) for name in ("train", "test")]  # type: ignore[index]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise DataError(
            f"{path}: not a table of attributes; expected market_attribute.mat or duke_attribute.mat, one struct with "
            f"`train` and `test`: {problem_with(path, error)}"
        ) from error
    table = pd.concat(parts, ignore_index=True)
    strange = sorted({str(name) for name in table} - {*ALL_ATTRIBUTES, "identity"})
    if strange:
        raise DataError(f"{path}: unknown attribute '{strange[0]}'; expected {', '.join(ALL_ATTRIBUTES)}")
    # A value of 0, as DukeMTMC has it twice, is neither of the two: unknown.
    values = table.reindex(columns=list(ALL_ATTRIBUTES), fill_value=0).fillna(0).astype(np.int64) - 1
    return values.assign(identity=table["identity"])


def _part(part: Mapping[str, object]) -> pd.DataFrame:
    columns = {name: whole_numbers(value) for name, value in part.items() if name != "image_index"}
    identities = np.atleast_1d(np.asarray(part["image_index"])).astype(np.float64)
    return pd.DataFrame({"identity": whole_numbers(identities), **columns})
