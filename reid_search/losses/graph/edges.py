"""Weights of the edges between the gallery images of a probe; the weights into a node sum to 1."""

import torch
from torch import Tensor

from reid_search.common.labels import DISTRACTOR

_SHUFFLE_SEED = 0


def weights_of(scores: Tensor, neighbours: Tensor) -> Tensor:
    """Return the softmax of scores `(…, N, N)` over neighbours; an image without neighbours is its own.

    Row i holds the edges into node i; `neighbours` is `(N, N)` of bool.
    """
    alone = torch.diag(~neighbours.any(dim=1))
    return scores.masked_fill(~(neighbours | alone), -torch.inf).softmax(dim=-1)


def all_others(count: int, device: torch.device) -> Tensor:
    """Return `(N, N)`: True off the diagonal."""
    return ~torch.eye(count, dtype=torch.bool, device=device)


def same_identity(identities: Tensor) -> Tensor:
    """Return `(N, N)`: whether two images show the same identity; never for junk (-1) and distractors (0)."""
    return (identities[:, None] == identities[None]) & (identities > DISTRACTOR)[:, None]


def shuffled(scores: Tensor) -> Tensor:
    """Return the scores `(N, N)` with rows and columns permuted in a fixed order.

    The weights, including the zero diagonal, are those of the true graph, but between the wrong images.
    """
    generator = torch.Generator().manual_seed(_SHUFFLE_SEED)
    order = torch.randperm(len(scores), generator=generator).to(scores.device)
    return scores[order][:, order]
