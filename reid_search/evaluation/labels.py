"""Who is who in a ranking: identities and what the rule compares, and what the rule leaves for each query."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Integers
from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.common.leaving_out import Booleans, meets_any
from reid_search.errors import ReidSearchError, nearest
from reid_search.study.rules import MARKET_RULE, EvaluationRule
from reid_search.words import several

Columns = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]


class EvaluationError(ReidSearchError):
    """Features, distances or labels from which no ranking can be measured."""


@dataclass(frozen=True)
class Labels:
    """Identities of queries `(Q,)` and gallery `(G,)`, checked, and the columns that the rule compares.

    Attributes:
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk, 0 a distractor.
        query: `(Q,)` each: the labels of the queries in the columns that the rule compares, as numbers.
        gallery: `(G,)` each: those of the gallery.
        rule: What is left out for a query.
    """

    query_ids: Integers
    gallery_ids: Integers
    query: Mapping[str, Integers]
    gallery: Mapping[str, Integers]
    rule: EvaluationRule = MARKET_RULE

    @classmethod
    def checked(
        cls,
        query_ids: npt.ArrayLike,
        gallery_ids: npt.ArrayLike,
        columns: Columns,
        shape: tuple[int, int],
        rule: EvaluationRule = MARKET_RULE,
    ) -> "Labels":
        """Return the labels as integers.

        Raises:
            EvaluationError: A length does not fit, an identity or camera is no whole number, a query is junk or a
                distractor, a gallery identity is below -1, or a column that the rule compares is not given.
        """
        ids = _integers("query_ids", query_ids, shape[0]), _integers("gallery_ids", gallery_ids, shape[1])
        for name in rule.compared:
            if name not in columns:
                raise EvaluationError(
                    f"the rule '{rule}' compares '{name}', which is not given; {nearest(name, columns)}"
                )
        compared = {name: _codes(name, *columns[name], shape) for name in rule.compared}
        wrong = np.flatnonzero(ids[0] <= DISTRACTOR)
        if wrong.size:
            raise EvaluationError(
                f"query_ids[{wrong[0]}] = {ids[0][wrong[0]]}: a query's identity is 1 or more (0: distractor, -1: junk)"
            )
        wrong = np.flatnonzero(ids[1] < JUNK)
        if wrong.size:
            raise EvaluationError(
                f"gallery_ids[{wrong[0]}] = {ids[1][wrong[0]]}: an identity is 1 or more, 0 (distractor) or -1 (junk)"
            )
        queries, gallery = ({name: pair[side] for name, pair in compared.items()} for side in (0, 1))
        return cls(*ids, queries, gallery, rule)

    def candidates(self, query: int) -> tuple[Integers, Booleans]:
        """Return what takes a rank for a query: the places of its matches, and which images are of others `(G,)`."""
        identity, rule = self.query_ids[query], self.rule
        own = {name: int(values[query]) for name, values in self.query.items()}
        same = self._order[slice(*np.searchsorted(self._sorted_ids, [identity, identity + 1]))]
        images = {name: values[same] for name, values in self.gallery.items()}
        left_out = meets_any(rule.left_out, own, images)
        others = self._counted.copy()
        others[same] = False
        if rule.within:
            left_out |= images[rule.within] != own[rule.within]
            others &= self.gallery[rule.within] == own[rule.within]
        return same[~left_out], others

    def no_match(self) -> EvaluationError:
        """Return the error that no query has a match."""
        where = "of another camera in the gallery" if self.rule == MARKET_RULE else f"under the rule '{self.rule}'"
        return EvaluationError(f"none of the {several(len(self.query_ids), 'query')} has a match {where}")

    @cached_property
    def _order(self) -> Integers:
        return np.argsort(self.gallery_ids, kind="stable")

    @cached_property
    def _sorted_ids(self) -> Integers:
        return self.gallery_ids[self._order]

    @cached_property
    def _counted(self) -> Booleans:
        counted: Booleans = self.gallery_ids != JUNK
        return counted


def with_cameras(
    query_cameras: npt.ArrayLike | None, gallery_cameras: npt.ArrayLike | None, columns: Columns | None
) -> Columns:
    """Return all columns that are given, the cameras among them."""
    cameras = {} if query_cameras is None or gallery_cameras is None else {"camera": (query_cameras, gallery_cameras)}
    return {**cameras, **(columns or {})}


def _codes(
    name: str, queries: npt.ArrayLike, gallery: npt.ArrayLike, shape: tuple[int, int]
) -> tuple[Integers, Integers]:
    """Return the labels of a column as numbers, equal where labels are; cameras are numbers already."""
    if name == "camera":
        return _integers("query_cameras", queries, shape[0]), _integers("gallery_cameras", gallery, shape[1])
    both = np.asarray(queries), np.asarray(gallery)
    for part, values, length in zip(("queries", "gallery"), both, shape, strict=True):
        if values.shape != (length,):
            raise EvaluationError(f"columns['{name}'] of the {part}: shape {values.shape}; expected ({length},)")
    codes = np.unique(np.concatenate(both), return_inverse=True)[1].astype(np.int64)
    return codes[: shape[0]], codes[shape[0] :]


def _integers(name: str, values: npt.ArrayLike, length: int) -> Integers:
    array = np.asarray(values)
    if array.shape != (length,):
        raise EvaluationError(f"{name}: shape {array.shape}; expected ({length},)")
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool(np.isfinite(array).all()) and np.array_equal(array, np.floor(array))
    )
    if not whole:
        raise EvaluationError(f"{name}: expected whole numbers, got {array.dtype} such as {array[:1].tolist()}")
    return array.astype(np.int64)
