"""Writing a data set: images, side-cars and latents, and a manifest with the settings and a hash of every file.

bounding_box_train/ query/ bounding_box_test/    images
masks/STEM.png      one channel: 0 background, 1 head, 2 upper, 3 lower, 4 shoes
keypoints/STEM.json     x, y and visibility of COCO's 17 keypoints
attributes.csv      one row per identity
latents/STEM.json   everything that an image was drawn from, and its true person
manifest.json       settings, counts, and the SHA-256 of every other file
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from reid_search.common.labels import DISTRACTOR
from reid_search.data.side_cars.origins import NOTE
from reid_search.data.synthetic.config import DRAWN_FROM, GENERATOR_VERSION, SyntheticConfig
from reid_search.data.synthetic.latents import latents_of
from reid_search.data.synthetic.people.attributes import attributes_of, disturbed_attributes
from reid_search.data.synthetic.plan import PlannedImage, plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.puppet.masks import disturbed_mask
from reid_search.data.synthetic.streams import Stream, generator_of
from reid_search.data.synthetic.studio import Rendering, Studio
from reid_search.data.synthetic.views.keypoints import disturbed_keypoints
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH
from reid_search.records.files import write_json
from reid_search.study.trial.side_cars import ATTRIBUTES

FOLDERS = ("bounding_box_train", "query", "bounding_box_test", "masks", "keypoints", "latents")


def write_dataset(config: SyntheticConfig, root: Path) -> None:
    """Render a data set into an empty folder; the manifest is written last."""
    preset = PRESETS[config.preset]
    studio = Studio(config.seed, config.nuisances, config.people, config.boxes)
    images = plan_images(preset, config.seed, config.people, config.nuisances, config.test_cameras)
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    hashes = {}
    for name, content in _files(config, studio, images):
        (root / name).write_bytes(content)
        hashes[name] = hashlib.sha256(content).hexdigest()
    write_json(
        root / NOTE,
        {
            "generator_version": GENERATOR_VERSION,
            "fingerprint": config.fingerprint(),
            **config.model_dump(mode="json", include={"preset", *DRAWN_FROM}),
            "counts": asdict(preset),
            "images": len(images),
            "sha256": hashes,
        },
    )


def files_of(config: SyntheticConfig, studio: Studio, planned: PlannedImage) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of an image and of its side-cars."""
    rendering = studio.render(planned)
    yield planned.path, _encoded(rendering.image, "JPEG", quality=rendering.quality)
    yield f"masks/{planned.stem}.png", _mask_file(config, planned, rendering)
    yield f"keypoints/{planned.stem}.json", _keypoints_file(config, planned, rendering)
    person = studio.person(planned.subject, planned.twin)
    yield f"latents/{planned.stem}.json", _json(latents_of(config.seed, planned, rendering.shot, person))


def _files(config: SyntheticConfig, studio: Studio, images: list[PlannedImage]) -> Iterator[tuple[str, bytes]]:
    for planned in images:
        yield from files_of(config, studio, planned)
    yield "attributes.csv", _attributes_file(config, studio, images)


def _mask_file(config: SyntheticConfig, planned: PlannedImage, rendering: Rendering) -> bytes:
    generator = generator_of(config.seed, Stream.MASK_LABELS, planned.index)
    mask = disturbed_mask(rendering.mask, config.nuisances.mask_noise, generator)
    return _encoded(Image.fromarray(mask), "PNG", compress_level=1)


def _keypoints_file(config: SyntheticConfig, planned: PlannedImage, rendering: Rendering) -> bytes:
    generator = generator_of(config.seed, Stream.KEYPOINT_LABELS, planned.index)
    keypoints = disturbed_keypoints(rendering.keypoints, config.nuisances.keypoint_noise, generator)
    numbers = [round(number, 2) for number in keypoints.ravel().tolist()]
    return _json({"keypoints": numbers, "image_size": [HEIGHT, WIDTH]})


def _attributes_file(config: SyntheticConfig, studio: Studio, images: Iterable[PlannedImage]) -> bytes:
    twins = {image.subject: image.twin for image in images if image.identity > DISTRACTOR}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["identity", *ATTRIBUTES])
    for subject, twin in sorted(twins.items()):
        generator = generator_of(config.seed, Stream.ATTRIBUTE_LABELS, subject)
        attributes = attributes_of(studio.person(subject, twin))
        noisy = disturbed_attributes(attributes, config.nuisances.attribute_noise, generator)
        table.writerow([subject, *noisy.values()])
    return text.getvalue().encode()


def _encoded(image: Image.Image, kind: str, **settings: int) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **settings)
    return content.getvalue()


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
