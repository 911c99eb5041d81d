"""Reading MATLAB's files, and the numbers in them that have to be whole."""

from pathlib import Path

import numpy as np

from reid_search.common.arrays import Integers
from reid_search.common.contents import why_unreadable


def read_mat(path: Path, *, simplify: bool = False) -> dict[str, object]:
    """Return what a file holds by name.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or of another kind (HDF5, version 4).
    """
    from scipy.io import loadmat

    if path.exists() and not path.is_file():
        raise OSError("not a file")
    try:
        content: dict[str, object] = loadmat(path, simplify_cells=simplify)
    except OSError:
        raise
    except Exception as error:  # scipy's reader of a damaged file may trip over anything
        raise ValueError("damaged, or no file of MATLAB's versions 5 to 7") from error
    return content


def problem_with(path: Path, error: Exception) -> str:
    """Say what is wrong with a file in words of ours: those of a reader's ValueError, never those of a library."""
    if isinstance(error, OSError):
        return why_unreadable(str(path), error) if error.errno else str(error)
    if isinstance(error, KeyError):
        return f"it lacks {error.args[0]}"
    return str(error) if type(error) is ValueError else "what it holds has another form"


def whole_numbers(values: object) -> Integers:
    """Return numbers as integers, `(N,)`.

    Raises:
        ValueError: One is not whole, or is no number.
    """
    numbers = np.atleast_1d(np.asarray(values)).ravel()
    if numbers.dtype.kind == "f" and not np.equal(numbers, np.round(numbers)).all():
        raise ValueError(f"{numbers[~np.equal(numbers, np.round(numbers))][0]:g} is no whole number")
    if numbers.dtype.kind not in "buif" or (numbers.size and float(np.abs(numbers.astype(np.float64)).max()) > 2**53):
        raise ValueError(f"expected whole numbers, found {numbers[:1].tolist()}")
    return numbers.astype(np.int64)
