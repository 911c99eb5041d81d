"""Settings of LTCC; no torch."""

import re
from typing import ClassVar, Literal

from reid_search.data.listing import About, Counts
from reid_search.data.part_folders import PartFolders, PartFoldersConfig
from reid_search.study import EvaluationRule

ABOUT = About(
    title="LTCC",
    published={"train": Counts(9_576, 77), "query": Counts(493, 75), "gallery": Counts(7_050, 75)},
    licence="for academic research, on request from its authors",
)
LAYOUT = PartFolders(
    {"train": "train", "query": "query", "gallery": "test"},
    re.compile(r"(?P<identity>\d+)_(?P<clothes>\d+)_c(?P<camera>\d+)(?:_.*)?"),
    "094_1_c9_015833.png",
    first=0,
)
RULES = {
    "clothes_changing": EvaluationRule(left_out=("same clothes", "same camera")),
    "same_clothes": EvaluationRule(left_out=("other clothes", "same camera")),
    "standard": EvaluationRule(),
}


class LtccConfig(PartFoldersConfig):
    """The folder of LTCC: `train`, `query` and `test`.

    Attributes:
        protocol: What a ranking leaves out of the query's identity: the same clothes or camera (`clothes_changing`),
            other clothes or the same camera (`same_clothes`), or the same camera (`standard`).
    """

    about: ClassVar[About] = ABOUT
    layout: ClassVar[PartFolders] = LAYOUT
    name: Literal["ltcc"]
    protocol: Literal["clothes_changing", "same_clothes", "standard"] = "clothes_changing"

    @property
    def rule(self) -> EvaluationRule:
        """The rule of the protocol."""
        return RULES[self.protocol]


CONFIG = LtccConfig
