"""Attributes of identities, in one table.

* `.csv`: the columns `identity` and all attributes of Market-1501, or of DukeMTMC-reID, or both; one row for each
  identity; -1 is unknown.
* `.mat`: `market_attribute.mat` or `duke_attribute.mat` (Lin et al. 2019), whose values count from 1 and whose fields
  stand in another order for test than for training, so that names alone are trusted.

What only one of the two data sets has (`hair`, `age`, …; `top`, `shoes`, `boots`, `upbrown`, `downred`) is unknown in
the other. Which attributes are learnt is for the loss to say.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reid_search.common.arrays import Integers
from reid_search.common.contents import why_unreadable
from reid_search.data.mat_files import problem_with, read_mat, whole_numbers
from reid_search.errors import DataError, nearest
from reid_search.study.trial.side_cars import ALL_ATTRIBUTES, ATTRIBUTE_SETS, UNKNOWN


def read_attributes(path: Path, labels: Mapping[int, str] | None = None) -> pd.DataFrame:
    """Return a table of attributes, one row per identity (the index), one column per attribute; -1 is unknown.

    Args:
        path: The table.
        labels: What it calls the identities, by number; where omitted, the numbers.

    Raises:
        DataError: The table cannot be read, lacks a column, or holds a value that is not allowed.
    """
    table = _from_mat(path) if path.suffix.lower() == ".mat" else _from_csv(path)
    labels = labels or {}
    table["identity"] = _identities(path, table["identity"], labels)
    if table["identity"].duplicated().any():
        twice = _label(table["identity"][table["identity"].duplicated()].iloc[0], labels)
        raise DataError(f"{path}: identity {twice} has two rows; expected one")
    for column, count in ALL_ATTRIBUTES.items():
        wrong = table[~table[column].isin(range(UNKNOWN, count))]
        if len(wrong):
            row = wrong.iloc[0]
            raise DataError(
                f"{path}: {column} of identity {_label(row['identity'], labels)} is {row[column]}; allowed: 0 to "
                f"{count - 1}, or {UNKNOWN} for unknown"
            )
    return table.set_index("identity")[list(ALL_ATTRIBUTES)].astype(np.int64)


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
    table, labels = read_attributes(path, labels), labels or {}
    strangers = np.setdiff1d(table.index.to_numpy(np.int64), known)
    if strangers.size:
        raise DataError(f"{path}: identity {_label(strangers[0], labels)} is not in the data set; take out its row")
    lacking = np.setdiff1d(identities, table.index.to_numpy(np.int64))
    if lacking.size:
        raise DataError(
            f"{path}: no attributes of identity {_label(lacking[0], labels)}, which is trained on; add a row"
        )
    return table.loc[identities].to_numpy(np.int64)


def _label(number: int, labels: Mapping[int, str]) -> str:
    return labels.get(int(number), str(int(number)))


def _identities(path: Path, given: "pd.Series[Any]", labels: Mapping[int, str]) -> "pd.Series[int]":
    """Return the number of the identity in each row.

    Raises:
        DataError: It is none that the data set has, or no number where identities are numbers.
    """
    if labels:
        numbers = {label: number for number, label in labels.items()}
        # A label of digits may be written with zeros in front, as in the names of files.
        written = [label if (label := str(value)) in numbers else label.lstrip("0") or "0" for value in given]
        for label, value in zip(written, given, strict=True):
            if label not in numbers:
                hint = nearest(str(value), sorted(numbers))
                raise DataError(f"{path}: identity {value} is not in the data set; take out its row ({hint})")
        return pd.Series([numbers[label] for label in written], index=given.index)
    try:
        return pd.Series(whole_numbers(pd.to_numeric(given).to_numpy()), index=given.index)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: identity: expected the number of an identity in each row ({error})") from error


def _from_csv(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, converters={"identity": str.strip})
    except OSError as error:
        raise DataError(f"{path}: not a readable table of attributes ({why_unreadable(str(path), error)})") from error
    except ValueError as error:  # pandas names the line
        raise DataError(f"{path}: not a readable table of attributes ({error})") from error
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
