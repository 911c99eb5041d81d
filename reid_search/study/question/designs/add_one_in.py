"""Add one in: from the bare system, in which all axes of the phase are off, each component added."""

from collections.abc import Iterator

from reid_search.study.question.axes import Level
from reid_search.study.question.designs.design import Design, around_centre
from reid_search.study.question.space import Settings, Space


def _settings(space: Space, around: Settings) -> Iterator[Settings]:
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


DESIGN = Design(
    "add_one_in",
    "one component added at a time",
    around_centre(_settings),
    nothing="no axis of the phase has a level beside off, so there is nothing to add; name the axes that have",
)
