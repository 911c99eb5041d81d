"""Training on boxes of photos measures what training on the same people cut out measures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

from reid_search.data.boxes import Box
from reid_search.data.manifest.importing import from_pattern, with_splits
from reid_search.data.manifest.table import Row, write_table
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.records import Record, TrialFolder
from reid_search.study import TrialConfig
from reid_search.training import TrialRequest, run_trial

PEOPLE = 2


def _photos(rows: list[Row], cut_out: Path, photos: Path) -> list[Row]:
    """Paste the images of rows into photos of two people, and return the rows of their boxes, in the same order."""
    photos.mkdir()
    boxed = []
    for start in range(0, len(rows), PEOPLE):
        together = rows[start : start + PEOPLE]
        images = [Image.open(cut_out / row.path).convert("RGB") for row in together]
        photo = Image.new("RGB", (sum(image.width for image in images), max(image.height for image in images)))
        name, left = f"photo{start:04}.png", 0
        for row, image in zip(together, images, strict=True):
            photo.paste(image, (left, 0))
            box = Box(left, 0, image.width, image.height)
            boxed.append(Row(name, row.identity, row.split, row.camera, row.more, box))
            left += image.width
        photo.save(photos / name)
    return boxed


def test_people_in_photos_are_measured_as_people_cut_out(
    cache: Path, trial_content: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    made = tmp_path / "made"
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "tiny"}), made)
    rows, _ = from_pattern(made / "bounding_box_train", ["{identity}_c{camera}s*.jpg"])
    cut_out = with_splits(rows, 0.5, seed=0)
    write_table(made / "bounding_box_train/manifest.csv", cut_out)
    boxed = _photos(cut_out, made / "bounding_box_train", tmp_path / "photos")
    write_table(tmp_path / "photos/manifest.csv", boxed)

    def measured(root: Path, folder: Path) -> Record:
        data = {"name": "manifest", "root": str(root), "image_size": [32, 16], "holdout": 0.0}
        config = TrialConfig.model_validate(trial_content(data=data))
        record = run_trial(TrialRequest(config, 1, "0" * 16, ("test",), cache=cache), TrialFolder(folder))
        assert record.status == "finished", record.reason
        return record

    alone = measured(made / "bounding_box_train", tmp_path / "alone")
    together = measured(tmp_path / "photos", tmp_path / "together")
    assert together.data_fingerprint != alone.data_fingerprint
    assert together.readouts["default"].metrics == alone.readouts["default"].metrics
    queries = pq.read_table(tmp_path / "together/readouts/default/per_query.parquet").to_pandas()
    assert queries["image"].is_unique
    assert queries["image"].str.fullmatch(r"photo\d+\.png#xywh=\d+,0,\d+,\d+").all()
