"""Every combination of levels."""

from collections.abc import Iterator

from reid_search.study.question.designs.design import Design, around_centre
from reid_search.study.question.space import Settings, Space


def _settings(space: Space, around: Settings) -> Iterator[Settings]:
    """Yield what the design stands around, then every combination of levels."""
    yield around
    yield from space.combinations()


DESIGN = Design("factorial", "every combination", around_centre(_settings), has_effects=True)
