"""The taps of one vector, and the readout that follows from them, known without torch."""

from reid_search.models.layers.settings import BranchSettings
from reid_search.models.layers.taps import stage_sizes
from reid_search.study import Scope, Stage, TapSpec


def vector_taps(name: str, scope: Scope, size: int, config: BranchSettings, times: int = 1) -> list[TapSpec]:
    """Return the taps of one vector in the order in which a head returns them.

    Args:
        name: What the taps are called.
        scope: What the vector describes.
        size: Values of the vector.
        config: Whether it is reduced, and whether a BNNeck follows.
        times: Of how many such vectors it is the concatenation.
    """
    sizes = stage_sizes(size, config.embedding_dim, config.neck == "bnneck")
    return [TapSpec(name, scope, stage, (times * length,)) for stage, length in sizes]


def last_stage(config: BranchSettings) -> Stage:
    """Return the last stage that a vector has."""
    return vector_taps("", Scope.GLOBAL, 1, config)[-1].stage
