"""A request to run one trial."""

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
        cache: Folder of synthetic data sets and decoded images; the user's cache folder if omitted.
        keep_checkpoint: Whether to keep the final weights.
        data_fingerprint: That of the data which the key was made from; not compared if omitted.
    """

    config: TrialConfig
    seed: int
    key: str
    evaluate: tuple[str, ...]
    cache: Path | None = None
    device: Device = "cpu"
    keep_checkpoint: bool = True
    data_fingerprint: str | None = None
