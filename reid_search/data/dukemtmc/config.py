"""Settings of DukeMTMC-reID; no torch."""

import re
from typing import ClassVar, Literal

from reid_search.data.listing import About, Counts, Part
from reid_search.data.market1501.layout import FOLDERS
from reid_search.data.part_folders import PartFolders, PartFoldersConfig

WITHDRAWN = (
    "DukeMTMC was withdrawn by its authors in 2019, since the people in it had not agreed to be filmed; say in a "
    "publication why it is used"
)
PUBLISHED: dict[Part, Counts] = {
    "train": Counts(16_522, 702),
    "query": Counts(2_228, 702),
    "gallery": Counts(17_661, 1_110),
}
OCCLUDED: dict[Part, Counts] = {
    "train": Counts(15_618, 702),
    "query": Counts(2_210, 519),
    "gallery": Counts(17_661, 1_110),
}
ABOUT = About(
    title="DukeMTMC-reID",
    published=PUBLISHED,
    alike={"name: occluded_duke": OCCLUDED},
    licence="for academic research only, and no longer given out",
    status=WITHDRAWN,
)
LAYOUT = PartFolders(
    FOLDERS,
    re.compile(r"(?P<identity>\d{4})_c(?P<camera>\d)_f\d{7}"),
    "0002_c1_f0044158.jpg",
    converted=re.compile(r"(?P<identity>\d{4})_c(?P<camera>\d)s\d+_\d+_\d+"),  # the names of Market-1501
)


class DukeConfig(PartFoldersConfig):
    """The folder of DukeMTMC-reID: `bounding_box_train`, `query` and `bounding_box_test`."""

    about: ClassVar[About] = ABOUT
    layout: ClassVar[PartFolders] = LAYOUT
    name: Literal["dukemtmc"]


CONFIG = DukeConfig
