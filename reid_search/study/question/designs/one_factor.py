"""One factor at a time: each level of each axis, everything else as in the centre."""

from collections.abc import Iterator

from reid_search.study.question.designs.design import Design, around_centre
from reid_search.study.question.space import Settings, Space


def _settings(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield what the design stands around, then each level of each axis that exists there, all else the same."""
    yield around
    for path, axis in space.axes.items():
        if path in around:
            for level in axis.design_levels:
                yield space.active({**around, path: level})


DESIGN = Design("one_factor", "one factor at a time", around_centre(_settings))
