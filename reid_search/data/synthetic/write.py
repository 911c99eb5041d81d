"""Writing a data set: every planned image as a JPEG file, and a manifest that says what was drawn."""

from dataclasses import asdict
from pathlib import Path

from reid_search.data.synthetic.config import GENERATOR_VERSION, SyntheticConfig
from reid_search.data.synthetic.plan import plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.studio import Studio
from reid_search.records.files import write_json

QUALITY = 90


def write_dataset(config: SyntheticConfig, root: Path) -> None:
    """Render a data set into an empty folder; the manifest is written last."""
    preset = PRESETS[config.preset]
    studio = Studio(config.seed, config.nuisances)
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        (root / folder).mkdir(parents=True)
    for planned in plan_images(preset, config.seed):
        studio.render(planned).save(root / planned.path, quality=QUALITY)
    write_json(
        root / "manifest.json",
        {
            "generator_version": GENERATOR_VERSION,
            "fingerprint": config.fingerprint(),
            "preset": config.preset,
            "seed": config.seed,
            "counts": asdict(preset),
            "nuisances": config.nuisances.model_dump(mode="json"),
        },
    )
