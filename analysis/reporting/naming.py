"""Names of a report's files, and how long names are shortened to fit."""

import re

from reid_search.study import BASELINE

from ..answers.ablations import AblationSummary
from ..answers.searches import SearchSummary
from ..answers.train_test import TrainTest


def file_name(kind: str, summary: SearchSummary | AblationSummary | TrainTest) -> str:
    """Return a file name such as `contrasts-ablate` or, for a further readout, `forest-ablate--global`.

    A further protocol adds its fingerprint, which does not change when other protocols are added:
    `forest-ablate--protocol-1a2b3c4d`.
    """
    readout = getattr(summary, "readout", "default")
    name = f"{kind}-{summary.phase}" + ("" if readout == "default" else f"--{readout}")
    if isinstance(summary, AblationSummary) and summary.number > 1:
        name += f"--protocol-{summary.group.protocol}"
    return safe(name)


def safe(name: str) -> str:
    """Return a name with the letters that every file system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def centre_word(ablation: AblationSummary) -> str:
    """Return what a report calls the arm that the others are compared with."""
    return "baseline" if ablation.centre_arm == BASELINE else "centre"


def shortened(text: str, length: int) -> str:
    """Return a text, cut with an ellipsis to at most `length` letters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def tail(path: str, length: int) -> str:
    """Return the end of a path or of an arm's name, its most telling part: `…triplet.margin=0.3`.

    The cut is after a dot if that leaves at least half of `length`.
    """
    if len(path) <= length:
        return path
    kept = path[-(length - 1) :]
    name, equals, level = kept.partition("=")
    whole = name.partition(".")[2] + equals + level
    return f"…{whole if 2 * len(whole) >= length else kept}"


def in_two_lines(path: str, length: int) -> str:
    """Return a path in at most two lines of `length` letters, broken after a dot; only its end if that is too long."""
    if len(path) <= length:
        return path
    end = path.rfind(".", 0, length) + 1
    return f"{path[:end]}\n{path[end:]}" if end and len(path) - end <= length else tail(path, length)
