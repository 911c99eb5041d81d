"""What was trained on against what was tested on: the means of every arm on each of several tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reid_search.records import Status, StudyState, TrialId
from reid_search.study.metrics import MAIN, Metric, shown_beside

from ..reading.arms import of_test
from ..reading.data_sets import data_sets, is_trained_on
from ..reading.measures import is_single_shot
from .collapse import flags


@dataclass(frozen=True)
class TestSet:
    """One column of the matrix.

    Attributes:
        name: The name of the test.
        title: The same, with its protocol where arms give the name to different data.
        about: The data set behind it.
        beside: The metric shown beside mAP.
    """

    name: str
    title: str
    about: str
    beside: Metric


@dataclass(frozen=True)
class TrainTest:
    """The matrix of one phase and readout.

    Attributes:
        phase: The ablation.
        readout: The readout.
        tests: The columns.
        cells: One row per arm and test: `arm`, `trained_on`, `test` (the column's title), `tested_on`, `seen` (whether
            the data set's training people were trained on), `n` (finished seeds), `asked`, `flag` (`at chance` or
            `untrained` if no seed learnt anything), `mAP`, `mAP_sd` and the metric beside it, all in [0, 1]; NaN where
            nothing is measured.
    """

    phase: str
    readout: str
    tests: tuple[TestSet, ...]
    cells: pd.DataFrame = field(repr=False)


def summarise_tests(state: StudyState, arms: pd.DataFrame) -> list[TrainTest]:
    """Return the matrix of each phase and readout in the table of `load_arms` that has several tests."""
    groups = arms.groupby(["phase", "readout"], sort=False)
    found = (_summarised(state, str(phase), str(readout), rows) for (phase, readout), rows in groups)
    return [matrix for matrix in found if matrix is not None]


def _summarised(state: StudyState, phase: str, readout: str, rows: pd.DataFrame) -> TrainTest | None:
    sets = data_sets(state)
    asked = ((str(row["arm"]), TrialId(str(row["key"]), int(row["seed"]))) for _, row in rows.iterrows())
    data = {arm: sets.sections[trial] for arm, trial in asked if trial in sets.sections}
    tested = {arm: sets.tests_of(section) for arm, section in data.items()}
    names = dict.fromkeys(name for own in tested.values() for name in own)
    if len(names) < 2:
        return None
    tests: list[TestSet] = []
    cells: list[dict[str, object]] = []
    for name in names:
        about = {arm: own[name] for arm, own in tested.items() if name in own}
        measured = of_test(rows[rows["arm"].isin(about)], state, name)
        split = str(measured["evaluate"].iloc[0])
        for test, members in _columns(name, measured, split, about):
            tests.append(test)
            for arm, own in members.groupby("arm", sort=False):
                seen = is_trained_on(data[str(arm)], name)
                trained_on = " + ".join(sets.trained_on(data[str(arm)]))
                told = {"arm": arm, "trained_on": trained_on, "test": test.title}
                told |= {"tested_on": about[str(arm)], "seen": seen, "flag": flags(own).get(str(arm), "")}
                cells.append({**told, **_means(own, split, test.beside)})
    return TrainTest(phase, readout, tuple(tests), _in_order(cells, list(dict.fromkeys(rows["arm"]))))


def _columns(
    name: str, measured: pd.DataFrame, split: str, about: dict[str, str]
) -> Iterator[tuple[TestSet, pd.DataFrame]]:
    """Yield a test once for each protocol under which arms measured it; nearly always there is one."""
    beside = shown_beside(single_shot=is_single_shot(measured, split))
    protocols: list[str] = list(measured["protocol"].dropna().unique())
    if len(protocols) < 2:
        yield TestSet(name, name, next(iter(about.values())), beside), measured
        return
    for protocol in protocols:
        members = measured[measured["protocol"] == protocol]
        yield TestSet(name, f"{name} (protocol {protocol})", about[str(members["arm"].iloc[0])], beside), members


def _means(rows: pd.DataFrame, split: str, beside: Metric) -> dict[str, object]:
    finished = rows[rows["status"] == Status.FINISHED]
    main, other = (finished.reindex(columns=[f"{split}/{name}"]).iloc[:, 0] for name in (MAIN, beside.name))
    return {
        "n": int(main.notna().sum()),
        "asked": len(rows),
        MAIN: main.astype("float64").mean(),
        f"{MAIN}_sd": main.astype("float64").std(ddof=1),
        beside.name: other.astype("float64").mean(),
    }


def _in_order(cells: Sequence[dict[str, object]], arms: Sequence[str]) -> pd.DataFrame:
    order = {arm: place for place, arm in enumerate(arms)}
    return pd.DataFrame(list(cells)).sort_values("arm", key=lambda names: names.map(order), kind="stable")
