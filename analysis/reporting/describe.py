"""Describe in sentences what a study asked and what it found."""

from collections.abc import Iterator, Sequence

from reid_search.records import Status, StudyState, Trial, standing_readout
from reid_search.study.metrics import MAIN, METRICS
from reid_search.study.trial.side_cars import TOLD, TRUTH
from reid_search.words import several

from ..answers.ablations import AblationSummary
from ..answers.bests import BestValue
from ..answers.searches import SearchSummary
from ..answers.trials_summary import TrialsSummary
from ..reading.data_sets import data_sets
from ..reading.measures import Row, rows_of
from .claims import describe_bound
from .describe_collapse import LEARNT_NOTHING, describe_best_collapsed, describe_collapse
from .describe_edges import count_edges
from .describe_family import describe_looks
from .describe_people import describe_people
from .describe_tables import describe_shared, describe_unlike
from .formats import interval, known, listed, percent, points, settings, spread
from .naming import centre_word

_STATUS_WORDS = {
    Status.STOPPED: "stopped early",
    Status.RUNNING: "running or interrupted",
    Status.WAITING: "not started",
}
_SEEDS_FOR_A_VERDICT = 5
_REDRAWN = ", every seed on its own data"

RESCORED = "†"
_MARKS = {
    RESCORED: "Transductive: the distance of a pair depends on other images of the gallery",
    TOLD: "Told the truth in testing: an upper bound",
    LEARNT_NOTHING: "Every seed is at chance or not above its untrained network: no effect",
}


def marks_of(row: Row) -> dict[str, str]:
    """Return the marks behind the name of an arm, each with what it means."""
    rescored, beside = row.get("transductive"), row.get("beside")
    marks = [RESCORED] * (known(rescored) and bool(rescored)) + [TOLD] * (known(beside) and TRUTH in str(beside))
    marks += [LEARNT_NOTHING] * (known(row.get("flag")) and bool(row["flag"]))
    return {mark: _MARKS[mark] for mark in marks}


def describe_marked(row: Row) -> str:
    """Return the name of an arm with its marks."""
    return " ".join([describe_arm(row), *marks_of(row)])


def describe_study(
    state: StudyState, searches: Sequence[SearchSummary], ablations: Sequence[AblationSummary]
) -> list[str]:
    """Return the summary of a report, sentence by sentence."""
    if not searches and not ablations:
        trials = several(len(state.trials), "trial")
        return [f"The study has asked for nothing yet; {trials} on disk. Run it and write the report again."]
    sentences = [sentence for search in searches for sentence in _about_search(search)]
    for ablation in first_readouts(ablations):
        sentences += _about_arms_of_claims(ablation) if ablation.is_for_claims else _about_ablation(ablation)
    if searches and not ablations:
        sentences.append("No ablation has run yet, so nothing here says which setting matters.")
    return sentences


def headline_numbers(
    searches: Sequence[SearchSummary], ablations: Sequence[AblationSummary], trials: TrialsSummary, evaluations: int
) -> list[tuple[str, str, str]]:
    """Return the few numbers at the top of a report, each with its name and a remark."""
    tiles: list[tuple[str, str, str]] = []
    for search in searches:
        if search.best is not None and search.each is None:
            worth, remark = search.worth[""], f"{search.objective}, proposal #{search.best['number']}"
            tiles.append((f"best of ‘{search.phase}’", f"{percent(worth.shown)} %", f"{remark}{describe_worth(worth)}"))
    for ablation in (item for item in first_readouts(ablations) if not item.is_for_claims):
        base = ablation.centre_row if ablation.number == 1 else None
        if base is not None and base["n"]:
            reached = f"{spread(base[MAIN], base[f'{MAIN}_sd'], 1)} %"
            remark = f"{ablation.metric}, {several(int(base['n']), 'seed')}"
            tiles.append((f"{centre_word(ablation)} of ‘{ablation.phase}’", reached, remark))
    counted = [
        f"{count} {status_words(status)}" for status, count in trials.counts.items() if status != Status.FINISHED
    ]
    counted += [f"{trials.waiting} not started"] if trials.waiting else []
    tiles.append(("trials finished", str(trials.counts.get(Status.FINISHED, 0)), ", ".join(counted) or "all of them"))
    tiles.append(("test evaluations", str(evaluations), "uses of the test split"))
    return tiles


def first_readouts(ablations: Sequence[AblationSummary]) -> list[AblationSummary]:
    """Return the summaries of one readout per phase: `default`, or else the first."""
    readouts: dict[str, list[str]] = {}
    for ablation in ablations:
        readouts.setdefault(ablation.phase, []).append(ablation.readout)
    return [ablation for ablation in ablations if ablation.readout == standing_readout(readouts[ablation.phase])]


def _without_weights(state: StudyState) -> Iterator[str]:
    """Say where networks that started from random values were trained on photographs."""
    finished = [trial for trial in state.trials.values() if trial.status == Status.FINISHED and trial.record]
    random = [trial for trial in finished if trial.record and not trial.record.weights and not _names_weights(trial)]
    sets = data_sets(state)
    trained_on = [sets.photographed(sets.sections[trial.id]) for trial in random if trial.id in sets.sections]
    bare = [names for names in trained_on if names]
    if bare:
        which = "every trial" if len(bare) == len(finished) else "some trials"
        names = sorted({name for own in bare for name in own})
        yield (
            f"NO PRETRAINED WEIGHTS: {which} on {listed(names)} started from random values, so "
            "these numbers are far below what the same settings reach from weights of ImageNet."
        )


def _names_weights(trial: Trial) -> bool:
    """Say whether a trial's config names weights, as records did before they said what was taken from them."""
    return any(name.endswith("weights") and value for name, value in trial.section("model").items())


def describe_problems(state: StudyState, phases: Sequence[str]) -> list[str]:
    """Return warnings about the files: those that cannot be read, and phases that the study no longer has."""
    sentences = [f"Not readable: {problem}" for problem in state.problems]
    sentences += _without_weights(state)
    dropped = [phase for phase in dict.fromkeys(phases) if state.study.get("phases") and not state.phase(phase)]
    return sentences + [
        f"study.yaml no longer has a phase ‘{phase}’; it is shown as an earlier run asked for it." for phase in dropped
    ]


def describe_counts(search: SearchSummary) -> str:
    """Return how the proposals of a search ended: `4 finished, 1 stopped early, 1 failed`."""
    return ", ".join(f"{count} {status_words(status)}" for status, count in search.counts.items())


def status_words(status: str) -> str:
    """Return a status in the words of a report."""
    return _STATUS_WORDS.get(Status(status), status)


def describe_arm(row: Row) -> str:
    """Return an arm as `model.parts = [1, 2]`, with all its changes."""
    axes, levels = str(row["axis"]).split(" × "), str(row["level"]).split(" × ")
    known_levels = row["axis"] and len(axes) == len(levels)
    return settings(dict(zip(axes, levels, strict=True))) if known_levels else str(row["arm"])


def describe_power(ablation: AblationSummary) -> list[str]:
    """Return what this number of seeds can show."""
    pairs = [int(n) for n in ablation.arms.get("pairs", []) if n == n and n > 0]
    if not pairs:
        return []
    n = max(pairs)
    if n == 1:
        return ["With one seed there is an effect but no verdict: nothing says how far another seed would move it."]
    sentences = [describe_bound(n)]
    if n < _SEEDS_FOR_A_VERDICT:
        sentences.append(
            "The t intervals assume normally distributed differences, which so few seeds cannot check; "
            f"use {_SEEDS_FOR_A_VERDICT} or more for a reliable verdict."
        )
    detectable = ablation.arms["detectable"].median()
    if detectable == detectable:
        sentences.append(
            f"For the median arm, a true difference of {points(detectable).lstrip('+')} points would have been found "
            "with probability .8 (one test at p < .05)."
        )
    tests = several(int(ablation.contrasts["family"].max()), "test")
    exploratory = f"No contrast was named beforehand: the table is exploratory, and Holm's method counts {tests}."
    return [*sentences, exploratory, *describe_looks(ablation.looks)]


def describe_notes(ablation: AblationSummary) -> list[str]:
    """Return caveats about the arms: disagreements, odd cases, gaps, what the statistics can show."""
    rows = rows_of(ablation.arms)
    disagreeing = [
        f"{describe_arm(row)} ({points(row['delta'])} against {points(row['rank1_delta'])})"
        for row in rows
        if row["disagree"] is True
    ]
    both = f"{METRICS[MAIN].title} and {ablation.beside.title}"
    notes = [f"⇅ {both} disagree in sign: {'; '.join(disagreeing)}."] if disagreeing else []
    notes += [
        f"{describe_arm(row)}: {row['note']}."
        for row in rows
        if known(row["note"]) and row["note"] and row["n"] and not (row["flag"] or ablation.refusal)
    ]
    notes += [
        f"{describe_arm(row)}: {row['n']} of {several(int(row['asked']), 'seed')} finished."
        for row in rows
        if row["n"] < row["asked"]
    ]
    notes += describe_collapse(ablation)
    rescored = [describe_arm(row) for row in rows if RESCORED in marks_of(row)]
    if rescored:
        notes.append(
            f"{RESCORED} {'; '.join(rescored)}: transductive. The distance of a pair depends on other images of the "
            "gallery, so these arms answer a different question from those that compare two images."
        )
    told = [f"{describe_arm(row)} ({row['beside']})" for row in rows if TOLD in marks_of(row)]
    if told:
        notes.append(
            f"{TOLD} {'; '.join(told)}: told the truth in testing. What these arms read beside each image was taken "
            "from what the image was made of, not predicted from it, so that they are upper bounds."
        )
    return [*notes, *describe_people(ablation), *describe_power(ablation)]


def describe_worth(worth: BestValue) -> str:
    """Say in brackets how a best value came about; nothing if it is the one that selected it."""
    return f" ({worth.how})" if worth.seeds else ""


def _about_search(search: SearchSummary) -> Iterator[str]:
    tried = several(len(search.proposals), "setting")
    of = f" of {search.wanted}" if search.wanted and search.wanted > len(search.proposals) else ""
    if search.there_are is not None and search.there_are <= len(search.proposals):
        of = ", all that there are,"
    axes = listed(list(search.axes)) or "no axis"
    begin = f"The search ‘{search.phase}’ ({search.sampler}) tried {tried}{of} of {axes}"
    counted = describe_counts(search)
    if search.best is None:
        why = "its finalists are of different code" if search.refusal else "none is finished"
        yield f"{begin}: {counted}; {why}, so there is no best{' yet' * (not search.refusal)}."
        return
    if search.each:
        tuned = several(len(search.best_of_each), "arm" if search.tuned_by == "arm" else "level")
        yield f"{begin} ({counted}), the same number for each {search.each}, and found the best of {tuned}."
        yield from count_edges(search)
        return
    yield (
        f"{begin} ({counted}); the best, #{search.best['number']}, reached {percent(search.worth[''].shown)} % "
        f"{search.objective}{describe_worth(search.worth[''])} with {settings(search.best_settings)}."
    )
    yield from describe_best_collapsed(search)
    yield from count_edges(search)


def _about_arms_of_claims(ablation: AblationSummary) -> Iterator[str]:
    """Say once, for all protocols, what was measured; the claims say what was found."""
    if ablation.number > 1:
        return
    under = f" under {ablation.groups} protocols" if ablation.groups > 1 else ""
    yield (
        f"The ablation ‘{ablation.phase}’ measures the arms that the claims need{under} on the {ablation.evaluate} "
        f"split, {several(len(ablation.seeds), 'seed')} each{_REDRAWN * ablation.redrawn}."
    )


def _about_ablation(ablation: AblationSummary) -> Iterator[str]:
    others, word = several(len(ablation.arms) - 1, "arm"), centre_word(ablation)
    if ablation.number == 1:
        yield (
            f"The ablation ‘{ablation.phase}’ compares {others} with a {word} on the {ablation.evaluate} split, "
            f"{several(len(ablation.seeds), 'seed')} each{_REDRAWN * ablation.redrawn}."
        )
    else:
        yield (
            f"With {describe_shared(ablation)}, ‘{ablation.phase}’ has another protocol ({describe_unlike(ablation)}) "
            f"and compares {others} with their own {word}."
        )
    base = ablation.centre_row
    if base is None or not base["n"]:
        yield f"The {word} has no finished trial, so there is nothing to compare with yet."
        return
    over = "one seed" if base["n"] == 1 else f"mean ± standard deviation, {base['n']} seeds"
    yield f"The {word} reaches {spread(base[MAIN], base[f'{MAIN}_sd'])} % {ablation.metric} ({over})."
    if ablation.around == "best" and ablation.number == 1:
        yield (
            "Its settings are the search's best, trained again on seeds that the search did not use: the value that "
            "selected them is not the value reported here."
        )
    if ablation.refusal:
        yield f"The arms are not compared: {ablation.refusal}."
    elif ablation.compared.empty:
        yield "No other arm shares a finished seed with it."
    else:
        yield from _strongest(ablation)
        yield describe_power(ablation)[0]


def _strongest(ablation: AblationSummary) -> Iterator[str]:
    rows = ablation.compared.sort_values("delta", kind="stable")
    best, worst = (dict(rows.iloc[place]) for place in (-1, 0))
    word = centre_word(ablation)
    yield f"Strongest gain: {_effect(best)}." if best["delta"] > 0 else f"No arm is above the {word}."
    yield f"Strongest loss: {_effect(worst)}." if worst["delta"] < 0 else f"No arm is below the {word}."
    counted = rows["verdict"].value_counts()
    order = ("better", "worse", "equivalent", "inconclusive", "no verdict")
    yield f"Verdicts: {', '.join(f'{counted[word]} {word}' for word in order if word in counted)}."


def _effect(row: Row) -> str:
    around = f", 95 % interval {interval(row['low'], row['high'])}" if row["low"] == row["low"] else ""
    return f"{describe_arm(row)}, {points(row['delta'])} points{around} ({row['verdict']})"
