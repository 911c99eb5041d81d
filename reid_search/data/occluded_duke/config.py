"""Settings of Occluded-Duke; no torch."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from reid_search.data.dukemtmc.config import ABOUT as DUKE
from reid_search.data.dukemtmc.config import LAYOUT, OCCLUDED, PUBLISHED
from reid_search.data.folder import FolderConfig
from reid_search.data.listing import Listing, Part, read_list
from reid_search.errors import DataError
from reid_search.study.component import AbsolutePath

ABOUT = replace(
    DUKE,
    title="Occluded-Duke",
    published=OCCLUDED,
    alike={"name: dukemtmc": PUBLISHED},
)
LISTS: dict[Part, str] = {"train": "train.list", "query": "query.list", "gallery": "gallery.list"}


class OccludedDukeConfig(FolderConfig):
    """The folder of Occluded-Duke, or that of DukeMTMC-reID together with the lists of Occluded-Duke.

    Attributes:
        lists: Folder of `train.list`, `query.list` and `gallery.list`, which name files of DukeMTMC-reID; where
            omitted, `root` is a folder of Occluded-Duke itself.
    """

    places: ClassVar[tuple[str, ...]] = (*FolderConfig.places, "lists")
    name: Literal["occluded_duke"]
    lists: AbsolutePath | None = None

    def unplaced(self, entries: Mapping[str, object]) -> dict[str, object]:
        """Return entries without places, as they are without lists: what these hold is in the fingerprint."""
        return {**super().unplaced(entries), "lists": None}

    def likeness(self, root: Path) -> float:
        """Return the share of the three folders that hold names of DukeMTMC-reID."""
        return LAYOUT.likeness(root)

    def distance(self, root: Path) -> float:
        """Return how far the numbers of images in the folders that are there are from the published ones."""
        return ABOUT.distance(LAYOUT.images(root))

    def read(self, root: Path) -> Listing:
        """List the three folders; 1,870 of the queries are in the gallery too, where the rule leaves them out."""
        return LAYOUT.read(root, ABOUT) if self.lists is None else _by_lists(root, self.lists)


def _by_lists(root: Path, lists: Path) -> Listing:
    duke = LAYOUT.read(root, DUKE)
    found = {image.name.rpartition("/")[2]: image for image in duke.images}
    listing = Listing(root, ABOUT)
    for part, name in LISTS.items():
        path = lists / name
        for line in read_list(path, f"{', '.join(LISTS.values())} in {lists}").split():
            image = found.get(line.rpartition("/")[2])
            if image is None:
                raise DataError(f"{path}: {line} is not in {root}; expected DukeMTMC-reID there, as it was published")
            listing.use(image.path, part, image.identity, image.camera)
        listing.lists[name] = path
    return listing


CONFIG = OccludedDukeConfig
