"""Checkpoints: a folder that appears whole, with weights as safetensors and nothing that would have to be unpickled."""

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

FINAL_WEIGHTS = "weights.safetensors"

_WEIGHTS, _PROGRESS, _ROW = "weights.safetensors", "progress.pt", "epoch.json"


@dataclass(frozen=True)
class Checkpoint:
    """Where a trial stood after an epoch."""

    path: Path

    @property
    def epoch(self) -> int:
        """Number of the epoch after which it was taken."""
        return int(self.path.name.removeprefix("epoch-"))

    def weights(self, device: torch.device) -> dict[str, Tensor]:
        """Return the weights of the model and the losses."""
        return read_weights(self.path / _WEIGHTS, device)

    def progress(self, device: torch.device) -> dict[str, Any]:
        """Return what `Trainer.load_progress` takes."""
        content: dict[str, Any] = torch.load(self.path / _PROGRESS, map_location=device, weights_only=True)
        return content

    def row(self) -> dict[str, Any]:
        """Return what the epoch measured."""
        return read_json(self.path / _ROW)


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
    """Save a checkpoint and drop the ones before it.

    Args:
        folder: The trial's folder of checkpoints.
        epoch: Number of the epoch that ended.
        weights: Weights of the model and the losses.
        progress: What else is needed to go on.
        metadata: What the file of weights says of itself, such as the normalisation of its images.
        row: What the epoch measured; a continued trial takes it from here where its line was not written yet.

    Raises:
        EnvironmentFailure: It cannot be written; the one before it stays.
    """
    unfinished = folder / f".epoch-{epoch}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        save_file(
            {name: value.contiguous() for name, value in weights.items()}, unfinished / _WEIGHTS, metadata=metadata
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
    """Keep the weights of a finished trial, or nothing; what was needed to go on is dropped either way."""
    last = latest(folder)
    if keep and last is not None:
        (last.path / _WEIGHTS).replace(folder / FINAL_WEIGHTS)
    for path in sorted(folder.glob("*epoch-*")):
        shutil.rmtree(path, ignore_errors=True)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


def final(folder: Path) -> Path | None:
    """Return the file of weights that a finished trial kept; None where it kept none."""
    path = folder / FINAL_WEIGHTS
    return path if path.exists() else None


def read_weights(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Return the weights of a file."""
    return dict(load_file(path, device=str(device)))


@contextlib.contextmanager
def or_set_aside(path: Path) -> Iterator[None]:
    """Set a checkpoint aside that cannot be read while the block runs, so that the trial starts over without it.

    Raises:
        EnvironmentFailure: It was damaged and is set aside, or memory or the share it lies on fails.
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
