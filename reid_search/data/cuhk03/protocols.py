"""The protocols of CUHK03, from the files in which they were published, over extracted images."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reid_search.data.folder import how_to_set
from reid_search.data.listing import Counts, Listing, Part
from reid_search.data.mat_files import problem_with, read_mat, whole_numbers
from reid_search.errors import DataAbsent, DataError

_NAME = re.compile(r"([1-5])_(\d{3})_([12])_(\d{2})\.(?:png|jpe?g)", re.IGNORECASE)
_EXAMPLE = "1_001_1_01.png: pair of cameras, person, view, image"
_INDICES: dict[Part, str] = {"train": "train_idx", "query": "query_idx", "gallery": "gallery_idx"}
_UNLISTED = "images that the protocol does not name"


def new_protocol(
    listing: Listing, images: Path, protocol: Path, other: tuple[str, Mapping[Part, Counts]] | None = None
) -> None:
    """List the images that the new protocol names (Zhong et al., CVPR 2017); its indices count from 1.

    Args:
        listing: Filled.
        images: Folder of extracted images.
        protocol: `cuhk03_new_protocol_config_detected.mat` or `…_labeled.mat`.
        other: The other boxes, and how many images their protocol names.

    Raises:
        DataError: The file is of another kind or of the other boxes, or names an image that is not there.
    """
    rows = _rows(protocol, other)
    there = {path.name: path for path in listing.image_files(images)}
    absent = [name for _, name, _, _ in rows if name not in there]
    if absent:
        raise DataAbsent(
            f"{images / absent[0]}: no such file, and {protocol.name} names it; {len(absent):,} of the {len(rows):,} "
            f"images that it names are not there; extract them all, or name the protocol of these boxes; expected "
            f"{_EXAMPLE}"
        )
    for part, name, identity, camera in rows:
        listing.use(there[name], part, identity, camera)
    listing.lists[protocol.name] = protocol
    _leave_out_others(listing, there, {name for _, name, _, _ in rows})


def _rows(protocol: Path, other: tuple[str, Mapping[Part, Counts]] | None) -> list[tuple[Part, str, int, int]]:
    """Return part, name, identity and camera of every image that the new protocol names."""
    try:
        content = read_mat(protocol)
        names = [str(row[0][0]) for row in content["filelist"]]  # type: ignore[attr-defined]
        labels, cameras = (whole_numbers(content[name]).tolist() for name in ("labels", "camId"))
        indices = {part: _indices(content, name, len(names)) for part, name in _INDICES.items()}
        rows = [(part, names[at], labels[at], cameras[at]) for part, places in indices.items() for at in places]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise DataError(
            f"{protocol}: not the new protocol of CUHK03: {problem_with(protocol, error)}; expected a file with "
            f"filelist, labels, camId, {', '.join(_INDICES.values())}"
        ) from error
    counts = Counter(part for part, *_ in rows)
    if other and counts == {part: count.images for part, count in other[1].items()}:
        raise DataError(
            f"{protocol}: by its counts the protocol of {other[0]} boxes; put another there, or "
            f"{how_to_set('boxes', other[0])}"
        )
    return rows


def _indices(content: Mapping[str, object], name: str, count: int) -> list[int]:
    """Return places in the list of names, from 0."""
    places = whole_numbers(content[name])
    if places.size and not (places.min() >= 1 and places.max() <= count):
        raise ValueError(f"{name} holds {places.min()} to {places.max()}; allowed: 1 to {count}")
    if len(np.unique(places)) < len(places):
        raise ValueError(f"{name} holds a number twice")
    from_0: list[int] = (places - 1).tolist()
    return from_0


def classic_split(listing: Listing, images: Path, release: Path, split: int) -> None:
    """List one of the 20 splits of CUHK03 as published (Li et al., CVPR 2014): 100 identities to test on.

    An identity is a person of a pair of cameras. Queries and gallery are the same images.

    Args:
        listing: Filled.
        images: Folder of extracted images.
        release: `cuhk-03.mat`, which holds the splits.
        split: From 0 to 19.

    Raises:
        DataError: The file is of another kind, or a name does not fit.
    """
    tested = _tested(release, split)
    listing.lists[release.name] = release
    there = {path.name: path for path in listing.image_files(images)}
    for name, path in there.items():
        found = _NAME.fullmatch(name)
        if found is None:
            raise DataError(f"{path}: this name is not of the form of CUHK03: {_EXAMPLE}")
        pair, person, view = int(found[1]), int(found[2]), int(found[3])
        parts: tuple[Part, ...] = ("query", "gallery") if (pair, person) in tested else ("train",)
        for part in parts:
            listing.use(path, part, pair * 1000 + person, view)
    if not listing.counts("query").images:
        raise DataError(
            f"{images}: holds no image of the {len(tested)} identities of split {split}; expected {_EXAMPLE}"
        )


def check_protocol(protocol: Path, other: tuple[str, Mapping[Part, Counts]] | None = None) -> None:
    """Check a file without its images: that of the new protocol, or with `other` omitted the release's own.

    Raises:
        DataError: As in `new_protocol` and `classic_split`.
    """
    if other:
        _rows(protocol, other)
    else:
        _tested(protocol, 0)


def _tested(release: Path, split: int) -> set[tuple[int, int]]:
    from h5py import File

    try:
        with File(release, "r") as content:
            pairs = content[content["testsets"][0][split]][()].T.astype(int)
            return {(int(pair), int(person)) for pair, person in pairs}
    except FileNotFoundError as error:
        raise DataAbsent(f"{release}: no such file; it holds the splits of the classic protocol") from error
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise DataError(
            f"{release}: not CUHK03's own file, an HDF5 file with 20 `testsets` of pairs and people, or damaged; put "
            "the cuhk-03.mat of the release there"
        ) from error


def _leave_out_others(listing: Listing, there: dict[str, Path], named: set[str]) -> None:
    for name in sorted(set(there) - named):
        listing.leave_out(there[name], _UNLISTED)
