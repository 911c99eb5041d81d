"""What a report calls axes, levels and arms, by the `labels` of the study; files of tables keep the study's names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from ..answers.ablations import AblationSummary
from ..answers.claim_answer import ClaimAnswer
from ..answers.importances import ImportanceSummary
from ..answers.searches import SearchSummary
from ..answers.study_answers import StudyAnswers

_BETWEEN = " × "


@dataclass(frozen=True)
class Labels:
    """What a report calls axes and levels.

    Attributes:
        axes: The paths of the study's axes.
        titles: What axes are called, by path, of those that have a title.
        levels: What their levels are called by name, by path.
    """

    axes: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Mapping[str, object]) -> "Labels":
        """Return the labels in the content of a study file; what is none there, after an edit by hand, is left out."""
        found = {path: _map(entry) for path, entry in _map(study.get("labels")).items()}
        titles = {path: str(entry["title"]) for path, entry in found.items() if entry.get("title")}
        levels = {
            path: {name: str(shown) for name, shown in _map(entry.get("levels")).items()}
            for path, entry in found.items()
        }
        return cls(tuple(_map(study.get("axes"))), titles, levels)

    def __bool__(self) -> bool:
        return bool(self.titles or any(self.levels.values()))

    def axis(self, path: str) -> str:
        """Return what an axis is called, or several joined by ×."""
        return _BETWEEN.join(self.titles.get(one, one) for one in path.split(_BETWEEN))

    def level(self, path: str, level: str) -> str:
        """Return what a level of an axis is called, or those of several joined by ×."""
        paths, levels = path.split(_BETWEEN), level.split(_BETWEEN)
        if len(paths) != len(levels):
            return level
        pairs = zip(paths, levels, strict=True)
        return _BETWEEN.join(self.levels.get(one, {}).get(name, name) for one, name in pairs)

    def settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return levels by axis under the names of both."""
        return {self.axis(path): self.level(path, level) for path, level in settings.items()}

    def arm(self, name: str) -> str:
        """Return an arm such as `model.parts=[1], losses.triplet.margin=0.3` as `branches: one, margin: 0.3`."""
        paths = "|".join(re.escape(path) for path in sorted(self.axes, key=len, reverse=True))
        _, *pieces = re.split(rf"(?:^|, )({paths})=", name) if paths else (name,)
        settings = self.settings(dict(zip(pieces[::2], pieces[1::2], strict=True)))
        return ", ".join(f"{axis}: {level}" for axis, level in settings.items()) or name


def labelled(found: StudyAnswers, labels: Labels) -> StudyAnswers:
    """Return the answers of a study with the names that a report shows; unchanged if it gives none."""
    if not labels:
        return found
    return replace(
        found,
        claims=tuple(_claim(answer, labels) for answer in found.claims),
        searches=tuple(_search(search, importance, labels) for search, importance in found.searches),
        ablations=tuple(_ablation(ablation, labels) for ablation in found.ablations),
    )


def _claim(answer: ClaimAnswer, labels: Labels) -> ClaimAnswer:
    return replace(answer, arms=_arms(answer.arms, labels))


def _arms(rows: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Return a table of arms under their names; where it has none of its levels, these are the arms."""
    if rows.empty:
        return rows
    found = rows.assign(arm=rows["arm"].map(labels.arm))
    if "axis" not in rows or "level" not in rows:
        return found
    both = list(zip(rows["axis"].fillna(""), rows["level"].fillna(""), strict=True))
    levels = [labels.level(axis, level) if axis else labels.arm(level) for axis, level in both]
    return found.assign(axis=[labels.axis(axis) for axis, _ in both], level=levels)


def _ablation(ablation: AblationSummary, labels: Labels) -> AblationSummary:
    group = ablation.group
    return replace(
        ablation,
        centre=labels.settings(ablation.centre),
        arms=_arms(ablation.arms, labels),
        contrasts=_arms(ablation.contrasts, labels),
        curves={labels.arm(arm): curve for arm, curve in ablation.curves.items()},
        group=replace(
            group,
            arms=tuple(map(labels.arm, group.arms)),
            centre=labels.arm(group.centre),
            shared=labels.settings(group.shared),
        ),
        effects=ablation.effects and replace(ablation.effects, table=_effects(ablation.effects.table, labels)),
    )


def _effects(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    axes = list(table["effect"])
    named = {
        name: [labels.level(axis, str(level)) for axis, level in zip(axes, table[name], strict=True)]
        for name in ("level", "reference")
    }
    return table.assign(effect=[labels.axis(axis) for axis in axes], **named)


def _search(
    search: SearchSummary, importance: ImportanceSummary | None, labels: Labels
) -> tuple[SearchSummary, ImportanceSummary | None]:
    """Return a search with its axes under their names, except where another column of its proposals has that name.

    Levels keep theirs, since figures read numbers in them.
    """
    taken = set(search.proposals.columns)
    names = {path: labels.axis(path) for path in search.axes if labels.axis(path) not in taken}

    def name(path: str) -> str:
        return names.get(path, path)

    def keyed(content: Mapping[str, Any]) -> dict[str, Any]:
        return {name(path): value for path, value in content.items()}

    shown = replace(
        search,
        axes=keyed(search.axes),
        proposals=search.proposals.rename(columns=names),
        best=search.best and keyed(search.best),
        best_of_each=tuple((level, keyed(row), keyed(found)) for level, row, found in search.best_of_each),
        each=search.each and name(search.each),
        tuned_by=search.tuned_by and name(search.tuned_by),
        held=tuple(map(name, search.held)),
        edges=tuple(replace(edge, axis=name(edge.axis)) for edge in search.edges),
        described=keyed(search.described),
        prices=keyed(search.prices),
    )
    return shown, importance and replace(
        importance,
        fanova=[replace(item, axis=name(item.axis)) for item in importance.fanova],
        ped_anova=[replace(item, axis=name(item.axis)) for item in importance.ped_anova],
    )


def _map(content: object) -> Mapping[str, Any]:
    return {str(key): value for key, value in content.items()} if isinstance(content, Mapping) else {}
