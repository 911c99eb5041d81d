"""Designs that switch components on and off: leave one out of the full system, add one to the bare system.

What "off" means for an axis says `Space.off_level`. An axis that has no such level, because the base does not have the
axis at all, cannot be switched off alone: it goes with the one that its condition names.
"""

from collections.abc import Iterator

from reid_search.study.axes import Level
from reid_search.study.space import Settings, Space


def leave_one_out(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield the full system, which the design stands around, then it without each component that is on there."""
    yield around
    for path, level in around.items():
        off = space.off_level(path)
        if off is not None and off != level:
            yield space.active({**around, path: off})


def add_one_in(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield the bare system, in which every component is off, then it with each level of each component.

    An axis that comes to exist with another component is off there, too.
    """
    bare = _switched_off(space, around)
    centre = space.completed(bare)
    # an axis that exists only with another needs no setting where it would be told what the base has anyway
    own = space.centre()
    kept = {path: level for path, level in {**bare, **centre}.items() if path in centre or own.get(path) != level}
    yield centre
    for path, axis in space.axes.items():
        for level in axis.design_levels:
            yield space.active({**kept, path: level})


def _switched_off(space: Space, around: Settings) -> dict[str, Level]:
    off = {path: space.off_level(path) for path in space.axes}
    return {**around, **{path: level for path, level in off.items() if level is not None}}
