"""Leave one out: from the full system, each component switched off.

What "off" means for an axis says `Space.off_level`. An axis that has no such level, because the base does not have the
axis at all, cannot be switched off alone: it goes with the one that its condition names.
"""

from collections.abc import Iterator

from reid_search.study.question.designs.design import Design, around_centre
from reid_search.study.question.space import Settings, Space


def _settings(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield the full system, which the design stands around, then it without each component that is on there."""
    yield around
    for path, level in around.items():
        off = space.off_level(path)
        if off is not None and off != level:
            yield space.active({**around, path: off})


DESIGN = Design(
    "leave_one_out",
    "one component left out at a time",
    around_centre(_settings),
    nothing="around {around} every axis of the phase is off, so there is nothing to leave out; stand it around the "
    "full system, a named arm, or say with `off` at which level an axis is off",
)
