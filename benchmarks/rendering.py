"""How fast synthetic pedestrians are rendered: images a second on one core, without files, encoded, and written.

    uv run python benchmarks/rendering.py [PRESET]

The aim is 200 images a second for an image with its mask and keypoints.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.plan import PlannedImage, plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.studio import Studio
from reid_search.data.synthetic.write import files_of

REFERENCE = 200.0
MOST = 1000


def rate(images: list[PlannedImage], work: Callable[[PlannedImage], object]) -> float:
    """Return images per second of this process's CPU time."""
    start = time.process_time()
    for image in images:
        work(image)
    return len(images) / (time.process_time() - start)


def main() -> None:
    """Print the table."""
    config = SyntheticConfig.model_validate({"name": "synthetic", "preset": (sys.argv[1:] or ["small"])[0]})
    images = plan_images(PRESETS[config.preset], config.seed)[:MOST]
    studio = Studio(config.seed, config.nuisances)
    with tempfile.TemporaryDirectory() as folder:

        def write(planned: PlannedImage) -> None:
            for name, content in files_of(config, studio, planned):
                (Path(folder) / name.replace("/", "-")).write_bytes(content)

        rates = {
            "image, mask and keypoints": rate(images, studio.render),
            "and every file encoded": rate(images, lambda planned: list(files_of(config, studio, planned))),
            "and every file written": rate(images, write),
        }
    for what, found in rates.items():
        print(f"{what:28}{found:7.0f} images/s   {found / REFERENCE:5.2f} of the aim")


if __name__ == "__main__":
    main()
