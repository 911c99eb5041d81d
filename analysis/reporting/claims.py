"""The answers to claims, in words."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reid_search.records import StudyStore
from reid_search.study.metrics import BESIDE, METRICS

from ..answers.claims import ClaimAnswer
from ..statistics import verdict
from ..statistics.effect import Effect
from ..statistics.family import smallest_sign_flip_p
from .formats import exact, interval, known, listed, p_value, points, several, spread

_CONTROL_WORDS = {
    verdict.VANISHES: "it vanishes, as it must",
    verdict.PERSISTS: "it is there too, which it must not be",
    verdict.REVERSES: "there it is the other way round",
    verdict.OPEN: "whether it vanishes is open",
    verdict.NO_VERDICT: "too few seeds to say",
}
_DECIDED = (verdict.SUPPORTED, verdict.CONTRADICTED, verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class ClaimView:
    """A claim as a report shows it.

    Attributes:
        answer: The answer.
        sentence: The answer in a sentence.
        arms: Its arms, one row each: `arm`, `weight`, `control_weight`, `asked`, `n`, `parameters`, `macs`, and
            `shown`, mean ± standard deviation in per cent.
        notes: What a reader must know beside it.
    """

    answer: ClaimAnswer
    sentence: str
    arms: Sequence[Mapping[str, Any]]
    notes: Sequence[str]


def view_of(answer: ClaimAnswer) -> ClaimView:
    """Return a claim as a report shows it."""
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} | {"shown": spread(row["mean"], row["sd"], 1)}
        for row in answer.arms.to_dict("records")
    ]
    return ClaimView(answer, describe_claim(answer), rows, list(_notes(answer)))


def describe_claim(answer: ClaimAnswer) -> str:
    """Return what a verdict rests on, in one sentence that stands behind it."""
    if answer.verdict not in _DECIDED:
        so_far = f"so far {_effect(answer.effect)} points from {several(answer.effect.n, 'seed')}"
        parts = [answer.because, so_far if answer.effect.n else ""]
        return f"{'; '.join(part for part in parts if part) or 'nothing is measured'}."
    title = METRICS[answer.metric.rpartition("/")[2]].title
    found = f"{_effect(answer.effect)} points of {title}, p {p_value(answer.p_holm)} (Holm), "
    found += several(answer.effect.n, "seed")
    if answer.control is None or answer.excess is None:
        return f"{found}."
    gone = _CONTROL_WORDS[answer.control_verdict]
    return f"{found}; under its control {_effect(answer.control)}: {gone}; the excess is {_effect(answer.excess)}."


def verdicts(study_dir: Path | str) -> list[tuple[str, str, str]]:
    """Return the claims of the report last written: name, verdict, and what it rests on in a sentence.

    Args:
        study_dir: `<storage>/<study>`.
    """
    path = StudyStore.at(Path(study_dir).resolve()).report / "tables" / "claims.csv"
    if not path.exists():
        return []
    rows = pd.read_csv(path, usecols=["claim", "verdict", "sentence"], dtype=str, keep_default_na=False)
    return list(rows[["claim", "verdict", "sentence"]].itertuples(index=False, name=None))


def family_notes(answers: Sequence[ClaimAnswer]) -> list[str]:
    """Return what holds for all claims of a study."""
    if not answers:
        return []
    notes = [
        f"The claims were named in the study file; Holm's method counts all {several(len(answers), 'claim')} as one "
        "family, those without an answer too. Every other comparison in this report is exploratory."
    ]
    found = [answer.effect.n for answer in answers if answer.effect.n > 1]
    if found:
        n = min(found)
        bound = exact(smallest_sign_flip_p(n))
        notes.append(f"With {n} seeds the smallest two-sided p that a sign-flip test can reach is {bound}.")
    return notes


def _notes(answer: ClaimAnswer) -> Iterator[str]:
    if len(answer.protocols) == 1:
        yield f"All its numbers are of protocol {answer.protocols[0]}."
    elif answer.protocols and answer.verdict in _DECIDED:
        yield f"Its numbers are of protocols {listed(list(answer.protocols))}; each difference lies within one of them."
    if answer.because and answer.verdict in _DECIDED:
        yield f"{answer.because}."
    if answer.disagrees:
        title, other = METRICS[answer.metric.rpartition("/")[2]].title, METRICS[BESIDE].title
        yield f"⇅ {title} and {other} disagree in sign: {other} {points(answer.rank1_delta)} points."
    if not answer.beforehand:
        yield "It was written down after some of its trainings had ended: take it as exploratory."
    if answer.looks > 1:
        raised = several(answer.looks - 1, "time")
        yield (
            f"The number of seeds was raised {raised} after results were there; p is multiplied by {answer.looks}, "
            f"which keeps the error rate only if that was planned."
        )
    rows = answer.arms.to_dict("records")
    lost = [f"{row['arm']} ({row['n']} of {row['asked']})" for row in rows if row["n"] + row["coming"] < row["asked"]]
    if lost:
        yield f"Trainings failed: {listed(lost)}; their seeds are left out of every arm."
    if known(answer.queries_low):
        around = interval(answer.queries_low, answer.queries_high)
        yield (
            f"Over queries, with these seeds, the effect is {around} points (95 %, bootstrap over identities); the "
            "interval above is over seeds."
        )
    if answer.verdict == verdict.INCONCLUSIVE:
        yield _enough(answer)


def _enough(answer: ClaimAnswer) -> str:
    smallest = answer.claim.smallest_effect
    for_smallest = answer.seeds_needed(smallest)
    size = points(smallest).lstrip("+")
    sentence = f"An effect of {size} points would be found with probability .8 by {_seeds(for_smallest)}"
    if answer.deciding.delta <= 0:
        return f"{sentence}."
    return f"{sentence}, one as large as that observed by {_seeds(answer.seeds_needed())}."


def _seeds(count: float) -> str:
    return "more than 100,000 seeds" if math.isinf(count) else several(int(count), "seed")


def _effect(effect: Effect) -> str:
    around = f" (95 % interval {interval(effect.low, effect.high)})" if effect.n > 1 else ""
    return f"{points(effect.delta)}{around}"
