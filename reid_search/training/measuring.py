"""Testing a model: the features of each readout, their ranking, and the part of it that a record keeps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.common.arrays import Integers
from reid_search.data import LabelledImages, RankingSet
from reid_search.evaluation import RankingResult, chance_deviation, chance_mean_ap, evaluate_ranking
from reid_search.models import ReidModel
from reid_search.records import ReadoutResult, epoch_column
from reid_search.scorers import build_scorer
from reid_search.study import MARKET_RULE, EvaluationRule, ReadoutConfig, TrialConfig
from reid_search.study.metrics import Metric, measured_under
from reid_search.study.trial.normalization import IMAGENET, Normalization
from reid_search.training.batches import to_batch

Features = npt.NDArray[np.float32]

_BATCH = 128


@dataclass(frozen=True)
class ReadoutPlan:
    """A readout with the keys of the taps that it reads, in order, and their number of values per image."""

    config: ReadoutConfig
    keys: tuple[str, ...]
    dims: tuple[int, ...]

    @property
    def dim(self) -> int:
        """Number of values per image."""
        return sum(self.dims)

    def features(self, taps: Mapping[str, Tensor], mirrored: Mapping[str, Tensor]) -> Tensor:
        """Return the features of a batch, `(B, dim)`; only readouts with `flip` read the mirrored images' taps."""
        blocks = [taps[key].flatten(1).float() for key in self.keys]
        if self.config.flip:
            pairs = zip(blocks, self.keys, strict=True)
            blocks = [(block + mirrored[key].flatten(1).float()) / 2 for block, key in pairs]
        return self._normalized(blocks)

    def pooled(self, own: Features, features: Features, images: Sequence[Integers]) -> Features:
        """Return the mean feature of each query's images, normalised as those of single images, `(Q, dim)`.

        Args:
            own: `(Q, dim)` features of the queries' own images, for those that have no other.
            features: `(N, dim)` features of the images to pool.
            images: For each query, the places of its images among these.
        """
        means = [
            features[places].mean(axis=0, dtype=np.float64) if len(places) else own[query].astype(np.float64)
            for query, places in enumerate(images)
        ]
        blocks = torch.split(torch.from_numpy(np.stack(means)), list(self.dims), dim=1)
        return self._normalized(list(blocks)).float().numpy()

    def _normalized(self, blocks: list[Tensor]) -> Tensor:
        if self.config.normalize == "blocks":
            blocks = [functional.normalize(block, dim=1) for block in blocks]
        feature = torch.cat(blocks, dim=1)
        return functional.normalize(feature, dim=1) if self.config.normalize == "all" else feature


def readout_plans(config: TrialConfig) -> dict[str, ReadoutPlan]:
    """Return the readouts of a trial by name."""
    plans = {}
    for name, readout in config.readouts.items():
        taps = config.readout_taps(name)
        plans[name] = ReadoutPlan(readout, tuple(tap.key for tap in taps), tuple(tap.dim for tap in taps))
    return plans


def rank(
    model: ReidModel,
    plans: Mapping[str, ReadoutPlan],
    images: RankingSet,
    device: torch.device,
    heads: Mapping[str, nn.Module] | None = None,
    normalization: Normalization = IMAGENET,
) -> dict[str, RankingResult]:
    """Return the ranking of each readout; `heads` are the trained losses, whose heads scorers may use.

    Raises:
        EvaluationError: Features are not finite, or no query has a match.
    """
    query = extract(model, plans, images.query, device, normalization)
    gallery = extract(model, plans, images.gallery, device, normalization)
    if images.multi_query is not None:
        # Held-out images are the gallery of the validation split and pooled for its queries.
        alike = images.multi_query is images.gallery
        pool = gallery if alike else extract(model, plans, images.multi_query, device, normalization)
        query = {name: plan.pooled(query[name], pool[name], images.pooled()) for name, plan in plans.items()}
    labels = _labels(images)
    results = {}
    for name, plan in plans.items():
        features, metric = (query[name], gallery[name]), plan.config.metric
        scorer = build_scorer(plan.config.scorer, heads or {}) if plan.config.scorer else None
        results[name] = evaluate_ranking(*features, metric=metric, scorer=scorer, **labels)
    return results


def rank_each(
    sets: Mapping[str, RankingSet], ranked: Callable[[RankingSet], dict[str, RankingResult]]
) -> dict[str, dict[str, RankingResult]]:
    """Return the rankings of each split; one that several splits name is made once."""
    made = {id(images): ranked(images) for images in {id(images): images for images in sets.values()}.values()}
    return {split: made[id(images)] for split, images in sets.items()}


@torch.no_grad()
def extract(
    model: ReidModel,
    plans: Mapping[str, ReadoutPlan],
    images: LabelledImages,
    device: torch.device,
    normalization: Normalization = IMAGENET,
) -> dict[str, Features]:
    """Return the features of each readout, `(N, dim)`, in full precision and evaluation mode."""
    model.eval()
    wants_mirrored = any(plan.config.flip for plan in plans.values())
    found: dict[str, list[Features]] = {name: [] for name in plans}
    for samples in images.batches(_BATCH):
        batch = to_batch(samples, device, normalization)
        taps = model(batch)
        mirrored = model(batch.mirrored()) if wants_mirrored else {}
        for name, plan in plans.items():
            found[name].append(plan.features(taps, mirrored).cpu().numpy())
    return {name: np.concatenate(chunks) for name, chunks in found.items()}


def epoch_metrics(
    config: TrialConfig, results: Mapping[str, RankingResult], rule: EvaluationRule = MARKET_RULE
) -> dict[str, float]:
    """Return the columns of an epoch's row that measure the validation split, which is ranked by a rule."""
    metrics = [metric for metric in measured_under(rule) if metric.in_epochs]
    return {
        epoch_column(list(config.readouts), readout, name): value
        for readout, result in results.items()
        for name, value in _metrics("val", result, metrics).items()
    }


def readout_result(
    config: TrialConfig,
    plan: ReadoutPlan,
    images: Mapping[str, RankingSet],
    results: Mapping[str, RankingResult],
    untrained: Mapping[str, RankingResult] | None = None,
) -> ReadoutResult:
    """Return a readout's entry in a trial's record, given its ranking of each split, trained and untrained."""
    metrics: dict[str, float] = {}
    for split, result in results.items():
        rule = images[split].rule
        metrics |= _metrics(split, result, measured_under(rule))
        metrics[f"{split}/mAP_chance"] = chance_mean_ap(**_labels(images[split]))
        metrics[f"{split}/mAP_chance_sd"] = chance_deviation(**_labels(images[split]))
        if rule.single_shot:
            metrics[f"{split}/single_shot_mAP_chance"] = chance_mean_ap(**_labels(images[split]), single_shot=True)
        if untrained:
            metrics[f"{split}/mAP_untrained"] = untrained[split].mean_ap
        metrics[f"{split}/queries_without_match"] = result.queries_without_match
    cmc = {split: result.cmc.tolist() for split, result in results.items()}
    scorer = plan.config.scorer
    return ReadoutResult(
        config=plan.config.model_dump(mode="json"),
        dim=plan.dim,
        scorer=scorer.kind if scorer else None,
        transductive=scorer.transductive if scorer else False,
        metrics=metrics,
        cmc=cmc,
        rules={split: images[split].rule for split in results if images[split].rule != MARKET_RULE},
        beside={split: read for split in results if (read := config.read_beside(split))},
    )


def per_query_table(images: Mapping[str, RankingSet], results: Mapping[str, RankingResult]) -> pa.Table:
    """Return a row for each query of each split: its image and labels, and how it ranked (NaN or 0 if no match)."""
    tables = [_per_query(split, images[split].query, result) for split, result in results.items()]
    return pa.concat_tables(tables, promote_options="default")  # a set without cameras has no such column


def _per_query(split: str, query: LabelledImages, result: RankingResult) -> pa.Table:
    cameras = query.cameras
    columns: dict[str, Iterable[object]] = {
        "split": [split] * len(query),
        "image": names_of_images(query.table),
        "identity": query.identities,
        **({} if cameras is None else {"camera": cameras}),
        **{name: result.column(name) for name in result.names},
        "first_match_rank": result.first_match_rank,
    }
    return pa.table(columns)


def names_of_images(table: pd.DataFrame) -> list[str]:
    """Return the name of each image: that of its file, or, where two are alike, that in its data set.

    A data set of another distribution may have no names; its paths stand for them.
    """
    names = list(table["name"] if "name" in table else table["path"])
    files = [name.rpartition("/")[2] for name in names]
    return files if len(set(files)) == len(files) else names


def _metrics(split: str, result: RankingResult, metrics: Iterable[Metric]) -> dict[str, float]:
    return {f"{split}/{metric.name}": result.mean(metric) for metric in metrics}


class _Labels(TypedDict):
    query_ids: Integers
    gallery_ids: Integers
    rule: EvaluationRule
    columns: Mapping[str, tuple[Integers, Integers]]


def _labels(images: RankingSet) -> _Labels:
    return _Labels(
        query_ids=images.query.identities,
        gallery_ids=images.gallery.identities,
        rule=images.rule,
        columns=images.compared(),
    )
