"""Logits computed from the cosines between features and classes."""

import torch
from torch import Tensor


def cosine_logits(cosines: Tensor, classes: Tensor, scale: float, margin: float) -> Tensor:
    """Subtract a margin from the cosine of each image's own class, then scale (CosFace, Wang et al. 2018, equation 4).

    Cosines `(B, C)` are in [-1, 1], classes are `(B,)`, and the logits `(B, C)`.
    """
    return scale * torch.where(_own(cosines, classes), cosines - margin, cosines)


def circle_logits(cosines: Tensor, classes: Tensor, scale: float, margin: float) -> Tensor:
    """Weight each cosine by its distance from its optimum (Sun et al. 2020, equations 4 to 8); shapes as above.

    The optimum is 1 + m for the image's own class and -m for the others; the decision margins are 1 - m and m. No
    gradient passes through the weights.
    """
    constant = cosines.detach()
    own = (1 + margin - constant).relu() * (cosines - (1 - margin))
    others = (constant + margin).relu() * (cosines - margin)
    return scale * torch.where(_own(cosines, classes), own, others)


def _own(cosines: Tensor, classes: Tensor) -> Tensor:
    return classes[:, None] == torch.arange(cosines.shape[1], device=classes.device)
