"""What was ever claimed in a store, in words: what a claim's verdict has behind it, and what is claimed no more."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reid_search.records import Attempt, History, Sample, StudyStore
from reid_search.words import several

from ..answers.family import Changes, Family, Past, family_of, looks_at_table
from .formats import listed, points

_ORDINALS = {1: "the first", 2: "the second", 3: "the third"}
_DAY = 10  # characters of an ISO time


def describe_past(past: Past) -> list[str]:
    """Return what was done about a claim before its verdict, one sentence each; nothing if it was claimed once."""
    return list(_past(past))


def describe_family(family: Family) -> list[str]:
    """Return what the family counts beside the claims of the study file, and what it does not, one sentence each."""
    return list(_family(family))


def describe_looks(looks: int) -> list[str]:
    """Return how often an exploratory table was looked at, in a sentence; nothing if it was measured in one go."""
    why = "seeds or arms were changed after results had come in, and no p pays for it"
    return [f"It was looked at {_times(looks)}: {why}."] if looks > 1 else []


def caveats(study_dir: Path | str) -> list[str]:
    """Return what weighs on the verdicts of a study: the past of each claim, the family, looks at its other tables.

    Args:
        study_dir: `<storage>/<study>`.
    """
    store = StudyStore.at(study_dir)
    history = store.log.history([])
    family = family_of(store, history)
    pasts = {claim.name: describe_past(family.past(claim.name)) for claim in history.claims}
    told = [f"{name}: {' '.join(past)}" for name, past in pasts.items() if past]
    return [*told, *describe_family(family), *looks_at_tables(store, history)]


def looks_at_tables(store: StudyStore, history: History) -> list[str]:
    """Return how often each exploratory table was looked at, if more than once."""
    looks = {phase: looks_at_table(store, history, phase) for phase in history.ablations}
    return [f"{phase}: {sentence}" for phase, count in looks.items() for sentence in describe_looks(count)]


def _past(past: Past) -> Iterator[str]:
    if past.later:
        yield (
            f"It was made after results had come in, {_ORDINALS.get(past.later, f'{past.later}th')} of its kind, so it "
            "is paid from the tenth of the error rate that is kept for such claims."
        )
    if past.looks > 1:
        seen = listed([str(seeds) for seeds in past.seeds_at_looks])
        planned = " as planned," if past.is_as_planned else ""
        yield f"It could have been decided {_times(past.looks)},{planned} with {seen} seeds."
    if past.sample and past.sample.times_lowered:
        yield f"Its number of seeds was lowered {_times(past.sample.times_lowered)} after results had come in."
    if past.other_samples:
        told = "; ".join(_sample(sample, past.sample) for sample in past.other_samples)
        ways = several(len(past.other_samples), "other way")
        yield f"It was also measured in {ways}, counted in the family: {told}."
    yield from _changed_sizes(past)
    if past.times_reversed:
        yield f"Its direction was reversed {_times(past.times_reversed)} after results had come in."
    if past.other_names:
        yield f"It was called {_quoted(past.other_names)} before."
    if past.beside:
        yield f"{_quoted(past.beside)} of this study {'compares' if len(past.beside) == 1 else 'compare'} the same."
    if past.set_aside:
        yield f"It was measured in a store that was set aside (--fresh) on {listed(past.set_aside)}."
    if past.elsewhere:
        yield f"Other studies in this storage ask it too: {listed(past.elsewhere)}."


def _changed_sizes(past: Past) -> Iterator[str]:
    """Yield how the smallest effect, and what the effect may be under its control, were changed."""
    together = past.smallest_effects == past.bounds
    also = ", and with it what its effect may be under its control," if together else ""
    yield from _changed(f"Its smallest effect of interest{also}", past.smallest_effects)
    if not together:
        yield from _changed("What its effect may be under its control", past.bounds)


def _changed(what: str, changes: Changes) -> Iterator[str]:
    if changes.times:
        sizes = listed([points(size).lstrip("+") for size in changes.others])
        yield f"{what} was changed {_times(changes.times)} after results had come in; it was {sizes} points."


def _family(family: Family) -> Iterator[str]:
    left = [(contrast.names, sample) for contrast, sample in family.left_behind if not contrast.claims_now]
    again = len(family.left_behind) - len(left)
    if left:
        told = "; ".join(
            f"{_quoted(names)} ({sample.last.made.time[:_DAY]}, {_sample(sample, None)})" for names, sample in left
        )
        yield f"Measured and then withdrawn, so counted in the family: {told}."
    if again:
        yield f"Other ways in which present claims were measured are counted in the family too: {again}."
    if family.unseen:
        yield f"Withdrawn before anything of it was measured, so not counted: {_quoted(family.unseen)}."
    for folder in family.gone:
        yield f"What was set aside in {folder} is gone, so the family lacks what was claimed there."


def _sample(sample: Sample, now: Sample | None) -> str:
    """Say on what a contrast was measured, as far as it differs from now: `data.seed 3, 5 seeds`."""
    last, current = sample.last, now.last if now else None
    before = dict(current.data_seeds) if current else {}
    said = [f"{path} {seed}" for path, seed in last.data_seeds.items() if before.get(path) != seed]
    if current and not said:
        said.append(_other_way(last, current))
    said.append(several(max(sample.seeds_at_looks, default=last.seeds), "seed"))
    asides = sorted({attempt.aside for attempt in sample.attempts} - {""})
    return ", ".join([*said, *(f"set aside on {day}" for day in asides)])


def _other_way(last: Attempt, current: Attempt) -> str:
    if last.effect != current.effect:
        return "other trainings of the same arms"
    if last.control != current.control:
        return "another control" if last.control else "no control"
    return "other data in some seeds"


def _quoted(names: Sequence[str]) -> str:
    return listed([f"‘{name}’" for name in names])


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
