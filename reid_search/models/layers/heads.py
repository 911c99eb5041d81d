"""From a map to a vector: pooling or a fully connected layer, reduction, BNNeck."""

import math

import torch
from torch import Tensor, nn

from reid_search.models.layers.settings import PoolingName, ReductionName
from reid_search.models.layers.shapes import Region

_SMALLEST = 1e-6


class Pooling(nn.Module):
    """Pools a map to one vector per image, by `max`, `avg`, `avg_max` (their sum) or `gem`.

    Plain reductions rather than adaptive pooling, whose gradient has no deterministic CUDA form.
    """

    def __init__(self, kind: PoolingName) -> None:
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
        if self.kind == "avg_max":
            return features.mean(dim=(2, 3)) + features.amax(dim=(2, 3))
        return self._generalised_mean(features.float().flatten(2))

    def _generalised_mean(self, values: Tensor) -> Tensor:
        """Return the power mean of `(B, C, N)`; by logarithms, as powers of a dead channel may underflow."""
        logarithms = values.clamp(min=_SMALLEST).log() * self.exponent
        return ((logarithms.logsumexp(dim=2) - math.log(values.shape[2])) / self.exponent).exp()


class FullyConnected(nn.Module):
    """Turns a flattened map, or a stripe of it, into one vector per image, with a weight for each place.

    It takes maps of one size only, that of its region. `dropout` is the share of the map's values dropped in training.
    """

    def __init__(self, channels: int, dim: int, region: Region, *, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__()
        self.region = region
        self.dropout = nn.Dropout(dropout)
        self.linear = _linear(channels * region.rows * region.columns, dim, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, dim)` of a map `(B, C, H, W)`.

        Raises:
            StudyError: The map has another size than its region.
        """
        self.region.refuse(*features.shape[2:])
        vector: Tensor = self.linear(self.dropout(features.flatten(1)))
        return vector


def build_reduction(channels: int, dim: int, kind: ReductionName) -> nn.Sequential:
    """Return the reduction of a pooled feature `(B, channels)` to `(B, dim)`.

    A 1×1 convolution on a 1×1 map is a linear layer; it starts as the public MGN code does (kaiming, fan-in; batch
    norm N(1, 0.02)). Only `linear` has a bias, which a following batch norm would cancel.
    """
    name = "linear" if kind == "linear" else "conv"
    reduction = nn.Sequential()
    reduction.add_module(name, _linear(channels, dim, bias=kind == "linear"))
    for name, module in build_norm(dim, kind).named_children():
        reduction.add_module(name, module)
    return reduction


def build_norm(dim: int, kind: ReductionName) -> nn.Sequential:
    """Return what follows the linear layer of a reduction: batch norm and ReLU, batch norm, or nothing."""
    norm = nn.Sequential()
    if kind in ("conv_bn_relu", "conv_bn"):
        norm.add_module("bn", nn.BatchNorm1d(dim))
        nn.init.normal_(norm.get_parameter("bn.weight"), 1.0, 0.02)
    if kind == "conv_bn_relu":
        norm.add_module("relu", nn.ReLU())
    return norm


def build_neck(dim: int) -> nn.BatchNorm1d:
    """Return a BNNeck: batch norm whose shift stays 0 (Luo et al. 2019, section 3.6)."""
    neck = nn.BatchNorm1d(dim)
    neck.bias.requires_grad_(False)
    return neck


def _linear(inputs: int, outputs: int, *, bias: bool) -> nn.Linear:
    linear = nn.Linear(inputs, outputs, bias=bias)
    nn.init.kaiming_normal_(linear.weight, mode="fan_in")
    if bias:
        nn.init.zeros_(linear.bias)
    return linear
