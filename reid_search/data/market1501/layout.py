"""The folders and names of Market-1501 (Zheng et al., ICCV 2015), in which synthetic people are written too.

A name such as `0002_c1s1_000451_03.jpg` holds the identity (-1: junk, 0: distractor), the camera, the sequence, the
frame and the number of the box. Some names of the real data set end in `.jpg.jpg`.
"""

import re

from reid_search.data.listing import Part
from reid_search.data.part_folders import PartFolders

FOLDERS: dict[Part, str] = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
HAND_DRAWN = "gt_bbox"
"""The folder of boxes that people drew around everyone, queries among them; some copies lack it."""
LAYOUT = PartFolders(
    FOLDERS, re.compile(r"(?P<identity>-1|\d{4,5})_c(?P<camera>\d+)s\d+_\d+_\d+"), "0002_c1s1_000451_03.jpg"
)
