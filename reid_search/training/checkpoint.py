"""Checkpoints: a folder each, renamed into place once complete. Weights are safetensors; nothing is unpickled."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from reid_search.errors import EnvironmentFailure, RecordError
from reid_search.records.files import read_json, write_json
from reid_search.training.surroundings import in_one_line, is_around_trial

WEIGHTS = "weights.safetensors"
_PROGRESS, _ROW = "progress.pt", "epoch.json"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a trial after an epoch."""

    path: Path

    @property
    def epoch(self) -> int:
        """Number of the epoch after which it was taken."""
        return int(self.path.name.removeprefix("epoch-"))

    def load(self, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any], dict[str, Any]]:
        """Return the weights of the model and the losses, the rest of the trainer's state, and the epoch's row."""
        progress = torch.load(self.path / _PROGRESS, map_location=device, weights_only=True)
        return load_file(self.path / WEIGHTS, str(device)), progress, read_json(self.path / _ROW)


def latest(folder: Path) -> Checkpoint | None:
    """Return the last complete checkpoint of a trial."""
    found = [Checkpoint(path) for path in folder.glob("epoch-*")] if folder.exists() else []
    return max(found, key=lambda checkpoint: checkpoint.epoch, default=None)


def save(
    folder: Path,
    epoch: int,
    weights: dict[str, Tensor],
    progress: dict[str, Any],
    row: dict[str, Any],
    metadata: dict[str, str] | None = None,
) -> None:
    """Save a checkpoint in a trial's folder of checkpoints, and delete earlier ones.

    It also holds the epoch's row: a resumed trial takes it from here if its line was not written yet. `metadata` is
    what the file of weights says of itself, such as the normalisation of its images.

    Raises:
        EnvironmentFailure: It cannot be written; the one before it stays.
    """
    unfinished = folder / f".epoch-{epoch}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        save_file(
            {name: value.contiguous() for name, value in weights.items()}, unfinished / WEIGHTS, metadata=metadata
        )
        torch.save(progress, unfinished / _PROGRESS)
        write_json(unfinished / _ROW, row)
        for path in unfinished.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    except (OSError, RuntimeError, SafetensorError) as error:  # torch reports a full disk as a RuntimeError
        shutil.rmtree(unfinished, ignore_errors=True)
        raise EnvironmentFailure(f"{folder}: the checkpoint cannot be written: {in_one_line(error)}") from error
    target = folder / f"epoch-{epoch}"
    shutil.rmtree(target, ignore_errors=True)
    unfinished.replace(target)
    for path in (*folder.glob("epoch-*"), *folder.glob(".epoch-*")):
        if path != target:
            shutil.rmtree(path, ignore_errors=True)


def close(folder: Path, keep: bool) -> None:
    """Keep only the weights of a trial that has ended, or nothing."""
    last = latest(folder)
    if keep and last is not None:
        (last.path / WEIGHTS).replace(folder / WEIGHTS)
    for path in sorted(folder.glob("*epoch-*")) if keep else [folder]:
        shutil.rmtree(path, ignore_errors=True)


def final(folder: Path) -> Path | None:
    """Return the file of weights that a finished trial kept; None if it kept none."""
    path = folder / WEIGHTS
    return path if path.exists() else None


@contextlib.contextmanager
def or_set_aside(path: Path) -> Iterator[None]:
    """Set a checkpoint aside if the block finds it damaged, so that the trial starts over without it.

    Raises:
        EnvironmentFailure: The checkpoint was damaged and is set aside.
    """
    try:
        yield
    except Exception as error:
        damaged = isinstance(error, SafetensorError | RecordError) or not is_around_trial(error)
        if not (damaged or (isinstance(error, FileNotFoundError) and path.exists())):
            raise
        aside = path.with_name(f"damaged-{path.name}")
        shutil.rmtree(aside, ignore_errors=True)
        aside.unlink(missing_ok=True)
        path.replace(aside)
        raise EnvironmentFailure(
            f"{path}: cannot be read ({in_one_line(error)}); it is set aside as {aside.name}, and the trial starts over"
        ) from error
