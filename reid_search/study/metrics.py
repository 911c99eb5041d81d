"""The registry of metrics: how a ranking is measured, and what each number may be used for. No torch, no numpy.

A new metric is an entry here, which names a column of `per_query.parquet`, and a function of that name in
`reid_search/evaluation/metrics.py`, which computes it for one query. Study files, records, MLflow, tables and the
page read this registry.
"""

from dataclasses import dataclass
from typing import Literal

from reid_search.study.rules import EvaluationRule

Split = Literal["val", "test"]
SPLITS = ("val", "test")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that a readout measures on a split: the mean over the queries that have a match.

    Attributes:
        name: Its name in study files, records and tables, whose columns are `<split>/<name>`.
        title: Its heading in tables.
        column: The column of `per_query.parquet` whose mean it is.
        within: If given, a query counts 1 where its column is at most this number, and 0 elsewhere.
        direction: Whether more is better (`maximise`) or less (`minimise`).
        range: Smallest and largest possible value.
        in_epochs: Whether it is measured on the validation split after every epoch.
        in_claims: Whether a claim may be decided by it.
        single_shot: Whether it is measured in random galleries of one image an identity instead of the whole gallery.
        unit: `percent` for a share of 1 that is shown in per cent, `count` for a number shown as it is.
        digits: Decimals of a mean in a table of several metrics.
    """

    name: str
    title: str
    column: str
    within: int | None = None
    direction: Literal["maximise", "minimise"] = "maximise"
    range: tuple[float, float] = (0.0, 1.0)
    in_epochs: bool = False
    in_claims: bool = False
    single_shot: bool = False
    unit: Literal["percent", "count"] = "percent"
    digits: int = 1

    def __post_init__(self) -> None:
        """Refuse a percentage that is no share of 1, and a claim that is not about percentage points."""
        if self.unit == "percent" and self.range != (0.0, 1.0):
            raise ValueError(f"metric '{self.name}': range {self.range}; what is shown in per cent lies in (0.0, 1.0)")
        if self.in_claims and self.unit != "percent":
            raise ValueError(f"metric '{self.name}': a claim is about percentage points, and its unit is {self.unit}")

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.direction == "maximise" else -1

    @property
    def scale(self) -> float:
        """Factor by which a value is multiplied when it is shown."""
        return 100.0 if self.unit == "percent" else 1.0

    @property
    def is_comparable(self) -> bool:
        """Whether its differences are percentage points."""
        return self.unit == "percent"

    @property
    def may_be_objective(self) -> bool:
        """Whether a search may maximise it: its pruner needs a value after every epoch."""
        return self.in_epochs and self.is_comparable and self.direction == "maximise"


def _rank(k: int, *, in_epochs: bool = False) -> Metric:
    return Metric(
        name=f"rank{k}", title=f"Rank-{k}", column="first_match_rank", within=k, in_epochs=in_epochs, in_claims=True
    )


def _single_shot(name: str, title: str, column: str, *, in_epochs: bool = False) -> Metric:
    return Metric(
        name=f"single_shot_{name}",
        title=f"{title} (single shot)",
        column=f"single_shot_{column}",
        in_epochs=in_epochs,
        in_claims=True,
        single_shot=True,
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="mAP", title="mAP", column="average_precision", in_epochs=True, in_claims=True),
        _rank(1, in_epochs=True),
        _rank(5),
        _rank(10),
        Metric(name="mINP", title="mINP", column="inverse_negative_penalty", in_epochs=True, in_claims=True),
        Metric(name="mAP@R", title="mAP@R", column="average_precision_at_r", in_epochs=True, in_claims=True),
        Metric(name="mAP_trapezoidal", title="mAP (trap.)", column="average_precision_trapezoidal"),
        _single_shot("mAP", "mAP", "average_precision", in_epochs=True),
        _single_shot("rank1", "Rank-1", "rank1", in_epochs=True),
        _single_shot("rank5", "Rank-5", "rank5"),
        _single_shot("rank10", "Rank-10", "rank10"),
    )
}

MAIN = "mAP"  # contrasted, drawn and shown while running, unless something else is asked for
BESIDE = "rank1"  # shown beside it; where the two disagree, the report says so
SINGLE_SHOT_BESIDE = "single_shot_rank1"  # the same where random galleries of one image an identity are searched
DEFAULT_OBJECTIVE = f"val/{MAIN}"


def metric_of(column: str) -> Metric | None:
    """Return the metric of a column such as `test/mAP`; None for any other column."""
    split, _, name = column.rpartition("/")
    return METRICS.get(name) if split else None


def title_of(column: str) -> str:
    """Return the heading of a column: `mAP` of `test/mAP`, `mAP on duke` of `test/duke/mAP`, one of several tests."""
    split, _, name = column.rpartition("/")
    test = split.partition("/")[2]
    return f"{METRICS[name].title} on {test}" if test else METRICS[name].title


def measured_under(rule: EvaluationRule) -> list[Metric]:
    """Return the metrics that a data set's rule measures."""
    return measured_where(single_shot=rule.single_shot is not None)


def measured_where(*, single_shot: bool) -> list[Metric]:
    """Return the metrics of a whole gallery, or those where random ones of one image an identity are searched.

    The latter leave out Rank-k of the whole gallery, which would be taken for that of the random ones.
    """
    if not single_shot:
        return [metric for metric in METRICS.values() if not metric.single_shot]
    return [metric for metric in METRICS.values() if metric.single_shot or metric.within is None]


def shown_beside(*, single_shot: bool) -> Metric:
    """Return the metric that is shown beside the main one."""
    return METRICS[SINGLE_SHOT_BESIDE if single_shot else BESIDE]


def metric_columns() -> list[str]:
    """Return the columns that every table has: those of whole galleries on all splits, `val/mAP` first."""
    return [f"{split}/{metric.name}" for split in SPLITS for metric in measured_where(single_shot=False)]


def objectives() -> list[str]:
    """Return what a search may maximise."""
    return [f"val/{name}" for name, metric in METRICS.items() if metric.may_be_objective]


def claimable() -> list[str]:
    """Return the metrics that may decide a claim."""
    return [name for name, metric in METRICS.items() if metric.in_claims]
