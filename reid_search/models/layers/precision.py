"""Keeps sums over a map in float32 while the rest of a model may run in half precision."""

import contextlib
from contextlib import AbstractContextManager

import torch
from torch import Tensor


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Return a context that switches autocast off on the device of a tensor; convert inputs to float32 inside it."""
    kind = like.device.type
    if not torch.amp.is_autocast_available(kind):
        return contextlib.nullcontext()
    return torch.autocast(kind, enabled=False)


def at_least_float32(values: Tensor) -> Tensor:
    """Return half-precision values as float32, others as they are."""
    return values if values.dtype in (torch.float32, torch.float64) else values.float()
