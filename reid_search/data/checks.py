"""What makes a split of no use: people who are trained on and tested, queries that cannot be right, or not wrong."""

import numpy as np

from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.common.leaving_out import meets_any
from reid_search.data.compared import compared_columns
from reid_search.data.dataset import ReidDataset
from reid_search.data.split import HoldoutSplit, split_holdout
from reid_search.errors import DataError
from reid_search.study import DataConfig, EvaluationRule
from reid_search.study.trial.config import SetUse
from reid_search.words import several

_MOST_NAMED = 3
_FEWEST_TRAINED = 2


def checked_split(dataset: ReidDataset, use: SetUse) -> HoldoutSplit:
    """Return the training table cut in two, once it is known that what a trial does with the data set makes sense.

    Raises:
        DataError: A part that is used has no image, a person is in training and test, no query could find a match, or
            none could find anybody else, or the holdout is of no use.
    """
    check_parts(dataset, use)
    if use.train and use.test:
        check_people(dataset)
    if use.test:
        check_test(dataset, use.data.rule)
    share = use.data.holdout if use.train else 0.0
    return split_holdout(dataset.train, share, use.data.split_seed, use.data.rule)


def check_alone(dataset: ReidDataset, config: DataConfig) -> list[str]:
    """Check a data set as a study would that names no other, and say what such a study could not do with it.

    Raises:
        DataError: As in `checked_split`; to lack a test, or training images, is no error. A holdout is one where it
            was set: a study that does not search needs none.
    """
    trained, tested = len(dataset.train) > 0, len(dataset.query) + len(dataset.gallery) > 0
    use = SetUse(config, train=trained or not tested, test=tested)
    notes = []
    try:
        checked_split(dataset, use)
    except DataError as error:
        if "holdout" in config.model_fields_set:
            raise
        checked_split(dataset, use._replace(data=config.model_copy(update={"holdout": 0.0})))
        notes.append(f"a search, which holds identities out, is refused: {error}")
    if not tested:
        notes.append("no query and no gallery image: it can be trained on only beside a set to test on (data.test)")
    if not trained:
        notes.append("no training image: it can only be tested on, beside a set to train on (data.train)")
    return notes


def check_parts(dataset: ReidDataset, use: SetUse) -> None:
    """Refuse a data set without images of a part that is used, or with one identity to train on.

    Raises:
        DataError: It is such a one.
    """
    for part in use.tables:
        if not len(dataset.tables[part]):
            raise DataError(
                f"{dataset.place}: has no image of the split {part}; training needs train images, and testing needs "
                "query and gallery images"
            )
    if use.train and dataset.train["identity"].nunique() < _FEWEST_TRAINED:
        raise DataError(
            f"{dataset.place}: one identity in training, so nobody could be told from anybody; at least "
            f"{_FEWEST_TRAINED} are needed"
        )


def check_people(dataset: ReidDataset) -> None:
    """Refuse a data set with a person in training and test, if its numbers mean the same person in both.

    Raises:
        DataError: There is one.
    """
    if not dataset.one_numbering:
        return
    tested = np.union1d(dataset.query["identity"], dataset.gallery["identity"])
    both = np.intersect1d(dataset.train["identity"], tested[tested > DISTRACTOR]).tolist()
    if both:
        labels = [dataset.labels.get(number, str(number)) for number in both[:_MOST_NAMED]]
        named = ", ".join(labels) + (", …" if len(both) > _MOST_NAMED else "")
        raise DataError(
            f"{dataset.place}: {several(len(both), 'identity')} {'is' if len(both) == 1 else 'are'} both in training "
            f"and in test ({named}), so the test would measure what was learnt by heart; take "
            f"{'it' if len(both) == 1 else 'them'} out of one of the two"
        )


def check_test(dataset: ReidDataset, rule: EvaluationRule) -> None:
    """Refuse a data set whose test could not find anything, or nothing wrong.

    Raises:
        DataError: All test images are of one camera, which the rule does not compare within; no query has a match; or
            no query with a match has an image of anybody else to be confused with.
    """
    query, gallery = dataset.query, dataset.gallery
    columns = compared_columns(rule.compared, query, gallery)
    if "same camera" in rule.left_out and len(np.union1d(*columns["camera"])) == 1:
        number = int((query if len(query) else gallery)["camera"].iloc[0])
        raise DataError(
            f"{dataset.place}: every query and gallery image is of camera {dataset.cameras.get(number, number)}, and "
            "matches of a query's own camera do not count, so nothing could be found; check how cameras are read, or "
            "leave them out"
        )
    conditions = [*rule.left_out, *([f"other {rule.within}"] if rule.within else [])]
    places = gallery.groupby("identity").indices
    people = gallery["identity"].to_numpy(np.int64)
    matched = 0
    for row, identity in enumerate(query["identity"]):
        same = places.get(identity)
        if same is None:
            continue
        own = {name: int(codes[0][row]) for name, codes in columns.items()}
        if meets_any(conditions, own, {name: codes[1][same] for name, codes in columns.items()}).all():
            continue
        others = (people != identity) & (people != JUNK)
        if rule.within:
            others &= columns[rule.within][1] == own[rule.within]
        if others.any():
            return
        matched += 1
    if matched:
        within = f" with a query's own {rule.within}" if rule.within else ""
        asked = "the 1 query that has" if matched == 1 else f"any of the {matched:,} queries that have"
        raise DataError(
            f"{dataset.place}: the gallery has no image of another identity{within} for {asked} a match, so none "
            "could be answered wrongly and every model would score 100 %; test on at least 2 identities (the rule "
            f"leaves out: {rule})"
        )
    lacking = "from another camera " if rule.left_out == ("same camera",) else ""
    raise DataError(
        f"{dataset.place}: none of the {len(query)} queries has an image of its identity {lacking}in the gallery, so "
        f"nothing could be found (the rule leaves out: {rule})"
    )
