"""Reduce an ablation to one row per arm: means over seeds, the contrast with the centre, what is missing.

Numbers under different protocols are never contrasted: each protocol has its own summary and centre.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reid_search.errors import RequestError
from reid_search.records import ArmAsked, Status, StudyState, TrialId, standing_readout
from reid_search.study import BASELINE
from reid_search.study.metrics import MAIN, SINGLE_SHOT_BESIDE, Metric, measured_where, shown_beside
from reid_search.study.question.designs.design import Design
from reid_search.study.question.designs.registry import design_of_record

from ..reading.arms import axis_and_level
from ..reading.measures import COST_COLUMNS, Row, is_single_shot
from ..reading.recipes import recipes_of
from ..statistics.effect import Floats, opposed
from .collapse import collapse_table, flags, why_no_effect, withdraw_effects, without_untrained
from .effects import EffectsSummary, summarise_effects
from .family import looks_at_table
from .groups import Group, Settings, protocol_groups
from .over_people import ARMS_READ, contrasts_over_people
from .paired_contrasts import contrasts, no_contrasts


@dataclass(frozen=True)
class AblationSummary:
    """The arms of one ablation and readout that were measured under one protocol.

    Attributes:
        phase: Name of the phase.
        readout: The readout.
        design: `one_factor`, `factorial`, ...
        evaluate: Split that it is tested on.
        smallest_effect: Smallest difference of interest.
        seeds: Seeds that were asked for.
        centre: Settings of the arm that the others are compared with.
        arms: One row per arm, the centre first: `arm`, `axis` and `level` (what differs from the centre), `asked` and
            `n` (seeds asked for and finished), mean and standard deviation of each metric (`mAP`, `mAP_sd`,
            `rank1`, ...), mean costs, and the columns of the contrast (`pairs`, `delta`, `low`, `high`, `p`, ...), with
            `rank1_delta`, `disagree`, those of `collapse_table`, and, for the arms furthest from the centre,
            `people_low` and `people_high` (the interval over seeds and people, unless every seed drew its own people).
        contrasts: The table of `contrasts` with all these columns and `protocol`; empty if they were refused. Arms that
            learnt nothing have no effect there, and come last in both tables.
        refusal: Why arms are not contrasted; None if they are.
        curves: CMC curves by arm, `(seeds, ranks)` in [0, 1], of the finished seeds.
        group: Which arms these are, and how their protocol differs from that of the first group.
        number: Number of the group in its phase and readout, from 1.
        groups: Number of groups of its phase and readout.
        effects: Effects of the design over all groups; None if there are none, and after the first group.
        around: The centre of the design: `base`, `best`, or a named arm; empty if the study no longer says it.
        redrawn: Whether every seed drew its own data.
        without_untrained: Number of finished seeds whose records do not hold what the untrained network reached.
        looks: How often its table showed something new after results had come in, the last time included; 0 for claims.
        recipes: Of each arm that was made from a published system, what it changes of it; with the first readout only.
    """

    phase: str
    readout: str
    design: str
    evaluate: str
    smallest_effect: float
    seeds: tuple[int, ...]
    centre: Mapping[str, str]
    arms: pd.DataFrame
    contrasts: pd.DataFrame
    refusal: str | None
    curves: Mapping[str, Floats]
    group: Group
    number: int = 1
    groups: int = 1
    effects: EffectsSummary | None = None
    around: str = ""
    redrawn: bool = False
    without_untrained: int = 0
    looks: int = 1
    recipes: tuple[str, ...] = ()

    @property
    def description(self) -> Design:
        """The description of its design; only a name if this release does not know it."""
        return design_of_record(self.design)

    @property
    def is_for_claims(self) -> bool:
        """Whether its arms are those that claims need: the claims compare them, so there is no centre."""
        return self.description.of_claims

    @property
    def metric(self) -> str:
        """The measurement that is contrasted."""
        return f"{self.evaluate}/{MAIN}"

    @property
    def further_metrics(self) -> list[Metric]:
        """The metrics of its tables other than the main one: those that its data set's rule measures."""
        return [item for item in measured_where(single_shot=self._is_single_shot) if item.name != MAIN]

    @property
    def beside(self) -> Metric:
        """The metric that is shown beside the main one."""
        return shown_beside(single_shot=self._is_single_shot)

    @property
    def _is_single_shot(self) -> bool:
        return SINGLE_SHOT_BESIDE in self.arms

    @property
    def centre_arm(self) -> str:
        """Name of the arm that the others are compared with."""
        return self.group.centre

    @property
    def centre_row(self) -> Row | None:
        """The row of the arm that the others are compared with; None if it was not asked for."""
        rows = self.arms[self.arms["arm"] == self.centre_arm]
        return None if rows.empty else dict(rows.iloc[0])

    @property
    def compared(self) -> pd.DataFrame:
        """The rows of arms that have a difference from the centre."""
        return self.arms[self.arms["delta"].notna()]

    def furthest(self, count: int) -> pd.DataFrame:
        """Return the compared rows, at most the `count` best and worst, in the order of the table."""
        return _furthest(self.compared, count)

    @property
    def has_people_intervals(self) -> bool:
        """Whether any arm has an interval over seeds and people."""
        return bool(self.arms["people_low"].notna().any())


def summarise_ablations(state: StudyState, arms: pd.DataFrame, smallest_effect: float) -> list[AblationSummary]:
    """Summarise every ablation and readout in the table of `load_arms`."""
    readouts = arms.groupby("phase", sort=False)["readout"].unique()
    found: list[AblationSummary] = []
    for (phase, readout), rows in arms.groupby(["phase", "readout"], sort=False):
        first = readout == standing_readout(list(readouts[str(phase)]))
        found += _summaries(state, state.ablations[str(phase)], rows, smallest_effect, first=first)
    return found


def _summaries(
    state: StudyState, asks: Sequence[ArmAsked], rows: pd.DataFrame, smallest_effect: float, *, first: bool
) -> Iterator[AblationSummary]:
    """Yield a summary for each protocol under which a phase's arms were measured with one readout."""
    settings = {ask.arm: ask.settings for ask in asks}
    phase, split, design = asks[0].phase, asks[0].evaluate, design_of_record(asks[0].by)
    groups, redrawn = protocol_groups(rows, settings), any(ask.redrawn_from for ask in asks)
    effects = summarise_effects(rows, settings, f"{split}/{MAIN}", smallest_effect) if design.has_effects else None
    for number, group in enumerate(groups, start=1):
        members = _of_group(rows, group, settings)
        if not design.has_levels:
            members = members.assign(axis="", level=members["arm"])
        compared, refusal = _none_compared(), None
        if not design.of_claims:
            compared, refusal = _compared(members, group.centre, split, smallest_effect)
        read = _furthest(compared[compared["delta"].notna()], ARMS_READ)["arm"] if first and not redrawn else ()
        compared = compared.merge(contrasts_over_people(state, members, read, group.centre), on="arm", how="left")
        ended = collapse_table(members)
        compared = compared.merge(ended, on="arm", how="left").assign(protocol=group.protocol)
        yield AblationSummary(
            phase=phase,
            readout=str(rows["readout"].iloc[0]),
            design=design.name,
            evaluate=split,
            smallest_effect=smallest_effect,
            seeds=tuple(sorted({int(seed) for seed in members["seed"]})),
            centre=settings[group.centre],
            arms=_flagged_last(
                _one_row_an_arm(members, split)
                .merge(ended, on="arm", how="left")
                .merge(_beside_means(compared.drop(columns=ended.columns[1:])), on="arm", how="left"),
                group.centre,
            ),
            contrasts=compared,
            refusal=refusal,
            curves=_curves(state, members, split),
            group=group,
            number=number,
            groups=len(groups),
            effects=effects if number == 1 else None,
            looks=looks_at_table(state.store, state.history, phase),
            around=str(state.phase(phase).get("around", "")),
            redrawn=redrawn,
            without_untrained=without_untrained(members),
            recipes=recipes_of(state, asks, group.arms) if first else (),
        )


def _furthest(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    if len(rows) <= count:
        return rows
    order = rows["delta"].sort_values(kind="stable").index
    return rows.loc[sorted([*order[: count // 2], *order[len(order) - count // 2 :]])]


def _of_group(rows: pd.DataFrame, group: Group, settings: Settings) -> pd.DataFrame:
    """Return the rows of a group, its centre first, with what differs from this centre."""
    members = rows[rows["arm"].isin(group.arms)]
    if group.centre == BASELINE:
        return members
    members = members.sort_values("arm", key=lambda arms: arms != group.centre, kind="stable")
    differing = [axis_and_level(settings[arm], settings[group.centre]) for arm in members["arm"]]
    return members.assign(**{name: [found[name] for found in differing] for name in ("axis", "level")})


def _compared(rows: pd.DataFrame, centre: str, split: str, smallest_effect: float) -> tuple[pd.DataFrame, str | None]:
    """Return the contrasts of `MAIN`, with that of the metric beside it at each, or why there are none."""
    try:
        table = contrasts(rows, centre, f"{split}/{MAIN}", smallest_effect)
        beside = shown_beside(single_shot=is_single_shot(rows, split))
        rank1 = contrasts(rows, centre, f"{split}/{beside.name}", smallest_effect)
    except RequestError as error:
        return _none_compared(), str(error)
    flagged = flags(rows)
    table, rank1 = (withdraw_effects(found, flagged, centre) for found in (table, rank1))
    table = table.assign(rank1_delta=rank1["delta"], disagree=opposed(table["delta"], rank1["delta"]))
    return table, why_no_effect({centre: flagged[centre]}) if centre in flagged else None


def _none_compared() -> pd.DataFrame:
    return no_contrasts().assign(rank1_delta=[], disagree=[])


def _beside_means(compared: pd.DataFrame) -> pd.DataFrame:
    """Leave out the means over pairs, since the table of arms has the means over all finished seeds."""
    means = ["mean", "baseline_mean", "sd", "baseline_sd"]
    return compared.drop(columns=[*means, "protocol"]).rename(columns={"n": "pairs"})


def _one_row_an_arm(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    metrics = [metric.name for metric in measured_where(single_shot=is_single_shot(rows, split))]
    measured = {f"{split}/{name}": name for name in metrics}
    finished = rows[rows["status"] == Status.FINISHED].rename(columns=measured)
    by_arm = finished.groupby("arm", sort=False)
    means = by_arm[[*metrics, *COST_COLUMNS, "dim"]].mean()
    deviations = by_arm[metrics].std(ddof=1).add_suffix("_sd")
    table = rows.drop_duplicates("arm").set_index("arm")[["axis", "level"]]
    table["asked"] = rows.groupby("arm").size()
    table["n"] = by_arm.size().reindex(table.index, fill_value=0)
    for told in ("transductive", "beside"):
        table[told] = by_arm[told].first().reindex(table.index)
    return table.join(means).join(deviations).reset_index()


def _flagged_last(arms: pd.DataFrame, centre: str) -> pd.DataFrame:
    """Put arms that learnt nothing after the others, but never the centre."""
    return arms.sort_values("flag", key=lambda flag: (flag != "") & (arms["arm"] != centre), kind="stable")


def _curves(state: StudyState, rows: pd.DataFrame, split: str) -> dict[str, Floats]:
    curves: dict[str, list[list[float]]] = {}
    finished = rows.loc[rows["status"] == Status.FINISHED, ["arm", "key", "seed", "stored_as"]]
    for arm, key, seed, stored_as in finished.itertuples(index=False, name=None):
        record = state.trials[TrialId(str(key), int(str(seed)))].record
        curve = record.readouts[str(stored_as)].cmc.get(split) if record else None
        if curve:
            curves.setdefault(str(arm), []).append(curve)
    return {arm: np.asarray([curve[: min(map(len, found))] for curve in found]) for arm, found in curves.items()}
