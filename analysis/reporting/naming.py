"""How files of a report are called, and how long names are cut to fit."""

import re

from reid_search.study import BASELINE

from ..answers.ablations import AblationSummary
from ..answers.searches import SearchSummary


def file_name(kind: str, summary: SearchSummary | AblationSummary) -> str:
    """Return a file name such as `contrasts-ablate` or, for a further readout, `forest-ablate--global`.

    Arms under a protocol of their own have its fingerprint behind it, which does not depend on how many others there
    are: `forest-ablate--protocol-1a2b3c4d`.
    """
    readout = getattr(summary, "readout", "default")
    name = f"{kind}-{summary.phase}" + ("" if readout == "default" else f"--{readout}")
    if isinstance(summary, AblationSummary) and summary.number > 1:
        name += f"--protocol-{summary.group.protocol}"
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def centre_word(ablation: AblationSummary) -> str:
    """Return what a report calls the arm that the others are compared with."""
    return "baseline" if ablation.centre_arm == BASELINE else "centre"


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text, with an ellipsis where it was cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def tail(path: str, length: int) -> str:
    """Return the end of a path or of an arm's name, which tells most: `…triplet.margin=0.3`.

    It is cut after a dot where one leaves half of it, and inside a part where none does.
    """
    if len(path) <= length:
        return path
    kept = path[-(length - 1) :]
    name, equals, level = kept.partition("=")
    whole = name.partition(".")[2] + equals + level
    return f"…{whole if 2 * len(whole) >= length else kept}"


def in_two_lines(path: str, length: int) -> str:
    """Return a path of which each line has at most `length` letters, broken after a dot; of a longer one the end."""
    if len(path) <= length:
        return path
    ends = [index + 1 for index, sign in enumerate(path[:length]) if sign == "."]
    return next(
        (f"{path[:end]}\n{path[end:]}" for end in reversed(ends) if len(path) - end <= length), tail(path, length)
    )
