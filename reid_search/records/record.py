"""The record of a finished, stopped or failed trial."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from reid_search.records.code import CodeVersion
from reid_search.records.fields import Count, IsoTime, Key, Measurements, Seconds, Share
from reid_search.records.identity import Status
from reid_search.records.weights import LoadedWeights
from reid_search.study.rules import MARKET_RULE, EvaluationRule
from reid_search.study.trial.normalization import Normalization
from reid_search.study.trial.side_cars import TRUTH

RECORD_VERSION = 1
RecordStatus = Literal[Status.FINISHED, Status.STOPPED, Status.FAILED]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ReadoutResult(_Part):
    """What one readout measured.

    Attributes:
        config: The readout's config.
        dim: Feature values per image.
        metrics: Every metric of the registry (`study/metrics.py`) that its release knew and the rule measures, as
            `<split>/<name>`; for each split also `mAP_chance`, what a random ranking would reach, `mAP_chance_sd`, its
            standard deviation, `mAP_untrained`, what the same network reached before training (these two not in records
            of earlier releases), and `queries_without_match`, a count.
        cmc: Matching rate at ranks 1, 2, ... by split (`test`, `val`).
        scorer: Kind of the scorer that made the distances; None if features were compared directly.
        transductive: Whether a pair's distance depended on other gallery images, as in re-ranking.
        rules: The rule of each split that was not ranked by that of Market-1501.
        beside: What the model read beside the images of a split, and where it was from: `maps: truth with noise 0.5`.
    """

    config: dict[str, Any]
    dim: Count
    scorer: str | None = None
    transductive: bool = False
    metrics: Measurements
    cmc: dict[str, list[Share]] = Field(default_factory=dict)
    rules: dict[str, EvaluationRule] = Field(default_factory=dict)
    beside: dict[str, str] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _write_what_is_special(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = handler(self)
        return {name: value for name, value in content.items() if value or name not in ("rules", "beside")}

    @property
    def splits(self) -> list[str]:
        """The splits that were measured: `test`, `val`, and of several tests `test/<name>`."""
        return list(dict.fromkeys(name.rpartition("/")[0] for name in self.metrics))

    def privileged(self, split: str) -> str:
        """Return what the model read beside the images of a split that is the truth; `none` if nothing was."""
        read = self.beside.get(split, "")
        return read if TRUTH in read else "none"

    def rule(self, split: str) -> EvaluationRule:
        """Return the rule by which a split was ranked."""
        return self.rules.get(split, MARKET_RULE)


class DataUse(_Part):
    """What was found in the data and not used, and what else a reader of the numbers should know of them.

    Attributes:
        unused: Number of files by reason, such as `unreadable images`.
        notes: Counts other than the published ones, a data set that was withdrawn.
    """

    unused: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Started(BaseModel):
    """What is read of `config.json`."""

    config: dict[str, Any] = Field(default_factory=dict)
    data_fingerprint: str | None = None
    code: CodeVersion | None = None


class Epoch(BaseModel, strict=True, extra="allow", allow_inf_nan=False):
    """A line of `epochs.jsonl`: beside two counts, losses and metrics."""

    __pydantic_extra__: dict[str, float]
    epoch: Count = 0
    images_seen: Count = 0


class Spent(BaseModel):
    """A line of `times.jsonl`."""

    seconds: Seconds


class RunContext(_Part):
    """Facts about a run of a trial that are not part of its result.

    Attributes:
        seconds: Time spent, over all interruptions.
        device: `cpu` or the GPU's name.
        versions: Releases of reid-search, torch and Python.
        git_commit: Commit of the code, if it ran from a checkout.
        ended: ISO time (UTC).
    """

    seconds: Seconds
    host: str
    device: str
    versions: dict[str, str]
    git_commit: str | None = None
    ended: IsoTime


class Record(_Part):
    """The result of a trial, written last and atomically.

    Attributes:
        schema_version: Version of this layout.
        key: Hash of the training config; with `seed` it names the trial.
        seed: Seed of initialisation, order and augmentation.
        status: `finished`, `stopped` (pruned; may be resumed) or `failed`.
        config: The trial's config, defaults filled in.
        data_fingerprint: Identifies images and labels.
        split_fingerprints: The same of each split by itself, where there are several data sets.
        data: What is not used of the data; None if everything is and nothing is worth a note.
        device_type: `cpu` or `cuda`; results differ between them.
        parameters: Parameter counts of `model` and `losses`.
        weights: What was taken from each file of pretrained weights; none where all were drawn.
        normalization: How the images were normalised; None where a release did not say (as on ImageNet).
        macs: Multiply-adds of one forward pass of one image; None if they could not be counted.
        readouts: Measurements by readout; empty unless finished.
        code: The code that trained it; None if its release did not note it.
        tested_by: The code that measured its readouts if it is not the code that trained it, as for a readout that was
            added after the code had changed.
    """

    schema_version: int = RECORD_VERSION
    key: Key
    seed: Count
    status: RecordStatus
    reason: str | None = None
    config: dict[str, Any]
    data_fingerprint: str
    split_fingerprints: dict[str, str] = Field(default_factory=dict)
    data: DataUse | None = None
    device_type: str
    images_seen: Count
    parameters: dict[str, Count] = Field(default_factory=dict)
    macs: Count | None = None
    weights: tuple[LoadedWeights, ...] = ()
    normalization: Normalization | None = None
    readouts: dict[str, ReadoutResult] = Field(default_factory=dict)
    code: CodeVersion | None = None
    tested_by: CodeVersion | None = None
    context: RunContext

    @model_serializer(mode="wrap")
    def _write_some_only_if_known(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = handler(self)
        for name in ("data", "split_fingerprints", "code", "tested_by"):
            if not getattr(self, name):
                content.pop(name, None)
        return content

    def fingerprint_of(self, split: str) -> str:
        """Return what identifies the images and labels of a split."""
        return self.split_fingerprints.get(split, self.data_fingerprint)
