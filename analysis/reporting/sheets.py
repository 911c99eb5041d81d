"""The tables of a report: the columns that people get, and how they are written."""

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

import pandas as pd

from reid_search.study.metrics import BESIDE, MAIN, METRICS, SINGLE_SHOT_BESIDE, SPLITS, metric_columns

from ..answers.ablations import AblationSummary
from ..answers.claim_answer import ClaimAnswer
from ..answers.collapse import collapsed_seeds
from ..answers.importances import ImportanceSummary
from ..answers.isolation import isolation
from ..answers.searches import SearchSummary
from ..answers.spending import spending
from ..answers.train_test import TrainTest
from ..reading.measures import COST_COLUMNS, Row, rows_of
from . import describe
from .claims import describe_claim, whom_all
from .describe_family import describe_past
from .describe_matrix import matrix_rows
from .describe_people import about, people_in_short
from .export import Column, Table, table_for, text_of
from .formats import (
    NOTHING,
    amount,
    correlation,
    duration,
    interval,
    known,
    p_value,
    percent,
    points,
    share,
    shares,
    spread,
)
from .naming import file_name

ROWS_FOR_PEOPLE = 200
_SETTINGS_SHOWN = 8
_METRICS_SHOWN = tuple(f"{split}/{name}" for split in SPLITS for name in (MAIN, BESIDE, SINGLE_SHOT_BESIDE))


def contrasts_sheet(ablation: AblationSummary) -> Table:
    """Return an ablation: one row per arm for people, with the baseline first, and the contrasts for programs."""
    columns = (
        Column("arm", describe.describe_marked, number=False),
        Column("n", lambda row: f"{row['n']}" + f" of {row['asked']}" * (row["n"] < row["asked"])),
        Column(f"{ablation.metric}, %", lambda row: spread(row[MAIN], row[f"{MAIN}_sd"])),
        Column("collapsed or failed", text_of("lost"), number=False),
        Column("Δ [95 % interval], points", _difference),
        Column("p (Holm)", lambda row: p_value(row["p_holm"])),
        Column("verdict", text_of("verdict"), number=False),
        Column("parameters", lambda row: amount(row["parameters"])),
        Column("multiply-adds", lambda row: amount(row["macs"])),
    )
    return table_for(file_name("contrasts", ablation), ablation.contrasts, columns, ablation.arms)


def effects_sheet(ablation: AblationSummary) -> Table | None:
    """Return the main effects and interactions of a design; None if the ablation has none."""
    if ablation.effects is None:
        return None
    columns = (
        Column("effect of", text_of("effect"), number=False),
        Column("level", text_of("level"), number=False),
        Column("against", text_of("reference"), number=False),
        Column("seeds", _number("n")),
        Column("effect [95 % interval], points", _difference),
        Column("p (Holm)", lambda row: p_value(row["p_holm"])),
        Column("verdict", text_of("verdict"), number=False),
        Column("combinations", _number("combinations")),
        Column("aliases", lambda row: row["aliases"] or NOTHING, number=False),
    )
    table = ablation.effects.table
    return table_for(file_name("effects", ablation), table, columns, table, ROWS_FOR_PEOPLE)


def train_test_sheet(matrix: TrainTest) -> Table:
    """Return the matrix of training and test sets: one row an arm for people, one an arm and test for programs."""
    rows = pd.DataFrame([
        {"arm": row.arm, "trained_on": row.trained_on, "seeds": row.seeds}
        | {test.title: f"{cell.mean} / {cell.beside}" for test, cell in zip(matrix.tests, row.cells, strict=True)}
        for row in matrix_rows(matrix)
    ])  # fmt: skip
    columns = (
        Column("arm", text_of("arm"), number=False),
        Column("trained on", text_of("trained_on"), number=False),
        Column("seeds", text_of("seeds")),
        *(
            Column(f"{test.title}: {METRICS[MAIN].title} / {test.beside.title}", text_of(test.title))
            for test in matrix.tests
        ),
    )
    return table_for(file_name("train-test", matrix), matrix.cells, columns, rows, ROWS_FOR_PEOPLE)


def importances_sheet(search: SearchSummary, found: ImportanceSummary) -> Table | None:
    """Return how much each axis of a search matters, one row per axis and method, with warnings; None if refused."""
    by_method = {"fanova": found.fanova, "ped_anova": found.ped_anova}
    rows = [{"method": method, **asdict(item)} for method, items in by_method.items() for item in items]
    if not rows:
        return None
    warnings = "; ".join(found.warnings)
    frame = pd.DataFrame(rows).assign(trials=found.trials, used=found.used, epoch=found.epoch, warnings=warnings)
    columns = (
        Column("axis", text_of("axis"), number=False),
        Column("method", text_of("method"), number=False),
        Column("importance", lambda row: share(row["importance"])),
        Column("95 % interval", lambda row: shares(row["low"], row["high"])),
        Column("trials", _number("n")),
    )
    return table_for(file_name("importances", search), frame, columns, frame)


def isolation_sheet(search: SearchSummary) -> Table:
    """Return what a search reached by each axis alone."""
    frame = isolation(search)
    columns = (
        Column("axis", text_of("axis"), number=False),
        Column("level", lambda row: " to ".join(dict.fromkeys((row["low"], row["high"]))), number=False),
        *(Column(name, _number(name)) for name in ("trials", "finished", "stopped", "failed")),
        Column("best, %", lambda row: percent(row["best"], 2)),
        Column("proposal", _number("number")),
        Column("median of the finished, %", lambda row: percent(row["median"], 2)),
    )
    return table_for(file_name("isolation", search), frame, columns, frame)


def spending_sheet(search: SearchSummary) -> Table:
    """Return the best of a search by how many trials and images it took."""
    frame = spending(search)
    columns = (
        *_varying(frame, ["arm"]),
        Column("trials", _number("trials")),
        Column("images", lambda row: amount(row["images"])),
        Column("expected best, %", lambda row: percent(row["expected"], 2)),
        Column("eight of ten orders, %", lambda row: f"{percent(row['low'], 2)} to {percent(row['high'], 2)}"),
        Column("best as it was, %", lambda row: percent(row["best_so_far"], 2)),
        Column("images as it was", lambda row: amount(row["images_so_far"])),
    )
    return table_for(file_name("spending", search), frame, columns, frame, ROWS_FOR_PEOPLE)


def rungs_sheet(search: SearchSummary) -> Table | None:
    """Return how far the order of the trials after each epoch is that of their ends; None with one epoch only."""
    if not search.agreements:
        return None
    frame = pd.DataFrame([asdict(item) for item in search.agreements])
    columns = (
        *(Column(name, _number(name)) for name in ("epoch", "reached", "ends")),
        Column("rank correlation with the end", lambda row: correlation(row["rho"])),
        Column("95 % interval", lambda row: " to ".join(map(correlation, (row["low"], row["high"])))),
    )
    return table_for(file_name("rungs", search), frame, columns, frame)


def claims_sheet(answers: Sequence[ClaimAnswer]) -> Table:
    """Return the claims of a study, one row each."""
    said = bool(whom_all(answers))
    frame = pd.DataFrame([_claim(answer, people_said=said) for answer in answers])
    columns = (
        Column("claim", text_of("claim"), number=False),
        Column("verdict", text_of("verdict"), number=False),
        Column("seeds", _number("n")),
        Column("effect [interval for all claims], points", _difference),
        Column("collapsed or failed", text_of("lost"), number=False),
        Column("p (adjusted)", lambda row: p_value(row["p_adjusted"])),
        Column("for other people", text_of("others"), number=False),
        Column("under the control", lambda row: points(row["control_delta"])),
        Column("excess over it", lambda row: points(row["excess_delta"])),
    )
    return table_for("claims", frame, columns, frame)


def _claim(answer: ClaimAnswer, *, people_said: bool) -> dict[str, object]:
    """Return a claim with every number behind its verdict."""
    parts = {"": answer.effect, "control_": answer.control, "excess_": answer.excess}
    numbers = ("delta", "low", "high", "p", "sd", "p_improve")
    return {
        "claim": answer.claim.name,
        "verdict": answer.verdict,
        "sentence": describe_claim(answer, people_said=people_said),
        "because": answer.because,
        "phase": answer.claim.phase,
        "metric": answer.metric,
        "readout": answer.claim.content["readout"],
        "smallest_effect": answer.claim.smallest_effect,
        "n": answer.effect.n,
        "with_collapsed": answer.with_collapsed,
        **{f"{part}{name}": getattr(effect, name, math.nan) for part, effect in parts.items() for name in numbers},
        "rank1_delta": answer.rank1_delta,
        "disagree": answer.disagrees,
        "about": about(answer),
        "people": answer.people.effect.identities or math.nan,
        "people_low": answer.people.effect.low,
        "people_high": answer.people.effect.high,
        "people_verdict": answer.verdict if answer.people.redrawn else answer.people.verdict,
        "deciding_p": answer.p,
        "p_adjusted": answer.p_adjusted,
        "level": answer.level,
        "family": answer.family,
        "looks": answer.looks,
        "past": " ".join(describe_past(answer.past)),
        "beforehand": answer.beforehand,
        "lost": _lost(answer),
        "others": people_in_short(answer),
        "protocols": " ".join(answer.protocols),
        "effect_weights": json.dumps(dict(answer.claim.effect)),
        "control_weights": json.dumps(dict(answer.claim.control)),
        "source": answer.claim.source,
    }


def _lost(answer: ClaimAnswer) -> str:
    """Return how many seeds of each arm collapsed or failed; a dash if none did."""
    found = [f"{row['arm']} {row['rate']}" for row in rows_of(answer.arms) if row["lost"]]
    return "; ".join(found) or NOTHING


def search_sheet(search: pd.DataFrame) -> Table:
    """Return the proposals of the searches."""
    axes = list(search.columns)[list(search.columns).index("by") + 1 :]
    columns = [
        *_varying(search, ["phase"]),
        Column("#", _number("number")),
        Column("status", lambda row: describe.status_words(row["status"]), number=False),
        *_varying(search, ["objective"]),
        Column("objective, %", lambda row: percent(row["value"], 2)),
        *([Column("fresh seeds, %", lambda row: percent(row["fresh"], 2))] if "fresh" in search else []),
        Column("epochs", _number("epochs")),
        Column("time", lambda row: duration(row["seconds"]), number=False),
        *_varying(search, axes)[:_SETTINGS_SHOWN],
    ]
    return table_for("search", search, columns, search, ROWS_FOR_PEOPLE)


def arms_sheet(arms: pd.DataFrame) -> Table:
    """Return the arms of the ablations, one row per arm, seed and readout."""
    arms = arms.assign(collapsed=collapsed_seeds(arms))
    collapsed = [Column("collapsed", lambda row: row["collapsed"] or NOTHING, number=False)]
    columns = [
        *_varying(arms, ["phase"]),
        Column("arm", describe.describe_marked, number=False),
        Column("seed", _number("seed")),
        *_varying(arms, ["readout"]),
        Column("status", lambda row: describe.status_words(row["status"]), number=False),
        *_measured(arms),
        *(collapsed if (arms["collapsed"] != "").any() else []),
        Column("parameters", lambda row: amount(row["parameters"])),
        Column("multiply-adds", lambda row: amount(row["macs"])),
    ]
    return table_for("arms", arms, columns, arms, ROWS_FOR_PEOPLE)


def trials_sheet(trials: pd.DataFrame) -> Table:
    """Return the trials, with the settings in which they differ."""
    fixed = {"key", "seed", "status", "reason", *metric_columns(), *COST_COLUMNS}
    settings = [name for name in trials.columns if name not in fixed and "/" not in name]
    columns = [
        Column("key", text_of("key"), number=False),
        Column("seed", _number("seed")),
        Column("status", lambda row: describe.status_words(row["status"]), number=False),
        *_varying(trials, settings)[:_SETTINGS_SHOWN],
        *_measured(trials),
        Column("images", lambda row: amount(row["images_seen"])),
        Column("time", lambda row: duration(row["seconds"]), number=False),
    ]
    return table_for("trials", trials, columns, trials, ROWS_FOR_PEOPLE)


def _measured(frame: pd.DataFrame) -> list[Column]:
    """Return the measurements that any row has, one column per split."""
    return [
        Column(f"{name}, %", lambda row, name=name: percent(row[name], 2))  # type: ignore[misc]
        for name in (*_METRICS_SHOWN, *_of_tests(frame))
        if name in frame and frame[name].notna().any()
    ]


def _of_tests(frame: pd.DataFrame) -> list[str]:
    """Return the columns of mAP on each of several tests."""
    return [str(name) for name in frame.columns if re.fullmatch(rf"test/[^/]+/{MAIN}", str(name))]


def _varying(frame: pd.DataFrame, names: Iterable[str]) -> list[Column]:
    return [Column(name, text_of(name), number=False) for name in names if frame[name].nunique(dropna=False) > 1]


def _number(name: str) -> Callable[[Row], str]:
    return lambda row: str(int(row[name])) if known(row[name]) else NOTHING


def _difference(row: Row) -> str:
    around = f" [{interval(row['low'], row['high'])}]" if known(row["low"]) else ""
    return f"{points(row['delta'])}{around}"
