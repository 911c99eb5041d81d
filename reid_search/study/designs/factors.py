"""Designs that go through the levels of axes: one axis at a time, and every combination."""

from collections.abc import Iterator

from reid_search.study.space import Settings, Space


def one_factor(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield what the design stands around, then each level of each axis that exists there, all else the same."""
    yield around
    for path, axis in space.axes.items():
        if path in around:
            for level in axis.design_levels:
                yield space.active({**around, path: level})


def factorial(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield what the design stands around, then every combination of levels."""
    yield around
    yield from space.combinations()
