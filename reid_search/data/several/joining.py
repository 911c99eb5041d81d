"""Tables and images of several data sets as one, in which no two people and no two cameras share a number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reid_search.common.arrays import Integers
from reid_search.data.samples import Samples, concatenated

_NUMBERED = ("identity", "camera")


def joined_tables(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of several tables one after another, with the columns that all of them have.

    Identities and cameras of each table follow those of the ones before; the first table keeps its numbers.
    """
    shifted, highest = [], dict.fromkeys(_NUMBERED, 0)
    for table in tables:
        numbers = {name: table[name] + highest[name] for name in _NUMBERED if name in table}
        shifted.append(table.assign(**numbers))
        highest |= {name: int(values.max()) + 1 for name, values in numbers.items() if len(values)}
    return pd.concat(shifted, ignore_index=True, join="inner")


@dataclass(frozen=True)
class JoinedSamples:
    """Images of several tables, one table after another, without a copy of them.

    Attributes:
        parts: The images of each table, all with the same side-cars.
    """

    parts: tuple[Samples, ...]

    def at(self, rows: Integers) -> Samples:
        """Return some of the images, read into memory."""
        starts = np.cumsum([0, *(len(part) for part in self.parts)])
        whose = np.searchsorted(starts, rows, side="right") - 1
        found = [part.at(rows[whose == index] - starts[index]) for index, part in enumerate(self.parts)]
        order = np.argsort(whose, kind="stable")
        return concatenated(found).at(np.argsort(order))
