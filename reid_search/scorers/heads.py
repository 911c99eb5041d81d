"""Trained heads in testing: copies of losses in evaluation mode and double precision, called with arrays."""

import copy

import torch
from torch import Tensor, nn

from reid_search.common.arrays import Floats
from reid_search.errors import nearest
from reid_search.scorers.scorer import ScorerError


def testing_copy(head: nn.Module | None, kind: str, method: str) -> nn.Module:
    """Return a copy of a trained loss for a scorer of this kind, which calls this method.

    In double precision, rounding errors are far smaller than the grid on which scores are compared (`scorer.on_grid`).

    Raises:
        ScorerError: There is no head, or it has no such method.
    """
    if head is None:
        raise ScorerError(f"scorer '{kind}': it needs a loss whose trained head scores, and was given none")
    if not hasattr(head, method):
        offered = [name for name in ("pair_scores", "graph_scores") if hasattr(head, name)]
        raise ScorerError(f"scorer '{kind}': {type(head).__name__} has no '{method}'; {nearest(method, offered)}")
    return copy.deepcopy(head).double().eval().requires_grad_(False)


def to_device(values: Floats, head: nn.Module) -> Tensor:
    """Return an array as a double tensor where the head is."""
    return torch.from_numpy(values).to(device=next(head.parameters()).device, dtype=torch.float64)


def to_array(values: Tensor) -> Floats:
    """Return a tensor as a float64 array."""
    array: Floats = values.double().cpu().numpy()
    return array
