"""How long the content of a large data set takes to hash: 126,000 files of 8 to 12 KB, as MSMT17 has images.

    uv run python benchmarks/contents.py           # 126,000 files, 1.3 GB below the temporary folder
    uv run python benchmarks/contents.py 12600

Prints the seconds of two passes and their ratios to the aims, which hold for 126,000 files, two cores and files that
are in the page cache: 20 seconds to read them, 2 seconds where they were hashed before.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from reid_search.common.contents import Hashed, hash_files

FILES, FOLDERS = 126_000, 100
READ_SECONDS, KNOWN_SECONDS = 20.0, 2.0


def write_files(root: Path, count: int) -> list[str]:
    """Write `count` files of random bytes and return their paths."""
    paths = [str(root / f"{number % FOLDERS:03}" / f"{number:06}.jpg") for number in range(count)]
    for folder in {os.path.dirname(path) for path in paths}:  # noqa: PTH120
        Path(folder).mkdir(parents=True)
    for number, path in enumerate(paths):
        Path(path).write_bytes(os.urandom(8192 + number % 4096))
    return paths


def timed(paths: list[str]) -> tuple[float, Hashed]:
    """Return the seconds that hashing took, and the hashes."""
    start = time.perf_counter()
    hashed = hash_files(paths)
    return time.perf_counter() - start, hashed


def main() -> None:
    """Print the table."""
    count = int((sys.argv[1:] or [FILES])[0])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REID_SEARCH_CACHE"] = f"{folder}/cache"
        paths = write_files(Path(folder) / "images", count)
        time.sleep(2.1)  # younger files are not remembered
        (first, read), (second, known) = timed(paths), timed(paths)
    if read != known or len(read.digests) != count:
        raise SystemExit("the two passes differ")
    for what, seconds, aim in (("read and hashed", first, READ_SECONDS), ("hashed before", second, KNOWN_SECONDS)):
        print(f"{count:,} files {what:16}{seconds:8.2f} s   {seconds / aim * FILES / count:5.2f} of the aim")


if __name__ == "__main__":
    main()
