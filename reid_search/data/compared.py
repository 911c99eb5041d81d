"""The columns of tables of images that an evaluation rule compares, as numbers."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from reid_search.common.arrays import Integers
from reid_search.errors import DataError, nearest
from reid_search.words import several


def compared_columns(columns: Iterable[str], *tables: pd.DataFrame) -> dict[str, list[Integers]]:
    """Return columns of several tables as numbers that are equal where the labels are, in whichever table.

    Args:
        columns: Names of columns; `image` is the file itself, by its content where the tables know it.
        tables: Tables of N images.

    Returns:
        For each column the numbers of each table, `(N,)`.

    Raises:
        DataError: A table lacks a column, or an image has no label in it.
    """
    return {column: _numbers(column, tables) for column in columns}


def _numbers(column: str, tables: tuple[pd.DataFrame, ...]) -> list[Integers]:
    name = column
    if column == "image":
        name = "content" if all("content" in table for table in tables) else "path"
    for table in tables:
        if name not in table:
            known = nearest(name, [str(other) for other in table])
            raise DataError(f"the evaluation rule compares '{column}', which this data set lacks; {known}")
    codes, _ = pd.factorize(pd.concat([table[name] for table in tables], ignore_index=True))
    if unknown := int((codes < 0).sum()):
        lacking = f"{several(unknown, 'image')} {'has' if unknown == 1 else 'have'} none"
        raise DataError(f"the evaluation rule compares '{column}', and {lacking}")
    return np.split(codes.astype(np.int64), np.cumsum([len(table) for table in tables])[:-1])
