"""Settings of VeRi-776; no torch."""

import re
from typing import ClassVar, Literal

from reid_search.data.listing import About, Counts
from reid_search.data.part_folders import PartFolders, PartFoldersConfig
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


class VeriConfig(PartFoldersConfig):
    """The folder of VeRi-776: `image_train`, `image_query` and `image_test`. Images are square by default."""

    about: ClassVar[About] = ABOUT
    layout: ClassVar[PartFolders] = LAYOUT
    name: Literal["veri776"]
    image_size: ImageSize = (256, 256)


CONFIG = VeriConfig
