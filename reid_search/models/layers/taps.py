"""The taps of a branch, known without torch."""

from collections.abc import Iterator, Mapping, Sequence

from reid_search.study import Scope, Stage, TapSpec

StageSizes = Sequence[tuple[Stage, int]]


def branch_taps(
    name: str, parts: int | Mapping[str, int], channels: int, dim: int | None, neck: bool
) -> Iterator[TapSpec]:
    """Yield the taps of one branch, in the order in which `Branch` returns them.

    Args:
        name: Name of the branch, `p3`.
        parts: Number of stripes, or several numbers by name; 1 is the whole map alone.
        channels: Size of a coarse feature: channels of the last map, unless the heads are fully connected.
        dim: Size of the reduced feature; None where there is none.
        neck: Whether a BNNeck follows.
    """
    sizes = stage_sizes(channels, dim, neck)
    yield from whole_taps(name, sizes)
    for cut, count in ({name: parts} if isinstance(parts, int) else parts).items():
        if count > 1:
            yield from stripe_taps(cut, count, sizes)


def stage_sizes(channels: int, dim: int | None, neck: bool) -> StageSizes:
    """Return the stages that a head offers and the size of its feature at each; arguments as of `branch_taps`."""
    sizes = [(Stage.COARSE, channels)]
    if dim is not None:
        sizes.append((Stage.REDUCED, dim))
    if neck:
        sizes.append((Stage.NECK, dim or channels))
    return sizes


def whole_taps(name: str, sizes: StageSizes) -> Iterator[TapSpec]:
    """Yield the taps of the head on the whole map, `p3.global`."""
    yield from _vector(f"{name}.global", Scope.GLOBAL, sizes, 1)


def stripe_taps(name: str, parts: int, sizes: StageSizes) -> Iterator[TapSpec]:
    """Yield the taps of the heads on the stripes, `p3.part1` …, and their concatenation `p3.concat`."""
    for number in range(1, parts + 1):
        yield from _vector(f"{name}.part{number}", Scope.PART, sizes, 1)
    yield from _vector(f"{name}.concat", Scope.CONCAT, sizes, parts)


def _vector(name: str, scope: Scope, sizes: StageSizes, times: int) -> Iterator[TapSpec]:
    for stage, size in sizes:
        yield TapSpec(name, scope, stage, (size * times,))
