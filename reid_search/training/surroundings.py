"""Tells a trial's own failures from those of its machine: files, memory and devices, as torch reports them."""

import torch
from safetensors import SafetensorError

from reid_search.errors import is_of_environment

# torch has no type for these.
_WORDS = ("can't allocate memory", "CUDA error", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
_OWN_WORDS = "device-side assert"


def is_around_trial(error: BaseException) -> bool:
    """Return whether an error is not the trial's own, so that the same trial may succeed later or elsewhere."""
    if is_of_environment(error) or isinstance(error, (torch.OutOfMemoryError, SafetensorError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and _OWN_WORDS not in text and any(word in text for word in _WORDS)


def in_one_line(error: BaseException) -> str:
    """Return an error's type and the first line of its message."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
