"""Say whether a result is about these people or about other people too."""

from collections.abc import Iterable, Iterator, Sequence

from ..answers.ablations import AblationSummary
from ..answers.claim_answer import ClaimAnswer
from ..answers.over_people import ARMS_READ
from ..statistics.verdict import UNDECIDED
from .formats import NOTHING, interval
from .naming import centre_word

_THEIRS = "the people of the data"


def describe_claim_people(answer: ClaimAnswer, *, said: bool = False) -> str:
    """Return whom the verdict on a claim is about, in a sentence.

    Args:
        answer: The answer, which has a verdict by numbers.
        said: Whether `about_all` has said it, so that only what holds for other people is left; nothing if every seed
            drew its own.
    """
    others = _others(answer)
    if said:
        return f"{others[0].upper()}{others[1:]}." if others else ""
    return f"It is about {about(answer)}{f'; {others}' * bool(others)}."


def about(answer: ClaimAnswer) -> str:
    """Return whom the verdict on a claim is about, in a few words; empty if there is none by numbers."""
    if not answer.is_decided_by_numbers:
        return ""
    if answer.people.redrawn:
        return "other seeds and other people, since every seed drew its own"
    return (
        f"other seeds and {f'these {answer.people.effect.identities:,} people' if answer.people.verdict else _THEIRS}"
    )


def about_all(each: Iterable[str]) -> str:
    """Return whom several verdicts are about, if it is the same for all: what `about` says of each; else nothing."""
    known = [words for words in each if words]
    return known[0] if len(known) > 1 and len(set(known)) == 1 else ""


def people_in_short(answer: ClaimAnswer) -> str:
    """Return what the verdict on a claim says of other people, in a few words."""
    if not answer.is_decided_by_numbers:
        return NOTHING
    if answer.people.redrawn:
        return "every seed drew its own"
    return f"{answer.people.verdict} [{_intervals(answer)}]" if answer.people.verdict else NOTHING


def people_notes(answers: Sequence[ClaimAnswer]) -> Iterator[str]:
    """Yield what the intervals for other people are; nothing if no claim has one."""
    if any(answer.people.verdict for answer in answers):
        yield (
            "The intervals for other people pay for all claims and looks too. Beside the variance over seeds they have "
            "that over identities (two-way random effects). They are about testing on other people of the same kind, "
            "before the same cameras, after training on the same people."
        )


def describe_people(ablation: AblationSummary) -> Iterator[str]:
    """Yield whether the differences are about other people too, and which arms have an interval that says so."""
    if ablation.redrawn and not ablation.compared.empty:
        yield "The 95 % intervals are about other seeds, people and cameras, since every seed drew its own."
    if not ablation.has_people_intervals:
        return
    yield (
        "The 95 % interval and the verdict are about other seeds and these people. The interval over seeds and people "
        "is about other people before the same cameras too (two-way random effects; the people to train on stay these)."
    )
    if len(ablation.compared) > ARMS_READ:
        yield (
            f"Of {len(ablation.compared)} arms, the {ARMS_READ} furthest from the {centre_word(ablation)} have an "
            "interval over seeds and people."
        )


def _others(answer: ClaimAnswer) -> str:
    """Return what holds for other people; empty where the verdict is about them."""
    people = answer.people
    if people.redrawn:
        return ""
    if not people.verdict:
        return "for other people it is unknown, since results of queries are missing"
    said = "it is undecided" if people.verdict == UNDECIDED else "it holds"
    return f"for other people {said}{' too' * (people.verdict == answer.verdict)} ({_intervals(answer)})"


def _intervals(answer: ClaimAnswer) -> str:
    effect, excess = answer.people.effect, answer.people.excess
    around = interval(effect.low, effect.high)
    return around if excess is None else f"{around}; the excess {interval(excess.low, excess.high)}"
