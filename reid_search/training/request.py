"""What is asked of a trial."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reid_search.study import TrialConfig

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class TrialRequest:
    """One training and the splits that it is tested on.

    Attributes:
        seed: Seed of initial values, order and augmentation.
        evaluate: Splits of the final measurement, `val` and `test`.
        cache: Folder of made data sets and decoded images; the user's cache folder where omitted.
        keep_checkpoint: Whether the final weights stay.
    """

    config: TrialConfig
    seed: int
    key: str
    evaluate: tuple[str, ...]
    cache: Path | None = None
    device: Device = "cpu"
    keep_checkpoint: bool = True
