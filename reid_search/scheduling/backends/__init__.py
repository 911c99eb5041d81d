"""Where the trials of a study run: on Ray, or one after another in this process."""

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from reid_search.errors import ResourceError, nearest
from reid_search.scheduling.study_run import StudyRun
from reid_search.study import Resources

WITHOUT_RAY = "none"
_PLACES = (WITHOUT_RAY, "local", "auto", "HOST:PORT")


class Backend(Protocol):
    """Runs the jobs of a study somewhere."""

    at_once: int

    def run(self, run: StudyRun) -> None:
        """Run the jobs that a study hands out to the end, or until Ctrl-C, and report what becomes of them."""


def check_address(address: str) -> None:
    """Refuse what is no address, before anything is read or started.

    Raises:
        ResourceError: It is none.
    """
    if address not in _PLACES and ":" not in address:
        raise ResourceError(f"--address {address}: {nearest(address, _PLACES)}")


def opened(address: str, resources: Resources, cache: Path | None) -> AbstractContextManager[Backend]:
    """Open the backend at an address for the length of a block.

    Args:
        address: `none` for this process, else where Ray is: `local`, `auto` or `HOST:PORT`.
        resources: What one trial takes.
        cache: Folder of data sets and image caches on each node; by default the user's cache folder.

    Raises:
        ResourceError: There is no such place, or it lacks what a trial takes.
    """
    check_address(address)
    if address == WITHOUT_RAY:
        from reid_search.scheduling.backends.inline import in_this_process

        return contextlib.nullcontext(in_this_process(resources, cache))
    from reid_search.scheduling.backends.ray.cluster import connected

    return connected(address, resources, cache)
