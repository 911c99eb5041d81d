"""A branch: the rest of a backbone, and heads on the whole map and on its stripes."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from reid_search.models.model import Taps
from reid_search.models.parts.heads import Pooling, build_neck, build_reduction
from reid_search.models.parts.settings import BranchSettings
from reid_search.models.parts.shapes import BACKBONES, stripe_bounds
from reid_search.study import Stage


@dataclass(frozen=True)
class HeadSettings:
    """How a pooled vector goes on.

    Attributes:
        channels: Channels of the map.
        pooling: Kind of pooling.
        reduction: Kind of reduction.
        dim: Size of the reduced feature; None leaves it out.
        neck: Whether a BNNeck follows.
    """

    channels: int
    pooling: Literal["max", "avg", "gem"]
    reduction: Literal["conv_bn_relu", "conv_bn"]
    dim: int | None
    neck: bool

    @classmethod
    def of(cls, config: BranchSettings) -> "HeadSettings":
        """Return what a model's config says of its heads."""
        return cls(
            channels=BACKBONES[config.backbone].channels,
            pooling=config.pooling,
            reduction=config.reduction,
            dim=config.embedding_dim,
            neck=config.neck == "bnneck",
        )


class Head(nn.Module):
    """One vector's way from the map: pooled, reduced, normalised.

    Args:
        settings: How it goes on.
        reduction: A reduction shared with other heads; one of its own where omitted.
    """

    def __init__(self, settings: HeadSettings, reduction: nn.Module | None = None) -> None:
        super().__init__()
        self.pooling = Pooling(settings.pooling)
        self.reduction: nn.Module | None = None
        self._shared = (reduction,) if reduction is not None else ()
        if settings.dim is not None and reduction is None:
            self.reduction = build_reduction(settings.channels, settings.dim, settings.reduction)
        self.neck = build_neck(settings.dim or settings.channels) if settings.neck else None

    def forward(self, features: Tensor) -> dict[Stage, Tensor]:
        """Return the stages of a map, or of a stripe of it, `(B, C, H, W)`."""
        feature = self.pooling(features)
        stages = {Stage.COARSE: feature}
        for reduction in (self.reduction, *self._shared):
            if reduction is not None:
                feature = stages[Stage.REDUCED] = reduction(feature)
        if self.neck is not None:
            stages[Stage.NECK] = self.neck(feature)
        return stages


class Branch(nn.Module):
    """The rest of a backbone with a head on the whole map and, where it has several parts, one on each stripe.

    Args:
        name: Name of the branch, `p3`.
        blocks: The rest of the backbone.
        parts: Number of stripes.
        settings: How vectors go on.
        reduction: A reduction that all heads share.
    """

    def __init__(
        self, name: str, blocks: nn.Sequential, parts: int, settings: HeadSettings, reduction: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.name = name
        self.parts = parts
        self.blocks = blocks
        self.whole = Head(settings, reduction)
        self.stripes = nn.ModuleList(Head(settings, reduction) for _ in range(parts if parts > 1 else 0))

    def forward(self, features: Tensor) -> Taps:
        """Return the branch's taps."""
        last = self.blocks(features)
        taps = {f"{self.name}.global@{stage}": value for stage, value in self.whole(last).items()}
        if not self.stripes:
            return taps
        bounds = stripe_bounds(last.shape[2], self.parts)
        stripes = [head(last[:, :, low:high]) for head, (low, high) in zip(self.stripes, bounds, strict=True)]
        for number, stages in enumerate(stripes, start=1):
            taps |= {f"{self.name}.part{number}@{stage}": value for stage, value in stages.items()}
        for stage in stripes[0]:
            taps[f"{self.name}.concat@{stage}"] = torch.cat([stages[stage] for stages in stripes], dim=1)
        return taps
