"""Settings of a manifest; no torch."""

from functools import cache
from pathlib import Path
from typing import Literal, cast

from reid_search.common.contents import state_of
from reid_search.data.folder import FolderConfig
from reid_search.data.listing import About, Listing, Part
from reid_search.data.manifest.cells import read_records
from reid_search.data.manifest.table import manifest_at, numbers, read_table, unread_columns
from reid_search.errors import DataError
from reid_search.study import MARKET_RULE, EvaluationRule
from reid_search.study.trial.side_cars import in_words

_WITHOUT_CAMERAS = EvaluationRule(left_out=("same image",))


class ManifestConfig(FolderConfig):
    """A data set of one's own: a folder of images with a manifest, or that file. `reid-search data import` writes it.

    Attributes:
        root: Folder that holds `manifest.csv` or `manifest.parquet`, or the path of such a file under any name. The
            paths in it are relative to its folder.
    """

    name: Literal["manifest"]

    @property
    def rule(self) -> EvaluationRule:
        """That of Market-1501; without cameras, nothing but the query's own image is left out."""
        try:
            path = None if self.root is None else manifest_at(self.root)
        except DataError:  # which is said where it is read
            path = None
        return MARKET_RULE if path is None or _has_cameras(path, state_of(path)) else _WITHOUT_CAMERAS

    def listing(self) -> Listing:
        """Return what the manifest lists.

        Raises:
            DataError: It breaks a rule, a box reaches outside its image, or images with boxes have part maps or
                keypoints.
        """
        listing = super().listing()
        if any(image.box for image in listing.images):
            _check_boxes(listing, manifest_at(self.folder()))
        return listing

    def read(self, root: Path) -> Listing:
        """List the images of the manifest; identities and cameras are numbered from 1 in sorted order.

        Raises:
            DataError: The manifest is missing or breaks a rule.
        """
        path = manifest_at(root)
        rows = read_table(path)
        identities = numbers(row.identity for row in rows if row.identity)
        cameras = numbers(row.camera for row in rows if row.camera)
        status = unread_columns([name for name, _ in rows[0].more])
        listing = Listing(path.parent, About(f"the manifest {path.name}", status=status, cameras=bool(cameras)))
        listing.lists[f"manifest{path.suffix.lower()}"] = path
        for row in rows:
            identity = identities[row.identity] if row.identity else 0
            listing.use(
                path.parent / row.path,
                cast("Part", row.split),
                identity,
                cameras.get(row.camera),
                row.box,
                **dict(row.more),
            )
        used = {image.path for image in listing.images}
        for image in listing.image_files(path.parent, deep=True):
            if str(image) not in used:
                listing.leave_out(image, "images without a row")
        return listing


def _check_boxes(listing: Listing, path: Path) -> None:
    from reid_search.data.decoding import judged, outside

    for kind, place in listing.side_cars.items():
        if kind != "attributes":
            raise DataError(
                f"{place}: {in_words(kind)} are of whole images, and {path} has boxes; crop the images and give them "
                "their own, or move these away"
            )
    sizes = judged(listing.boxed()).sizes  # what is no image is said where it is decoded
    for image in listing.images:
        if image.box and image.path in sizes and not image.box.is_inside(sizes[image.path]):
            rows = [row.name for row in read_table(path)]
            line = f"{path}:{rows.index(image.name) + 2}: {listing.name_of(image.path)}"
            raise DataError(outside(line, image.box, sizes[image.path]))


@cache
def _has_cameras(path: Path, _state: bytes) -> bool:
    try:
        return any(row.get("camera") for row in read_records(path))
    except DataError:  # which is said where the whole is read
        return True


CONFIG = ManifestConfig
