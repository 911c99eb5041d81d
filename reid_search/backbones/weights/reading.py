"""Opening a file of weights without running any code that it may hold."""

import argparse
import codecs
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy._core.multiarray import scalar
from safetensors import SafetensorError
from safetensors.torch import load_file

from reid_search.errors import StudyError

_HEAD = 512
_FORMS = "allowed: what torch or safetensors saved (.pth, .pt, .pth.tar, .safetensors)"
_DAMAGED = f"not a weights file, or cut off or damaged; {_FORMS}"
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
        with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS), path.open("rb") as file:
            warnings.simplefilter("ignore")  # about how the file was pickled
            content: object = torch.load(file, map_location="cpu", weights_only=True)
    except StudyError:
        raise
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:
        raise StudyError(f"{path}: {_refused(str(error))}") from error
    except SafetensorError as error:
        raise StudyError(f"{path}: not a weights file, cut off or damaged ({error}); {_FORMS}") from error
    except Exception as error:  # torch's reader of a damaged file may trip over anything
        raise StudyError(f"{path}: {_DAMAGED}") from error
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
    if _is_text(head):
        raise StudyError(f"{path}: not a weights file, but text; {_FORMS}")
    if _is_script(path):
        advice = "save its tensors: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')"
        raise StudyError(f"{path}: not a weights file, but a TorchScript archive, which runs code; {advice}")
    return head


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # which may end within a character
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


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
        return _DAMAGED  # torch's own advice is to run what the file holds
    wanted = reason.partition("GLOBAL ")[2].split()[0]
    advice = "save its tensors alone: torch.save(model.state_dict(), 'weights.pth')"
    return f"not a weights file alone: opening it would run code ({wanted}); {advice}"
