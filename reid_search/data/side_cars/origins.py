"""Where side-cars are from: those that `reid-search data make` wrote are the truth, whatever data set they are read as.

`manifest.json` of such a folder has the hash of every file in it. A file with such a hash is the renderer's own,
wherever it lies, as long as that folder is around it or around the images; one that was written over is not.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from reid_search.common.contents import hash_files, state_of
from reid_search.data.listing import entries_of, is_folder
from reid_search.study.trial.side_cars import PREDICTED, SideCar, truth

NOTE = "manifest.json"
NOISES: dict[SideCar, str] = {"maps": "mask_noise", "keypoints": "keypoint_noise", "attributes": "attribute_noise"}
"""The setting of the renderer that says how wrong each kind of side-car is."""


class _Made(NamedTuple):
    """What `data make` noted of a folder: the hashes of its files, and how wrong its side-cars are."""

    digests: frozenset[str]
    noises: Mapping[str, float]


def origin_of(kind: SideCar, place: Path, around: Path, listed: Iterable[str] = ()) -> str:
    """Return where the side-cars of a data set are from: `predicted`, `truth` or `truth with noise 0.5`.

    If only some are the renderer's truth, they are said to be the truth.

    Args:
        kind: The kind of side-car.
        place: The file or folder of side-cars.
        around: The folder of the images.
        listed: The files, if a list at `place` names them.
    """
    files = sorted(listed or _files_at(place))
    made = list(_made_around({os.path.realpath(around), *_folders_of(files)}))
    for some in (files[:1], files[1:]) if made else ():  # one is enough, and mostly the first
        digests = {*hash_files(some).digests.values()}
        for note in made:
            if digests & note.digests:
                return truth(note.noises.get(NOISES[kind], 0.0))
    return PREDICTED


def _files_at(place: Path, deep: bool = True) -> Iterator[str]:
    """Yield a file, or the files of a folder and of those in it, where side-cars are looked for."""
    if not place.is_dir():
        yield str(place)
        return
    for entry in entries_of(place):
        if not is_folder(entry):
            yield entry.path
        elif deep:
            yield from _files_at(Path(entry.path), deep=False)


def _folders_of(files: Iterable[str]) -> Iterator[str]:
    """Yield the folders that files are in, and those that files or folders are links to."""
    folders: set[str] = set()
    for file in files:
        folders.add(os.path.dirname(file))  # noqa: PTH120
        if os.path.islink(file):  # noqa: PTH114
            yield os.path.dirname(os.path.realpath(file))  # noqa: PTH120
    yield from folders
    yield from map(os.path.realpath, folders)


def _made_around(folders: Iterable[str]) -> Iterator[_Made]:
    """Yield what `data make` noted of folders, or of folders around these."""
    around = {parent for folder in map(Path, folders) for parent in (folder, *folder.parents)}
    for note in sorted(folder / NOTE for folder in around):
        try:
            made = _read(note, state_of(note))
        except OSError:  # there is none, or none that may be read
            continue
        if made is not None:
            yield made


@cache
def _read(note: Path, _state: bytes) -> _Made | None:
    """Return what a note says; None if it is a file of others that has the same name."""
    try:
        content = json.loads(note.read_bytes())
        return _Made(frozenset(content["sha256"].values()), dict(content["nuisances"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
