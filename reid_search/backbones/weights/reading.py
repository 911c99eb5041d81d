"""Opening a file of weights without running any code that it may hold."""

import argparse
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy._core.multiarray import scalar
from safetensors.torch import load_file

from reid_search.errors import StudyError

_HEAD = 512
# What training scripts keep beside their tensors: settings, and the best score as a number of numpy.
_HARMLESS: list[Callable[..., object] | tuple[Callable[..., object], str]] = [
    argparse.Namespace,
    np.dtype,
    np.ndarray,
    scalar,
    *(type(np.dtype(name)) for name in ("bool", "int32", "int64", "float32", "float64")),
]


def read_file(path: Path) -> object:
    """Return what a file holds: tensors by name, or what wraps them.

    Raises:
        StudyError: It is not a file of weights; the message says what it is.
    """
    try:
        head = _head(path)
        if _is_safetensors(path, head):
            return dict(load_file(path))
        # A file rather than a path, whose name torch would go by.
        with torch.serialization.safe_globals(_HARMLESS), path.open("rb") as file:
            content: object = torch.load(file, map_location="cpu", weights_only=True)
    except StudyError:
        raise
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:
        raise StudyError(f"{path}: {_refused(str(error))}") from error
    except Exception as error:  # torch's reader of a damaged file may trip over anything
        raise StudyError(f"{path}: not a weights file, cut off or damaged ({_first_line(error)})") from error
    return content


def _head(path: Path) -> bytes:
    """Return the first bytes of a file, and refuse what is plainly something else."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    text = head.lstrip().lower()
    if not head:
        raise StudyError(f"{path}: not a weights file, but empty; fetch it again")
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise StudyError(f"{path}: not a weights file, but a web page; the download failed, fetch it again")
    if text.startswith(b"version https://git-lfs"):
        raise StudyError(f"{path}: not a weights file, but a pointer to it; `git lfs pull` fetches it")
    if _is_script(path):
        advice = "save its tensors: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')"
        raise StudyError(f"{path}: not a weights file, but a TorchScript archive, which runs code; {advice}")
    return head


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.partition("/")[2] == "constants.pkl" for name in archive.namelist())


def _is_safetensors(path: Path, head: bytes) -> bool:
    """Say whether a file is a safetensors file, whatever its name says."""
    return head[8:9] == b"{" or (path.suffix == ".safetensors" and not zipfile.is_zipfile(path))


def _refused(reason: str) -> str:
    """Say why a pickle was not opened: it holds code, or is none."""
    if "GLOBAL" not in reason:
        return f"not a weights file, cut off or damaged ({reason.strip().partition(chr(10))[0]})"
    wanted = reason.partition("GLOBAL ")[2].split()[0]
    advice = "save its tensors alone: torch.save(model.state_dict(), 'weights.pth')"
    return f"not a weights file alone: opening it would run code ({wanted}); {advice}"


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
