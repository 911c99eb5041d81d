"""What stands on a map: pooling, reduction, BNNeck."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

_SMALLEST = 1e-6


class Pooling(nn.Module):
    """Pools rows of a map to one vector per image.

    Slices and plain reductions rather than adaptive pooling, whose gradient has no deterministic CUDA form.

    Args:
        kind: `max`, `avg` or `gem`.
    """

    def __init__(self, kind: Literal["max", "avg", "gem"]) -> None:
        super().__init__()
        self.kind = kind
        if kind == "gem":
            self.exponent = nn.Parameter(torch.tensor(3.0))

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, C)` of a map `(B, C, H, W)`."""
        if self.kind == "max":
            return features.amax(dim=(2, 3))
        if self.kind == "avg":
            return features.mean(dim=(2, 3))
        return self._generalised_mean(features.float().flatten(2))

    def _generalised_mean(self, values: Tensor) -> Tensor:
        """Return the mean of powers of `(B, C, N)`; by logarithms, as powers of a dead channel may underflow."""
        logarithms = values.clamp(min=_SMALLEST).log() * self.exponent
        return ((logarithms.logsumexp(dim=2) - math.log(values.shape[2])) / self.exponent).exp()


def build_reduction(channels: int, dim: int, kind: Literal["conv_bn_relu", "conv_bn"]) -> nn.Sequential:
    """Return the reduction of a pooled feature `(B, channels)` to `(B, dim)`.

    A 1×1 convolution on a 1×1 map is a linear layer; it starts as the public MGN code does (kaiming, fan-in; batch
    norm N(1, 0.02)).
    """
    linear = nn.Linear(channels, dim, bias=False)
    norm = nn.BatchNorm1d(dim)
    nn.init.kaiming_normal_(linear.weight, mode="fan_in")
    nn.init.normal_(norm.weight, 1.0, 0.02)
    reduction = nn.Sequential()
    reduction.add_module("conv", linear)
    reduction.add_module("bn", norm)
    if kind == "conv_bn_relu":
        reduction.add_module("relu", nn.ReLU())
    return reduction


def build_neck(dim: int) -> nn.BatchNorm1d:
    """Return a BNNeck: batch norm whose shift stays 0 (Luo et al. 2019, section 3.6)."""
    neck = nn.BatchNorm1d(dim)
    neck.bias.requires_grad_(False)
    return neck
