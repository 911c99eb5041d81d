"""Settings of a grid. Its cells are known in advance, so it needs no other module."""

import math
import random
from collections.abc import Sequence
from typing import ClassVar, Literal

from reid_search.study import SamplerConfig, Settings, Space
from reid_search.study.question.designs.design import check_levels

_CELLS_COUNTED = 10_000


class GridConfig(SamplerConfig):
    """Goes through every combination of levels, up to `trials` of them; a range needs `levels`.

    The combinations are shuffled, so that the first part of a grid is not one corner of it.
    """

    crowds: ClassVar[bool] = False
    of_levels: ClassVar[bool] = True
    kind: Literal["grid"]

    def check(self, space: Space) -> None:
        """Make sure that every range has levels."""
        check_levels(space)

    def cells(self, space: Space, seed: int) -> Sequence[Settings]:
        """Return every combination of levels, shuffled."""
        cells = list(space.combinations())
        random.Random(seed).shuffle(cells)
        return cells

    def count(self, space: Space, trials: int) -> int:
        """Return the smaller of `trials` and the number of combinations; a large space also counts impossible ones."""
        cells = math.prod(len(axis.design_levels) for axis in space.axes.values())
        return min(trials, sum(1 for _ in space.combinations()) if cells <= _CELLS_COUNTED else cells)


CONFIG = GridConfig
