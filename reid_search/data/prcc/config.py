"""Settings of PRCC; no torch."""

import re
from pathlib import Path
from typing import ClassVar, Literal

from reid_search.data.folder import FolderConfig
from reid_search.data.listing import (
    HIDDEN,
    IMAGE_SUFFIXES,
    OTHER_FILES,
    VALIDATION,
    About,
    Counts,
    Listing,
    Part,
    entries_of,
    is_hidden,
)
from reid_search.errors import DataAbsent, DataError
from reid_search.study import EvaluationRule
from reid_search.study.rules import SingleShot

_LICENCE = "for academic research, on request from its authors"
_TRAINED, _HELD_BACK, _TESTED = 17_896, 5_002, 10_800
"""Images of `train`, `val` and all cameras of `test`, as Simple-CCReID prints them; 33,698 in all."""
_PEOPLE: dict[Part, int] = {"query": 71, "gallery": 71}
"""How many of the images of `test` are of which camera is published nowhere that we know; each saw all its people."""
_CAMERAS = "ABC"
_QUERIES = {"different_clothes": "C", "same_clothes": "B"}
_NAME = re.compile(r"(?P<camera>[ABC])_.*")
_EXAMPLE = "rgb/train/001/A_cropped_rgb001.jpg and rgb/test/A/008/cropped_rgb001.jpg"


class PrccConfig(FolderConfig):
    """The folder of PRCC, which holds `rgb`. Cameras A and B saw everyone in the same clothes, C in others.

    Attributes:
        query: Whose images are looked for in the gallery, which is that of camera A: `different_clothes` (camera C) or
            `same_clothes` (camera B).
        gallery: `single_shot` draws one image of each person, ten times; `whole` takes them all.
        training: `train+val` trains on both folders; `train` on the first.
    """

    marks: ClassVar[tuple[str, ...]] = ("rgb", "rgb/train", *(f"rgb/test/{camera}" for camera in _CAMERAS))
    name: Literal["prcc"]
    query: Literal["different_clothes", "same_clothes"] = "different_clothes"
    gallery: Literal["single_shot", "whole"] = "single_shot"
    training: Literal["train+val", "train"] = "train"

    @property
    def rule(self) -> EvaluationRule:
        """Nothing of another camera is left out; the gallery is drawn, unless it is the whole."""
        return EvaluationRule(single_shot=SingleShot(draws=10) if self.gallery == "single_shot" else None)

    def read(self, root: Path) -> Listing:
        """List `rgb/train`, and of `rgb/test` camera A and that of the query.

        Raises:
            DataError: A folder is missing, or a name does not fit.
        """
        rgb = root / "rgb" if (root / "rgb").is_dir() else root
        places = [rgb / "train", *([rgb / "val"] if self.training == "train+val" else [])]
        tests: dict[Part, str] = {"query": _QUERIES[self.query], "gallery": "A"}
        missing = [path for path in (*places, *(rgb / "test" / name for name in _CAMERAS)) if not path.is_dir()]
        if missing:
            raise DataAbsent(f"{missing[0]}: no such folder; expected PRCC as it comes: {_EXAMPLE}")
        listing = Listing(rgb, About("PRCC", self._published(), _PEOPLE, _LICENCE))
        listing.cameras = dict(enumerate(_CAMERAS, start=1))
        for folder in places:
            for path, identity in _people(listing, folder):
                found = _NAME.fullmatch(path.name)
                if found is None:
                    raise DataError(f"{path}: this name is not of the form of PRCC: {_EXAMPLE}")
                _use(listing, path, "train", identity, found["camera"])
        for part, camera in tests.items():
            for path, identity in _people(listing, rgb / "test" / camera):
                _use(listing, path, part, identity, camera)
        self._leave_out_others(listing, rgb)
        tested = len(listing.of("query")) + len(listing.of("gallery")) + len(listing.unused.get(self._unasked, ()))
        listing.expect(f"cameras {', '.join(_CAMERAS)} of the test together", tested, _TESTED)
        return listing

    def _leave_out_others(self, listing: Listing, rgb: Path) -> None:
        """Count what these settings do not use."""
        others = {rgb / "test" / self._other: self._unasked}
        if self.training == "train" and (rgb / "val").is_dir():
            others[rgb / "val"] = VALIDATION
        for folder, reason in others.items():
            for path, _ in _people(listing, folder):
                listing.leave_out(path, reason)

    @property
    def _other(self) -> str:
        """The camera of the test that is neither asked nor searched."""
        return next(camera for camera in _CAMERAS if camera not in ("A", _QUERIES[self.query]))

    @property
    def _unasked(self) -> str:
        return f"images of camera {self._other}"

    def _published(self) -> dict[Part, Counts]:
        whole = Counts(_TRAINED if self.training == "train" else _TRAINED + _HELD_BACK, 150)
        return {"train": whole}


def _people(listing: Listing, folder: Path) -> "list[tuple[Path, int]]":
    found = []
    for entry in entries_of(folder):
        person = folder / entry.name
        if is_hidden(entry.name):
            listing.leave_out(person, HIDDEN)
        elif not entry.name.lower().endswith(IMAGE_SUFFIXES) and person.is_file():
            listing.leave_out(person, OTHER_FILES)
        elif not entry.name.isdecimal() or not person.is_dir():
            raise DataError(f"{person}: expected a folder for each person, named by a number: {_EXAMPLE}")
        else:
            found += [(path, int(entry.name)) for path in listing.image_files(person)]
    return found


def _use(listing: Listing, path: Path, part: Part, identity: int, camera: str) -> None:
    clothes = f"{identity} in others" if camera == "C" else f"{identity}"
    listing.use(path, part, identity, _CAMERAS.index(camera) + 1, clothes=clothes)


CONFIG = PrccConfig
