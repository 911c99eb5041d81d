"""Labels of people and cameras that may not mean what they say."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from reid_search.words import several

_SAYS_NOTHING = frozenset({"nan", "none", "null", "na", "n/a", "<na>", "-"})
_JUNK = "-1"  # of Market-1501
_MOST_NAMED = 3


def doubtful(labels: Iterable[str], kind: str) -> Iterator[str]:
    """Yield a sentence on each doubt about the labels of a table.

    Labels are taken as they are; what may be meant otherwise is only said.

    Args:
        labels: One of each row, as text; empty ones say that there is none.
        kind: What they name: `identity` or `camera`.
    """
    counts = Counter(label for label in labels if label)
    for label in sorted(label for label in counts if label.lower() in _SAYS_NOTHING):
        yield (
            f"{kind} {label!r} in {several(counts[label], 'row')} is taken as a name; if it stands for nothing, "
            "leave the cell empty or the row out"
        )
    if kind == "identity" and _JUNK in counts:
        yield (
            f"identity {_JUNK!r} in {several(counts[_JUNK], 'row')} is a person like others, not junk as in "
            "Market-1501; leave out rows that are to have no rank"
        )
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted(counts):
        alike[_plain(label)].append(label)
    groups = [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]
    if groups:
        more = f" and {len(groups) - _MOST_NAMED} more" if len(groups) > _MOST_NAMED else ""
        named = ", ".join(groups[:_MOST_NAMED]) + more
        others = "people" if kind == "identity" else "cameras"
        yield f"{kind}: {named} are different {others}; if they are meant as one, write them alike"


def _plain(label: str) -> str:
    """Return what labels share that differ in case, in the form of Unicode, or in how one number is written."""
    text = unicodedata.normalize("NFKC", label).casefold()
    whole = text.removesuffix(".0")
    return whole.lstrip("0") or "0" if whole.isdecimal() else text
