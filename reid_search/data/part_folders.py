"""Data sets with one folder for each part, in which the name of a file says who is on it and which camera took it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from reid_search.data.folder import RESORTED, FolderConfig, is_resorted
from reid_search.data.listing import IMAGE_SUFFIXES, About, Listing, Part, entries_of, stem_of
from reid_search.errors import DataAbsent, DataError

_LOOKED_AT = 20


@dataclass(frozen=True)
class PartFolders:
    """Where the images of each part lie, and what their names hold.

    Attributes:
        folders: The folder of each part.
        name: Matches the whole name without its suffix; the groups `identity` and `camera` are numbers, and any other
            becomes a column.
        example: A name that fits.
        converted: The same for names to which copies are converted, all of a folder or none; None where there are none.
        first: The lowest identity that a name may hold; 0 where it is a person, who then counts as 1, and so on.
    """

    folders: Mapping[Part, str]
    name: re.Pattern[str]
    example: str
    first: int = 1
    converted: re.Pattern[str] | None = None

    def read(self, root: Path, about: About) -> Listing:
        """List the images of every part.

        Raises:
            DataError: The folder is missing, has another layout, a part of it is empty, or a name does not fit.
        """
        if not root.is_dir():
            raise DataAbsent(f"{root}: no such folder; expected one that holds {self._expected}")
        missing = [name for name in self.folders.values() if not (root / name).is_dir()]
        if missing:
            raise DataAbsent(f"{root}: {self._what_is_missing(root, missing)}")
        listing = Listing(root, about)
        for part, name in self.folders.items():
            self.add(listing, part, root / name)
            if not listing.counts(part).images:
                raise DataError(f"{root / name}: holds junk and distractors only; expected identities of 1 or more")
        return listing

    def add(self, listing: Listing, part: Part, folder: Path) -> None:
        """Add the images of a folder to a part.

        Raises:
            DataError: It holds none, or a name does not fit.
        """
        path = None
        for path in listing.image_files(folder):
            own, stem = self.name, stem_of(path.name)
            found = own.fullmatch(stem) or (self.converted.fullmatch(stem) if self.converted else None)
            if found is None:
                raise DataError(f"{path}: this name is not of the form of {listing.about.title}: {self.example}")
            if listing.converted not in (None, found.re is not own):
                raise DataError(f"{path}: names of two forms in one folder; is another data set mixed in?")
            listing.converted = found.re is not own
            said = found.groupdict()
            number, camera = int(said.pop("identity")), int(said.pop("camera"))
            identity = number + 1 - self.first
            if identity != number:
                listing.labels[identity] = str(number)
            listing.use(path, part, identity, camera, **said)
        if path is None:
            raise DataAbsent(f"{folder}: holds no images; expected names such as {self.example}")

    def likeness(self, root: Path) -> float:
        """Return the share of the parts' folders that hold names of this form."""
        return sum(self._has_names(root / name) for name in self.folders.values()) / len(self.folders)

    def images(self, root: Path) -> dict[Part, int]:
        """Count the images in the folders that are there."""
        there = {part: root / name for part, name in self.folders.items() if (root / name).is_dir()}
        return {
            part: sum(entry.name.lower().endswith(IMAGE_SUFFIXES) for entry in entries_of(folder))
            for part, folder in there.items()
        }

    def _has_names(self, folder: Path) -> bool:
        entries = entries_of(folder) if folder.is_dir() else []
        names = (entry.name for entry in entries if entry.name.lower().endswith(IMAGE_SUFFIXES))
        return any(self.name.fullmatch(stem_of(name)) for name in islice(names, _LOOKED_AT))

    @property
    def _expected(self) -> str:
        return ", ".join(self.folders.values())

    def _what_is_missing(self, root: Path, missing: list[str]) -> str:
        inside = sorted(path for path in root.iterdir() if path.is_dir())
        whole = [path for path in inside if all((path / name).is_dir() for name in self.folders.values())]
        if whole:
            return f"not the data set itself; did you mean {whole[0]}?"
        if is_resorted(root):
            return f"{RESORTED}, such as {root.parent}"
        if not any(root.iterdir()):
            return f"is empty; expected {self._expected}"
        found = ", ".join(path.name for path in inside[:6]) or "files only"
        return f"{', '.join(missing)} missing; found {found}; expected {self._expected}"


class PartFoldersConfig(FolderConfig):
    """A data set in one folder for each part; `about` and `layout` say all there is to know of it."""

    about: ClassVar[About]
    layout: ClassVar[PartFolders]

    def likeness(self, root: Path) -> float:
        """Return the share of the parts' folders that hold names of this data set."""
        return self.layout.likeness(root)

    def distance(self, root: Path) -> float:
        """Return how far the numbers of images in the folders that are there are from the published ones."""
        return self.about.distance(self.layout.images(root))

    def read(self, root: Path) -> Listing:
        """List the folders of all parts."""
        return self.layout.read(root, self.about)
