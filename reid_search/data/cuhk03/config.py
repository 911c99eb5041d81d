"""Settings of CUHK03; no torch."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from reid_search.data.cuhk03.protocols import check_protocol, classic_split, new_protocol
from reid_search.data.folder import FolderConfig, how_to_set
from reid_search.data.listing import About, Counts, Listing, Part
from reid_search.data.market1501.layout import FOLDERS
from reid_search.data.part_folders import PartFolders
from reid_search.errors import DataAbsent, DataError
from reid_search.study import EvaluationRule
from reid_search.study.rules import SingleShot

Boxes = Literal["detected", "labelled"]
Protocol = Literal["new", "classic"]

_LICENCE = "for academic research, on request from its authors"
_NEW: dict[Boxes, dict[Part, Counts]] = {
    "detected": {"train": Counts(7_365, 767), "query": Counts(1_400, 700), "gallery": Counts(5_332, 700)},
    "labelled": {"train": Counts(7_368, 767), "query": Counts(1_400, 700), "gallery": Counts(5_328, 700)},
}
_CLASSIC: dict[Part, int] = {"train": 1_367, "query": 100, "gallery": 100}
"""Identities of every split of the classic protocol (Li et al., CVPR 2014)."""
_OTHER: dict[Boxes, Boxes] = {"detected": "labelled", "labelled": "detected"}
_PROTOCOL, _RELEASE = "cuhk03_new_protocol_config_{}.mat", "cuhk-03.mat"
_SPELLINGS: dict[Boxes, tuple[str, ...]] = {"detected": ("detected",), "labelled": ("labeled", "labelled")}
_FOLDERS = PartFolders(
    FOLDERS,
    re.compile(r"(?P<identity>\d{4})_c(?P<camera>[12])_\d+"),
    "0001_c1_1.png",
)


class Cuhk03Config(FolderConfig):
    """CUHK03: extracted images with the files of its protocols, or the folders of the new protocol.

    Extracted images lie in `images_detected` and `images_labeled`, named `1_001_1_01.png`: pair of cameras, person,
    view, image. Beside them lies `cuhk03_new_protocol_config_detected.mat` (or `labeled`), or for the classic protocol
    `cuhk-03.mat`.

    Attributes:
        boxes: Boxes of a detector, or drawn by hand.
        protocol: `new` has 767 training identities and the rule of Market-1501; `classic` has 1,367, 20 splits, and
            random galleries of one image for each of 100 identities.
        split: Which of the 20 splits of the classic protocol.
    """

    variants: ClassVar[tuple[Mapping[str, str], ...]] = tuple(
        {"boxes": boxes, "protocol": protocol} for protocol in ("new", "classic") for boxes in ("detected", "labelled")
    )
    name: Literal["cuhk03"]
    boxes: Boxes = "detected"
    protocol: Protocol = "new"
    split: int = Field(default=0, ge=0, le=19)

    @property
    def rule(self) -> EvaluationRule:
        """The other view is searched; in the classic protocol for one image of each identity, 100 times."""
        return EvaluationRule(single_shot=SingleShot(draws=100) if self.protocol == "classic" else None)

    def likeness(self, root: Path) -> float:
        """Return the share of images and protocol that is there, or of the folders of the new protocol."""
        wanted = [
            _names("images_{}", self.boxes),
            _names(_PROTOCOL, self.boxes) if self.protocol == "new" else [_RELEASE],
        ]
        there = sum(any((root / name).exists() for name in names) for names in wanted) / len(wanted)
        return max(there, _FOLDERS.likeness(root) if self.protocol == "new" else 0.0)

    def read(self, root: Path) -> Listing:
        """List the images of the protocol.

        Raises:
            DataError: A folder or a protocol's file is missing, or belongs to other boxes.
        """
        if not root.is_dir():
            raise DataAbsent(f"{root}: no such folder; expected that of CUHK03")
        if self.protocol == "classic":
            about = About(f"CUHK03 ({self.boxes}, classic split {self.split})", people=_CLASSIC, licence=_LICENCE)
            listing = Listing(root, about)
            listing.remarks += _wrong_beside(root, root / _RELEASE)
            classic_split(listing, self._one_of(root, "images_{}"), root / _RELEASE, self.split)
            whole = sum(counts.images for counts in _NEW[self.boxes].values())  # both protocols use all images
            listing.expect("train and test", len(listing.of("train")) + len(listing.of("query")), whole)
            return listing
        other = _OTHER[self.boxes]
        about = About(
            f"CUHK03 ({self.boxes}, new protocol)",
            _NEW[self.boxes],
            licence=_LICENCE,
            alike={f"boxes: {other}": _NEW[other]},
        )
        for place in (root, *(root / name for name in _SPELLINGS[self.boxes])):
            if all((place / name).is_dir() for name in _FOLDERS.folders.values()):
                listing = _FOLDERS.read(place, about)
                if place.name in _SPELLINGS[other]:
                    listing.remarks.append(
                        f"{about.title}: its folder is called {place.name}; is it that? Then write boxes: {other}"
                    )
                return listing
        listing = Listing(root, about)
        protocol = self._one_of(root, _PROTOCOL)
        listing.remarks += _wrong_beside(root, protocol)
        new_protocol(listing, self._one_of(root, "images_{}"), protocol, (other, _NEW[other]))
        return listing

    def _one_of(self, root: Path, form: str) -> Path:
        found = next((root / name for name in _names(form, self.boxes) if (root / name).exists()), None)
        if found is not None:
            return found
        other = _OTHER[self.boxes]
        there = next((name for name in _names(form, other) if (root / name).exists()), None)
        reading = f"; {there} is there, of {other} boxes; to read those, {how_to_set('boxes', other)}"
        hint = reading if there else ""
        raise DataAbsent(
            f"{root / _names(form, self.boxes)[0]}: not there; expected the extracted images and the protocol's file, "
            f"or the folders {', '.join(_FOLDERS.folders.values())}{hint}"
        )


def _wrong_beside(root: Path, used: Path) -> list[str]:
    """Say what is wrong with each of the protocols that lie there and are not the one in use."""
    protocols = [(root / name, _OTHER[boxes]) for boxes in _OTHER for name in _names(_PROTOCOL, boxes)]
    problems = []
    for path, other in (*protocols, (root / _RELEASE, None)):
        if path != used and path.exists():
            try:
                check_protocol(path, other and (other, _NEW[other]))
            except DataError as error:
                problems.append(f"beside what is read lies a wrong file: {error}")
    return problems


def _names(form: str, boxes: Boxes) -> list[str]:
    return [form.format(name) for name in _SPELLINGS[boxes]]


CONFIG = Cuhk03Config
