"""The taps of heads and branches, and the parameters below each; no torch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reid_search.models.layers.settings import BranchSettings, RegionSettings, StripeSettings
from reid_search.study import Scope, Stage, TapSpec


@dataclass(frozen=True)
class HeadStage:
    """One stage of a head, a feature of `size` values.

    `module` computes it from the stage before (None: without parameters); `shared`: all heads share that module.
    """

    stage: Stage
    size: int
    module: str | None
    shared: bool = False


HeadStages = Sequence[HeadStage]


def pooling_parameters(config: BranchSettings, name: str = "pooling") -> frozenset[str]:
    """Return the name of the pooling module if it has parameters."""
    return frozenset({name} if config.pooling == "gem" else ())


def head_stages(config: BranchSettings | RegionSettings, size: int | None = None) -> HeadStages:
    """Return the stages of a head; `size` is that of the vector it is given, None if the head pools the map itself."""
    coarse, dim = size or config.channels, config.embedding_dim
    makes = size is None and config.pooling in ("gem", "fc")
    if isinstance(config, RegionSettings):
        coarse = config.coarse_dim
    stages = [HeadStage(Stage.COARSE, coarse, "pooling" if makes else None)]
    if dim is not None:
        # The linear layer of `fc` is in its pooling.
        learnt = config.pooling != "fc" or config.reduction not in ("conv", "linear")
        shared = isinstance(config, StripeSettings) and config.reduction_shared
        stages.append(HeadStage(Stage.REDUCED, dim, "reduction" if learnt else None, shared))
    if config.neck == "bnneck":
        stages.append(HeadStage(Stage.NECK, dim or coarse, "neck"))
    return stages


def vector_taps(
    name: str, scope: Scope, stages: HeadStages, below: Iterable[str], heads: Sequence[str]
) -> Iterator[TapSpec]:
    """Yield the taps of one vector in the order in which a head returns them.

    `below` names the modules with parameters below the heads, `heads` the head or all heads that it concatenates.
    """
    through = frozenset(below)
    for step in stages:
        if step.module:
            through |= {step.module} if step.shared else {f"{head}.{step.module}" for head in heads}
        yield TapSpec(name, scope, step.stage, (step.size * len(heads),), through)


def branch_taps(index: int, name: str, cuts: Mapping[str, int], stages: HeadStages) -> Iterator[TapSpec]:
    """Yield the taps of the `index`-th branch of a `BranchedModel`, in the order in which `Branch` returns them.

    `cuts` are numbers of stripes by name; 1 is the whole map alone.
    """
    branch = f"branches.{index}"
    below = ("shared", f"{branch}.blocks")
    yield from vector_taps(f"{name}.global", Scope.GLOBAL, stages, below, [f"{branch}.whole"])
    for cut, count in cuts.items():
        if count > 1:
            yield from stripe_taps(cut, count, stages, below, f"{branch}.stripes.{cut}")


def stripe_taps(name: str, parts: int, stages: HeadStages, below: Iterable[str], heads: str) -> Iterator[TapSpec]:
    """Yield the taps of the heads on the stripes, for the name `p3` `p3.part1` …, and their concatenation `p3.concat`.

    `below` names the modules with parameters below the heads, `heads` the list of heads.
    """
    names = [f"{heads}.{number}" for number in range(parts)]
    for number, head in enumerate(names, start=1):
        yield from vector_taps(f"{name}.part{number}", Scope.PART, stages, below, [head])
    yield from vector_taps(f"{name}.concat", Scope.CONCAT, stages, below, names)
