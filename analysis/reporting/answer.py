"""The answer of a study in three lines: the verdicts, what the centre reaches, the best of the search."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from reid_search.records import Status
from reid_search.study.metrics import MAIN
from reid_search.words import several

from ..answers.ablations import AblationSummary
from ..answers.claim_answer import NOT_YET, VERDICTS, ClaimAnswer
from ..answers.searches import SearchSummary
from ..answers.study_answers import StudyAnswers
from ..statistics import verdict
from .describe import describe_worth, first_readouts
from .formats import known, listed, percent, settings, spread
from .labels import Labels
from .naming import centre_word

_WORDS = {
    NOT_YET: "not yet decided",
    verdict.NO_VERDICT: "without a verdict",
    verdict.PERSISTS: "there under the control too",
    verdict.CONTROL_UNDECIDED: "undecided under the control",
}
_CONTRASTS = ("better", "worse", "equivalent", "inconclusive", verdict.NO_VERDICT)
_NOTHING = "Nothing is measured yet."


def answer_in_short(found: StudyAnswers, arms: pd.DataFrame, labels: Labels) -> list[str]:
    """Return one to three sentences.

    Args:
        found: The answers of the study, with the names of its records.
        arms: The table of `load_arms`.
        labels: What the report calls axes and levels.
    """
    ablations = first_readouts(found.ablations)
    searches = [search for search, _ in found.searches]
    lines = (
        [_claims(found.claims), *map(_contrasts, ablations)],
        [_centre(ablation, arms) for ablation in ablations],
        [_best(search, labels) for search in searches],
    )
    return [first for candidates in lines if (first := next(filter(None, candidates), ""))] or [_NOTHING]


def _claims(answers: Sequence[ClaimAnswer]) -> str:
    """Say how many claims have each verdict: `Of 8 claims, 4 are supported, 2 contradicted and 2 undecided.`."""
    counted = _counted(VERDICTS, [answer.verdict for answer in answers])
    return f"Of {several(len(answers), 'claim')}, {counted}." if answers else ""


def _contrasts(ablation: AblationSummary) -> str:
    """Say how many arms have each verdict: `Of 7 arms of ‘ablate’, 1 is better than the centre, ...`."""
    if ablation.is_for_claims or ablation.compared.empty:
        return ""
    counted = _counted(_CONTRASTS, list(ablation.compared["verdict"]))
    compared = several(len(ablation.compared), "arm")
    return f"Of {compared} of ‘{ablation.phase}’ beside the {centre_word(ablation)}, {counted}."


def _counted(order: Sequence[str], verdicts: Sequence[str]) -> str:
    counts = Counter(verdicts)
    said = [f"{counts[one]} {_WORDS.get(one, one)}" for one in order if counts[one]]
    number, _, words = said[0].partition(" ") if said else ("0", "", "")
    return listed([f"{number} {'is' if number == '1' else 'are'} {words}", *said[1:]])


def _centre(ablation: AblationSummary, arms: pd.DataFrame) -> str:
    """Say what the centre reaches, beside a random ranking and its own network before training."""
    row = ablation.centre_row
    if row is None or not row["n"] or not known(row[MAIN]):
        return ""
    of = f" of the first of {ablation.groups} groups of arms" if ablation.groups > 1 else ""
    reached = f"{spread(row[MAIN], row[f'{MAIN}_sd'], 1)} % {ablation.metric} ({several(int(row['n']), 'seed')})"
    own = arms[(arms["phase"] == ablation.phase) & (arms["readout"] == ablation.readout)]
    own = own[(own["arm"] == ablation.centre_arm) & (own["status"] == Status.FINISHED)]
    beside = {"a random ranking": "chance", "its untrained network": "untrained"}
    means = {words: own[f"{ablation.metric}_{name}"].mean() for words, name in beside.items()
             if f"{ablation.metric}_{name}" in own}  # fmt: skip
    least = [f"{words} {percent(mean)} %" for words, mean in means.items() if known(mean)]
    than = f"; {listed(least)}" if least else ""
    return f"The {centre_word(ablation)}{of} reaches {reached}{than}."


def _best(search: SearchSummary, labels: Labels) -> str:
    """Say what the best of a search reached and with which settings."""
    if search.best is None:
        return ""
    worth = search.worth[""]
    reached = f"{percent(worth.shown)} % {search.objective}{describe_worth(worth)}"
    return f"The best of ‘{search.phase}’ reaches {reached} with {settings(labels.settings(search.best_settings))}."
