"""Settings of VeRi-776; no torch."""

import re
from pathlib import Path
from typing import Literal

from reid_search.data.folder import FolderConfig
from reid_search.data.listing import About, Counts, Listing
from reid_search.data.part_folders import PartFolders
from reid_search.study.trial.config import ImageSize

ABOUT = About(
    title="VeRi-776",
    published={"train": Counts(37_778, 576), "query": Counts(1_678, 200), "gallery": Counts(11_579, 200)},
    licence="for academic research, on request from its authors",
)
LAYOUT = PartFolders(
    {"train": "image_train", "query": "image_query", "gallery": "image_test"},
    re.compile(r"(?P<identity>\d{4})_c(?P<camera>\d{3})_\d+_\d+"),
    "0001_c001_00016450_0.jpg",
)


class VeriConfig(FolderConfig):
    """The folder of VeRi-776: `image_train`, `image_query` and `image_test`. Images are square by default."""

    name: Literal["veri776"]
    image_size: ImageSize = (256, 256)

    def read(self, root: Path) -> Listing:
        """List the three folders."""
        return LAYOUT.read(root, ABOUT)


CONFIG = VeriConfig
