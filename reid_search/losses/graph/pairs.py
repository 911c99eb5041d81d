"""Pairs of images: their features, and which pairs a batch has."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class PairNorm(nn.BatchNorm1d):
    """Batch norm over pairs; a single pair has no spread, so the running statistics normalise it."""

    def forward(self, pairs: Tensor) -> Tensor:
        """Return `(N, D)` normalised."""
        if self.training and len(pairs) == 1:
            return functional.batch_norm(
                pairs, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )
        return super().forward(pairs)


def compare(first: Tensor, second: Tensor, kind: Literal["squared", "absolute", "product"]) -> Tensor:
    """Return the features of pairs, broadcast; the same for (a, b) and (b, a)."""
    if kind == "product":
        return first * second
    difference = first - second
    return difference.square() if kind == "squared" else difference.abs()


class Roles(NamedTuple):
    """Which images of a batch are probes, and which the gallery that they share, both `(B,)` of bool."""

    probe: Tensor
    gallery: Tensor


def assign_roles(identities: Tensor) -> Roles:
    """Make the first image of each identity a probe and all others the gallery (Shen et al. 2018, section 4.2).

    The sampler draws the images of an identity in random order. The single image of an identity has no match to find,
    so it joins the gallery.
    """
    same = identities[:, None] == identities[None]
    probe = (same.sum(dim=1) > 1) & ~same.tril(diagonal=-1).any(dim=1)
    return Roles(probe, ~probe)


def symmetric(values: Tensor, count: int) -> Tensor:
    """Return `(N, N)` of these values, in the order of `torch.triu_indices`, above and below a diagonal of 0."""
    rows, columns = torch.triu_indices(count, count, offset=1, device=values.device)
    upper = values.new_zeros(count, count).index_put((rows, columns), values)
    return upper + upper.T
