"""How large each synthetic data set is."""

from dataclasses import dataclass
from typing import Literal

PresetName = Literal["unit", "tiny", "ci", "small", "medium", "ablate", "market_like"]

CAMERAS = 6


@dataclass(frozen=True)
class Preset:
    """Exact counts of a data set.

    A sighting is one identity in front of one camera. Each test sighting gives one query, as on Market-1501.

    Attributes:
        train_identities: Training people.
        train_sightings: Their sightings, at least 2 per identity and at most one per camera.
        train_images: Images of these sightings, at least 1 each.
        test_identities: Test people, none of whom is in training.
        queries: Their sightings, at least 2 per identity and at most one per camera.
        matches: Gallery images of these sightings, at least 1 each.
        distractors: Gallery images of identity 0, never a match.
        junk: Gallery images of identity -1, which rankings ignore.
        cameras: Cameras, at most 6.
        even: Whether every sighting has equally many images.
    """

    train_identities: int
    train_sightings: int
    train_images: int
    test_identities: int
    queries: int
    matches: int
    distractors: int
    junk: int
    cameras: int = CAMERAS
    even: bool = False

    @property
    def gallery(self) -> int:
        """Files of the gallery."""
        return self.matches + self.distractors + self.junk

    @property
    def images(self) -> int:
        """Files of the whole data set."""
        return self.train_images + self.queries + self.gallery


PRESETS: dict[PresetName, Preset] = {
    "unit": Preset(12, 36, 72, 12, 36, 36, 12, 6, cameras=3, even=True),
    "tiny": Preset(24, 72, 168, 16, 48, 80, 16, 8),
    "ci": Preset(48, 192, 576, 48, 192, 384, 48, 24, cameras=4, even=True),
    "small": Preset(400, 1400, 3200, 100, 300, 500, 100, 50),
    "medium": Preset(600, 2400, 6400, 400, 1600, 4800, 800, 800),
    "ablate": Preset(200, 1200, 4800, 200, 1200, 3600, 400, 200, even=True),
    "market_like": Preset(751, 3380, 12936, 750, 3368, 13115, 2798, 3819),
}
"""`unit`, `ci` and `ablate` show everybody to every camera, 2, 3 and 4 times."""
