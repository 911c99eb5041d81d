"""Finding a backbone's tensors among the names in a file: prefixes, and the names of our own models."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
    "backbone.",
    "base.",
    "encoder_q.",
    "image_encoder.",
    "visual.",
    "encoder.",
)

# Modules of our models that hold a backbone or a part of it, in order of preference.
_HOLDERS = ("shared", "backbone", "branches.0.blocks", "appearance.blocks", "first.blocks", "blocks")


@dataclass(frozen=True)
class Names:
    """Which tensors of a file are a backbone's.

    Attributes:
        found: Name in the file, by name in the network; some of these may be names that the network does not have.
        prefixes: What was taken off the file's names, in this order.
        outside: Names in the file of all others.
        alternatives: Prefixes that could have been taken instead.
    """

    found: Mapping[str, str]
    prefixes: tuple[str, ...]
    outside: tuple[str, ...]
    alternatives: tuple[str, ...] = ()


def stripped(names: Collection[str], wanted: Collection[str]) -> Names:
    """Take off the prefixes under which most of the wanted names are found, as few of them as possible."""
    best, best_count = Names({name: name for name in names}, (), ()), len(set(names) & set(wanted))
    waiting = [best]
    while waiting:
        before = waiting.pop(0)
        for prefix in PREFIXES:
            inside = {name[len(prefix) :]: own for name, own in before.found.items() if name.startswith(prefix)}
            if not inside:
                continue
            rest = [own for name, own in before.found.items() if not name.startswith(prefix)]
            now = Names(inside, (*before.prefixes, prefix), (*before.outside, *rest))
            waiting.append(now)
            count = len(inside.keys() & set(wanted))
            if count > best_count:
                best, best_count = now, count
    return best


def is_our_own(names: Collection[str], blocks: Collection[str]) -> bool:
    """Say whether a file holds every block of a backbone under the block's own name, as our models do."""
    steps = {step for name in names for step in name.split(".")}
    return all(block in steps for block in blocks)


def of_blocks(names: Collection[str], blocks: Collection[str], take: str | None) -> Names:
    """Find every block once: in `take`, or where the first branch is, of a model that has it in several places."""
    holders: dict[str, dict[str, dict[str, str]]] = {}
    for name in names:
        steps = name.split(".")
        place = next((index for index, step in enumerate(steps) if step in blocks), None)
        if place is not None:
            holder, block = ".".join(steps[:place]), steps[place]
            holders.setdefault(block, {}).setdefault(holder, {})[".".join(steps[place:])] = name
    found: dict[str, str] = {}
    used: dict[str, None] = {}
    others: dict[str, None] = {}
    for block in blocks:
        first, *rest = sorted(holders[block], key=lambda holder: _rank(holder, take))
        found |= holders[block][first]
        used[first] = None
        others |= dict.fromkeys(rest)
    outside = tuple(name for name in names if name not in set(found.values()))
    alternatives = tuple(holder for holder in others if holder not in used) if take is None else ()
    return Names(found, tuple(f"{holder}." if holder else "" for holder in used if holder), outside, alternatives)


def _rank(holder: str, take: str | None) -> tuple[int, list[int], str]:
    own = holder.removeprefix("model.")
    if take is not None and own == take.removeprefix("model."):
        return -1, [], own
    numbers = [int(digits) for digits in re.findall(r"\d+", own)]
    return _HOLDERS.index(own) if own in _HOLDERS else len(_HOLDERS), numbers, own
