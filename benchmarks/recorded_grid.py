"""A grid whose every arm was trained with every seed: from a finished study to a small file, and what the file says."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.reading.arms import arms_table
from analysis.statistics.shrinkage import shrunken
from reid_search.records import ArmAsked, Status, StudyState, StudyStore, read_state
from reid_search.study import Axis, Space

Floats = npt.NDArray[np.float64]

OBJECTIVE = "val/mAP"
_STUDY = b"study"


@dataclass(frozen=True)
class Grid:
    """What a file of a grid says.

    Attributes:
        space: The base and the axes, each a choice; the arms are all combinations of their levels.
        arms: The number of each arm by the labels of its levels, in the order of the axes.
        images: Images that a training has seen after each epoch `(epochs,)`.
        curves: mAP on validation people after each epoch `(arms, seeds, epochs)`, in [0, 1].
        ends: The same of the finished training, as its record has it `(arms, seeds)`.
    """

    space: Space
    arms: Mapping[tuple[str, ...], int]
    images: npt.NDArray[np.int64]
    curves: Floats
    ends: Floats

    @property
    def seeds(self) -> int:
        """How many seeds each arm has."""
        return self.ends.shape[1]

    @property
    def images_of_all(self) -> int:
        """Images of one seed of every arm: what it costs to try the whole space as a search tries it."""
        return len(self.arms) * int(self.images[-1])

    def arm(self, labels: Mapping[str, str]) -> int:
        """Return the number of an arm by the label of each axis."""
        return self.arms[tuple(labels[path] for path in self.space.axes)]


def record(study: Path, file: Path) -> pd.DataFrame:
    """Write the only ablation of a study as a file of a grid: a row per arm, seed and epoch; return the rows.

    Columns: the label of each axis, `seed`, `epoch`, `images`, `val/mAP` after the epoch, `final` (`val/mAP` of the
    finished training). What the file's metadata hold of the study is its base and its axes.

    Raises:
        SystemExit: The study has another number of ablations, trainings that have not finished, or numbers of several
            protocols.
    """
    state = read_state(StudyStore.at(study))
    if len(state.ablations) != 1:
        raise SystemExit(f"{study}: {len(state.ablations)} ablations; a grid is one, of design: factorial")
    [(phase, asks)] = state.ablations.items()
    missing = sum(state.status(ask) != Status.FINISHED for ask in asks)
    if missing:
        raise SystemExit(f"{study}: {missing} of {len(asks)} trainings of '{phase}' have not finished; run it again")
    if (count := arms_table(state)["protocol"].nunique()) > 1:
        raise SystemExit(f"{study}: numbers of {count} protocols, which may not be compared; `run --remeasure` it")
    rows = pd.DataFrame([row for ask in asks for row in _epochs(state, ask)])
    axes = {path: dict(state.axes[path]) for path in asks[0].settings}
    content = json.dumps({"base": state.study["base"], "axes": axes})
    table = pa.Table.from_pandas(rows, preserve_index=False)
    table = table.replace_schema_metadata({**table.schema.metadata, _STUDY: content.encode()})
    pq.write_table(table, file, compression="zstd")
    read(file)
    return rows


def _epochs(state: StudyState, ask: ArmAsked) -> Iterator[dict[str, object]]:
    trial, end = state.trials[ask.trial], state.value(ask)
    curve = trial.curve(state.readout(ask), OBJECTIVE)
    for row in state.store.trial(*ask.trial).epochs():
        seen = {"seed": ask.seed, "epoch": int(row["epoch"]), "images": int(row["images_seen"])}
        yield {**ask.settings, **seen, OBJECTIVE: curve[int(row["epoch"])], "final": end}


def read(file: Path) -> Grid:
    """Read a file of a grid.

    Raises:
        SystemExit: It is not a grid: an arm, seed or epoch is missing, or trainings saw different numbers of images.
    """
    table = pq.read_table(file)
    study, rows = json.loads(table.schema.metadata[_STUDY]), table.to_pandas()
    space = Space(study["base"], {path: Axis.model_validate(axis) for path, axis in study["axes"].items()})
    cells = [tuple(level.label for level in settings.values()) for settings in space.combinations()]
    arms = {labels: number for number, labels in enumerate(cells)}
    rows["arm"] = [arms.get(labels) for labels in rows[list(space.axes)].itertuples(index=False, name=None)]
    curves = rows.pivot(index="arm", columns=["seed", "epoch"], values=OBJECTIVE).sort_index(axis=1)
    images = rows.groupby("epoch")["images"].unique()
    seeds, epochs = rows["seed"].nunique(), rows["epoch"].nunique()
    if curves.shape != (len(arms), seeds * epochs) or curves.isna().to_numpy().any() or images.map(len).max() > 1:
        raise SystemExit(f"{file}: not {len(arms)} arms × {seeds} seeds × {epochs} epochs of the same images")
    ends = rows.groupby(["arm", "seed"])["final"].first().unstack()
    return Grid(
        space,
        arms,
        np.array([own[0] for own in images]),
        curves.to_numpy().reshape(len(arms), seeds, epochs),
        ends.to_numpy(),
    )


def truth(ends: Floats) -> Floats:
    """Return the true value of each arm as a report would guess it: its mean, shrunken towards that of all `(arms,)`.

    Args:
        ends: What each arm reached with at least two seeds `(arms, seeds)`.
    """
    each = ends.tolist()
    once = ends[:, 0].tolist()
    guesses = [shrunken(fmean(own), len(own), once, each) for own in each]
    if None in guesses:
        raise SystemExit(f"{len(each)} arms × {ends.shape[1]} seeds: a truth needs at least 4 arms and 2 seeds")
    return np.array(guesses, dtype=np.float64)


def truth_by_factors(grid: Grid, ends: Floats) -> Floats:
    """Return the true value of each arm, shrunken towards what its levels and pairs of levels predict `(arms,)`.

    Most of an arm's value follows from its levels, so what is left, which is shrunken, is mostly noise. This truth errs
    less than the plain one, but hides what only three or more levels do together.
    """
    columns = _levels_and_pairs(grid)
    predicted = columns @ np.linalg.lstsq(columns, ends.mean(axis=1), rcond=None)[0]
    return predicted + truth(ends - predicted[:, None])


def _levels_and_pairs(grid: Grid) -> Floats:
    labels = list(zip(*grid.arms, strict=True))
    single = [
        [np.array([own == label for own in axis], np.float64) for label in dict.fromkeys(axis)] for axis in labels
    ]
    pairs = [one * other for first, second in combinations(single, 2) for one in first for other in second]
    return np.column_stack([*(column for axis in single for column in axis), *pairs])


def spreads(ends: Floats) -> tuple[float, float]:
    """Return the standard deviations of arms and of an arm's seeds, by analysis of variance."""
    within = float(ends.var(axis=1, ddof=1).mean())
    between = float(ends.mean(axis=1).var(ddof=1)) - within / ends.shape[1]
    return math.sqrt(max(between, 0.0)), math.sqrt(within)
