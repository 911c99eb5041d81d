"""What the synthetic people look like to a person, and to a description that has learnt nothing.

    uv run python benchmarks/people_pictures.py     # docs/people.png, docs/people_apart.png

The first shows the same people at 128×64 and at 48×24 pixels; the second a t-SNE (van der Maaten and Hinton 2008) of
the levels of their images, as they are and with each camera brought to the same mean and spread.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from people import NULL, OWN, ROOT, TWINS, Crowd, Floats, people_of, pixels
from PIL import Image, ImageDraw, ImageFont
from sklearn.manifold import TSNE

CAMERAS, PEOPLE, SHOWN = 6, 4, 10
CELL = (64, 128)
ABOUT = {TWINS: "everybody wears the same seven colours", OWN: "clothes of their own", NULL: "one cloth of their own"}


def sheet() -> Image.Image:
    """Return three kinds of people in front of every camera, whole and at the size of the studies."""
    gap, head, width = 4, 30, CAMERAS * (CELL[0] + 4)
    picture = Image.new("RGB", (2 * width + 20, len(ABOUT) * (head + PEOPLE * (CELL[1] + gap))), "white")
    brush, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    top = 0
    for name, about in ABOUT.items():
        config = people_of(name)
        crowd = Crowd(config)
        height, small = config.image_size
        brush.text(
            (4, top + 6),
            f"{about}: whole, and in {height} by {small} pixels as networks see them",
            fill="black",
            font=font,
        )
        top += head
        for identity in _seen_by_most(crowd):
            for camera in range(1, CAMERAS + 1):
                at = np.flatnonzero((crowd.identities == identity) & (crowd.cameras == camera))
                if at.size:
                    whole = crowd.rendered[int(at[0])].image
                    coarse = whole.resize((small, height), Image.Resampling.BILINEAR)
                    left = (camera - 1) * (CELL[0] + gap)
                    picture.paste(whole, (left, top))
                    picture.paste(coarse.resize(CELL, Image.Resampling.NEAREST), (width + 20 + left, top))
            top += CELL[1] + gap
    return picture


def _seen_by_most(crowd: Crowd) -> list[int]:
    people = np.unique(crowd.identities[crowd.identities > 0])
    seen = [len(np.unique(crowd.cameras[crowd.identities == identity])) for identity in people]
    return [int(identity) for identity in people[np.argsort(seen, kind="stable")[::-1][:PEOPLE]]]


def apart() -> plt.Figure:
    """Return the t-SNE of ten people's images, coloured by person and by camera, before and after standardising."""
    crowd = Crowd(people_of(OWN))
    shown = np.isin(crowd.identities, np.unique(crowd.identities[crowd.identities > 0])[:SHOWN])
    figure, axes = plt.subplots(2, 2, figsize=(9, 9), layout="constrained")
    for row, (what, levels) in enumerate(
        (("as it is", crowd.levels), ("each camera standardised", crowd.standardised))
    ):
        places = TSNE(perplexity=12, init="pca", random_state=0).fit_transform(pixels(levels[shown]))
        _scatter(axes[row, 0], places, crowd.identities[shown], f"{what}: a colour for each person")
        _scatter(axes[row, 1], places, crowd.cameras[shown], f"{what}: a colour for each camera")
    return figure


def _scatter(axes: Axes, places: Floats, labels: Floats, title: str) -> None:
    for number, label in enumerate(np.unique(labels)):
        axes.scatter(*places[labels == label].T, s=22, color=f"C{number}")
    axes.set(title=title, xticks=[], yticks=[])


def main() -> None:
    """Write both pictures."""
    sheet().quantize(160, dither=Image.Dither.NONE).save(ROOT / "docs/people.png", optimize=True)
    apart().savefig(ROOT / "docs/people_apart.png", dpi=80)


if __name__ == "__main__":
    main()
