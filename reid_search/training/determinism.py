"""Numbers that repeat to the last digit: threads, algorithms and random state, set while a block runs."""

import contextlib
import os
import zlib
from collections.abc import Iterator

import torch


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Return a separate seed for each purpose of a trial."""
    return zlib.crc32("/".join(map(str, (seed, *purpose))).encode())


@contextlib.contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Fix the number of CPU threads and allow only deterministic algorithms while the block runs."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.backends.cudnn.benchmark = before[2]


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators while the block runs, and restore their state afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
