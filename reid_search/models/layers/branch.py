"""A branch: the rest of a backbone, and heads on the whole map and on its stripes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from reid_search.models.layers.heads import FullyConnected, Pooling, build_neck, build_norm, build_reduction
from reid_search.models.layers.settings import BranchSettings, HeadName, ReductionName, RegionSettings, coarse_dim
from reid_search.models.layers.shapes import Region, stripe_bounds
from reid_search.models.model import Taps
from reid_search.study import Stage

Stages = dict[Stage, Tensor]


@dataclass(frozen=True)
class HeadSettings:
    """How a map of `channels` becomes a vector: pooling, reduction to `dim` (None leaves it out), BNNeck.

    `dropout` is the share of the values that training drops before the reduction, or before `fc`.
    """

    channels: int
    pooling: HeadName
    reduction: ReductionName
    dim: int | None
    neck: bool
    dropout: float = 0.0

    @classmethod
    def of(cls, config: BranchSettings | RegionSettings) -> "HeadSettings":
        """Return what a model's config says of its heads."""
        dropout = config.dropout if isinstance(config, RegionSettings) else 0.0
        neck = config.neck == "bnneck"
        return cls(config.channels, config.pooling, config.reduction, config.embedding_dim, neck, dropout)


class Head(nn.Module):
    """Turns a map into one vector in stages: pooled or fully connected, reduced, normalised.

    `reduction` is shared with other heads, if given; only `fc` needs `region`, the part of the map that the head sees.
    """

    def __init__(
        self, settings: HeadSettings, reduction: nn.Module | None = None, region: Region | None = None
    ) -> None:
        super().__init__()
        self.pooling = _build_pooling(settings, region)
        self.reduction: nn.Module | None = None
        self._shared = (reduction,) if reduction is not None else ()
        if settings.dim is not None and reduction is None:
            self.reduction = _build_reduction(settings, settings.dim)
        self.neck = build_neck(settings.dim or settings.channels) if settings.neck else None
        self.dropout = nn.Dropout(0.0 if settings.pooling == "fc" else settings.dropout)

    def forward(self, features: Tensor) -> Stages:
        """Return the stages of a map, or of a stripe of it, `(B, C, H, W)`."""
        return self.stages(self.pooling(features))

    def stages(self, vector: Tensor) -> Stages:
        """Return the stages of a coarse feature `(B, C)`, which is pooled already."""
        stages = {Stage.COARSE: vector}
        for reduction in (self.reduction, *self._shared):
            if reduction is not None:
                vector = stages[Stage.REDUCED] = reduction(self.dropout(vector))
        if self.neck is not None:
            stages[Stage.NECK] = self.neck(vector)
        return stages


class Stripes(nn.ModuleList):
    """A head on each stripe of a map, with the taps `p3.part1` …, and their concatenation `p3.concat` (name `p3`)."""

    def __init__(
        self,
        name: str,
        parts: int,
        settings: HeadSettings,
        reduction: nn.Module | None = None,
        region: Region | None = None,
    ) -> None:
        regions = [None] * parts if region is None else region.stripes(parts)
        super().__init__(Head(settings, reduction, stripe) for stripe in regions)
        self.name = name

    def forward(self, features: Tensor) -> Taps:
        """Return the taps of a map `(B, C, H, W)`."""
        bounds = stripe_bounds(features.shape[2], len(self))
        heads = zip(self._heads, bounds, strict=True)
        return self._taps([head(features[:, :, low:high]) for head, (low, high) in heads])

    def taps_of_vectors(self, vectors: Tensor) -> Taps:
        """Return the taps of coarse features `(B, parts, C)`, which are pooled already."""
        return self._taps([head.stages(vector) for head, vector in zip(self._heads, vectors.unbind(1), strict=True)])

    @property
    def _heads(self) -> list[Head]:
        return cast("list[Head]", list(self))

    def _taps(self, parts: Sequence[Stages]) -> Taps:
        return part_taps([f"{self.name}.part{number}" for number in range(1, len(parts) + 1)], parts, self.name)


class Branch(nn.Module):
    """The rest of a backbone, a head on the whole map and, if there are several parts, one on each stripe.

    `parts` is the number of stripes, or numbers by name if one map is cut in several ways; all heads share `reduction`,
    if given; only `fc` needs `region`, the map.
    """

    def __init__(
        self,
        name: str,
        blocks: nn.Sequential,
        parts: int | Mapping[str, int],
        settings: HeadSettings,
        reduction: nn.Module | None = None,
        region: Region | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.blocks = blocks
        self.whole = Head(settings, reduction, region)
        cuts = {name: parts} if isinstance(parts, int) else parts
        self.stripes = nn.ModuleDict(
            {cut: Stripes(cut, count, settings, reduction, region) for cut, count in cuts.items() if count > 1}
        )

    def forward(self, features: Tensor) -> Taps:
        """Return the branch's taps."""
        last = self.blocks(features)
        taps = named(f"{self.name}.global", self.whole(last))
        for stripes in self.stripes.values():
            taps |= stripes(last)
        return taps


def build_vector_head(size: int, config: BranchSettings) -> Head:
    """Return a head whose `stages` take pooled vectors `(B, size)`."""
    return Head(replace(HeadSettings.of(config), channels=size, pooling="avg"))


def named(name: str, stages: Stages) -> Taps:
    """Return the stages of a head as taps."""
    return {f"{name}@{stage}": value for stage, value in stages.items()}


def part_taps(names: Sequence[str], parts: Sequence[Stages], whole: str) -> Taps:
    """Return the stages of the parts as taps, followed by their concatenation as `<whole>.concat`."""
    taps: Taps = {}
    for name, stages in zip(names, parts, strict=True):
        taps |= named(name, stages)
    joined = {stage: torch.cat([stages[stage] for stages in parts], dim=1) for stage in parts[0]}
    return taps | named(f"{whole}.concat", joined)


def _build_pooling(settings: HeadSettings, region: Region | None) -> nn.Module:
    if settings.pooling != "fc":
        return Pooling(settings.pooling)
    if region is None:
        raise ValueError("a fully connected head needs the region of the map that it sees")
    dim = coarse_dim(settings.pooling, settings.channels, settings.dim)
    bias = settings.dim is None or settings.reduction == "linear"  # a batch norm would cancel it
    return FullyConnected(settings.channels, dim, region, dropout=settings.dropout, bias=bias)


def _build_reduction(settings: HeadSettings, dim: int) -> nn.Module:
    if settings.pooling == "fc":
        return build_norm(dim, settings.reduction)
    return build_reduction(settings.channels, dim, settings.reduction)
