"""Pairs of images: which pairs a batch has, and their batch norm."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class PairNorm(nn.BatchNorm1d):
    """Batch norm over pairs; a single pair has no variance, so the running statistics normalise it."""

    def forward(self, pairs: Tensor) -> Tensor:
        """Return `(N, D)` normalised."""
        if self.training and len(pairs) == 1:
            return functional.batch_norm(
                pairs, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )
        return super().forward(pairs)


class Roles(NamedTuple):
    """Which images of a batch are probes, and which the gallery that they share, both `(B,)` of bool."""

    probe: Tensor
    gallery: Tensor


def assign_roles(identities: Tensor) -> Roles:
    """Make the first image of each identity a probe and all others the gallery (Shen et al. 2018, section 4.2).

    The sampler draws the images of an identity in random order. An identity's only image has no match, so it joins the
    gallery.
    """
    same = identities[:, None] == identities[None]
    probe = (same.sum(dim=1) > 1) & ~same.tril(diagonal=-1).any(dim=1)
    return Roles(probe, ~probe)


def symmetric(values: Tensor, count: int) -> Tensor:
    """Return `(N, N)` with these values, ordered like `torch.triu_indices`, above and below a diagonal of 0."""
    rows, columns = torch.triu_indices(count, count, offset=1, device=values.device)
    upper = values.new_zeros(count, count).index_put((rows, columns), values)
    return upper + upper.T
