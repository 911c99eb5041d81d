"""The answers to claims, in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reid_search.records import StudyStore
from reid_search.study.metrics import title_of
from reid_search.study.question.deciding import seeds_for, smallest_p
from reid_search.words import several

from ..answers.claim_answer import ClaimAnswer
from ..answers.going_on import chance_left
from ..reading.measures import Row, rows_of
from ..statistics import verdict
from ..statistics.futility import FUTILE
from ..statistics.signed_rank import RankEffect
from .describe_family import describe_past
from .describe_people import about, about_all, describe_claim_people, people_notes
from .formats import exact, interval, known, listed, p_value, points, spread

PLAIN = {
    verdict.SUPPORTED: "The effect is there",
    verdict.CONTRADICTED: "The effect goes the other way",
    verdict.NEGLIGIBLE: "Whatever effect there is, it is too small to matter",
    verdict.PERSISTS: "The effect is there, but also where it should vanish",
    verdict.CONTROL_UNDECIDED: "The effect is there, but these seeds cannot tell whether it vanishes where it should",
    verdict.UNDECIDED: "These seeds cannot tell",
}
"""What a verdict means, for a reader who knows no statistics."""

_SAID = ["claim", "verdict", "sentence", "past"]


@dataclass(frozen=True)
class ClaimView:
    """A claim as a report shows it.

    Attributes:
        answer: The answer.
        sentence: The answer in a sentence.
        arms: Its arms, one row each, with mean ± standard deviation in per cent as `shown`.
        notes: Caveats, one sentence each.
    """

    answer: ClaimAnswer
    sentence: str
    arms: Sequence[Row]
    notes: Sequence[str]


def views_of(answers: Sequence[ClaimAnswer]) -> list[ClaimView]:
    """Return claims as a report shows them; its summary says what `whom_all` returns."""
    said = bool(whom_all(answers))
    return [view_of(answer, people_said=said) for answer in answers]


def view_of(answer: ClaimAnswer, *, people_said: bool = False) -> ClaimView:
    """Return a claim as a report shows it; `people_said` as in `describe_claim`."""
    rows = [{**row, "shown": spread(row["mean"], row["sd"], 1)} for row in rows_of(answer.arms)]
    return ClaimView(answer, describe_claim(answer, people_said=people_said), rows, list(_notes(answer)))


def whom_all(answers: Sequence[ClaimAnswer]) -> str:
    """Return whom the verdicts of a study are about, in a sentence; empty unless several are about the same."""
    whom = about_all(map(about, answers))
    return f"The verdicts on its claims are about {whom}." if whom else ""


def describe_claim(answer: ClaimAnswer, *, people_said: bool = False) -> str:
    """Return the sentences that follow a verdict and say what it rests on.

    Args:
        answer: The answer.
        people_said: Whether it is said elsewhere, for all claims, whom the verdict is about.
    """
    if not answer.is_decided_by_numbers:
        so_far = f"so far {_effect(answer.effect, ' points')} from {several(answer.effect.n, 'seed')}"
        parts = [answer.because, so_far if answer.effect.n else ""]
        return f"{'; '.join(part for part in parts if part) or 'nothing is measured'}."
    found = f"{PLAIN[answer.verdict]}: {_effect(answer.effect, f' points of {title_of(answer.metric)}')}, "
    found += f"p {p_value(answer.p_adjusted)}, {several(answer.effect.n, 'seed')}"
    if answer.control is not None and answer.excess is not None:
        found += f"; under its control {_effect(answer.control)}; the excess is {_effect(answer.excess)}"
    return f"{found}. {describe_claim_people(answer, said=people_said)}".strip()


def verdicts(study_dir: Path | str) -> list[tuple[str, str, str]]:
    """Return name, verdict and explanation of each claim, from the last report written to `<storage>/<study>`.

    The explanation ends with what was done about the claim before.
    """
    rows = _last_report(study_dir)[_SAID]
    return [(claim, verdict, f"{sentence} {past}".strip()) for claim, verdict, sentence, past in rows.to_numpy()]


def whom_all_told(study_dir: Path | str) -> str:
    """Return whom all verdicts of the last report are about, in a few words; empty unless several are about the same.

    Where it returns something, the explanations of `verdicts` do not say it.
    """
    return about_all(map(str, _last_report(study_dir)["about"]))


def _last_report(study_dir: Path | str) -> pd.DataFrame:
    path = StudyStore.at(Path(study_dir).resolve()).report / "tables" / "claims.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame()
    return rows.reindex(columns=[*_SAID, "about"], fill_value="")


def family_notes(answers: Sequence[ClaimAnswer]) -> list[str]:
    """Return sentences that apply to all claims of a study."""
    if not answers:
        return []
    family = answers[0].family
    named = f"The claim{'s were' if len(answers) > 1 else ' was'} named in the study file"
    if family > 1:
        named += f"; the error rate is shared by {family}, including those without an answer"
    return [
        f"{named}. Every other comparison in this report is exploratory.",
        "Effects are Hodges and Lehmann's over seeds. Their intervals and p belong to the signed-rank test and pay for "
        "all claims and looks: in at most 5 % of studies is anything decided wrongly.",
        *people_notes(answers),
    ]


def describe_bound(n: int) -> str:
    """Return the smallest p that so many seeds allow, in a sentence."""
    bound = exact(smallest_p(n))
    return f"With {several(n, 'seed')} the smallest two-sided p that a sign-flip test can reach is {bound}."


def _notes(answer: ClaimAnswer) -> Iterator[str]:
    if len(answer.protocols) == 1:
        yield f"All its numbers were measured under protocol {answer.protocols[0]}."
    elif answer.protocols and answer.is_decided_by_numbers:
        yield f"It spans the protocols {listed(list(answer.protocols))}; each difference stays within one of them."
    if answer.because and answer.is_decided_by_numbers:
        yield f"{answer.because}."
    if answer.disagrees:
        title, other = title_of(answer.metric), answer.beside.title
        yield f"⇅ {title} and {other} disagree in sign: {other} {points(answer.rank1_delta)} points."
    if not answer.beforehand:
        yield "It was written down after some of its trainings had ended, so treat it as exploratory."
    yield from describe_past(answer.past)
    rows = rows_of(answer.arms)
    lost = [f"{row['arm']} ({row['n']} of {row['asked']})" for row in rows if row["n"] + row["coming"] < row["asked"]]
    if lost:
        yield f"Trainings failed: {listed(lost)}; their seeds are left out of every arm."
    if known(answer.with_collapsed):
        yield (
            f"Seeds in which an arm collapsed are left out of the effect; with them its mean is "
            f"{points(answer.with_collapsed)} points."
        )
    if answer.verdict in (verdict.UNDECIDED, verdict.CONTROL_UNDECIDED):
        if answer.effect.n < (needed := seeds_for(answer.level)):
            yield f"No result of {several(answer.effect.n, 'seed')} could decide it at this look; {needed} could."
        smallest = answer.claim.smallest_effect
        enough, size = _seeds(answer.seeds_needed(smallest)), points(smallest).lstrip("+")
        observed = f"; the observed effect needs {_seeds(answer.seeds_needed())}" * (answer.deciding.delta > 0)
        if answer.past.is_as_planned and (chance := chance_left(answer)) < FUTILE:
            yield f"It got no more seeds: going on like this, they would decide it with probability {p_value(chance)}."
        yield f"An effect of {size} points would be found with probability .8 by about {enough}{observed}."


def _seeds(count: float) -> str:
    return "more than 100,000 seeds" if math.isinf(count) else several(int(count), "seed")


def _effect(effect: RankEffect, unit: str = "") -> str:
    around = f" ({interval(effect.low, effect.high)})" if known(effect.low) else ""
    return f"{points(effect.delta)}{unit}{around}"
