"""The taps of a branch, known without torch."""

from collections.abc import Iterator, Sequence

from reid_search.study import Scope, Stage, TapSpec


def branch_taps(name: str, parts: int, channels: int, dim: int | None, neck: bool) -> Iterator[TapSpec]:
    """Yield the taps of one branch, in the order in which `Branch` returns them.

    Args:
        name: Name of the branch, `p3`.
        parts: Number of stripes; 1 is the whole map alone.
        channels: Channels of the last map.
        dim: Size of the reduced feature; None where there is none.
        neck: Whether a BNNeck follows.
    """
    sizes = _stages(channels, dim, neck)
    yield from _vector(f"{name}.global", Scope.GLOBAL, sizes, 1)
    if parts > 1:
        for number in range(1, parts + 1):
            yield from _vector(f"{name}.part{number}", Scope.PART, sizes, 1)
        yield from _vector(f"{name}.concat", Scope.CONCAT, sizes, parts)


def _stages(channels: int, dim: int | None, neck: bool) -> list[tuple[Stage, int]]:
    sizes = [(Stage.COARSE, channels)]
    if dim is not None:
        sizes.append((Stage.REDUCED, dim))
    if neck:
        sizes.append((Stage.NECK, dim or channels))
    return sizes


def _vector(name: str, scope: Scope, sizes: Sequence[tuple[Stage, int]], times: int) -> Iterator[TapSpec]:
    for stage, size in sizes:
        yield TapSpec(name, scope, stage, (size * times,))
