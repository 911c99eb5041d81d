"""Settings of a manifest; no torch."""

from functools import cache
from pathlib import Path
from typing import ClassVar, Literal, cast

from reid_search.common.contents import state_of
from reid_search.data.folder import FolderConfig
from reid_search.data.listing import About, Listing, Part
from reid_search.data.manifest.cells import read_records
from reid_search.data.manifest.labels import doubtful
from reid_search.data.manifest.table import FILES, manifest_at, numbers, read_table, unread_columns
from reid_search.data.side_cars.files import PER_IMAGE, files_of
from reid_search.errors import DataError
from reid_search.study import MARKET_RULE, EvaluationRule, SideCar
from reid_search.study.trial.side_cars import in_words

_WITHOUT_CAMERAS = EvaluationRule(left_out=("same image",))


class ManifestConfig(FolderConfig):
    """A data set of one's own: a folder of images with a manifest, or that file. `reid-search data import` writes it.

    Attributes:
        root: Folder that holds `manifest.csv` or `manifest.parquet`, or the path of such a file under any name. The
            paths in it are relative to its folder. Its columns `maps` and `keypoints` name the side-cars of each image.
    """

    alone: ClassVar[bool] = True
    name: Literal["manifest"]

    def likeness(self, root: Path) -> float:
        """Return 1 where there is a manifest."""
        return float(any((root / name).is_file() for name in FILES))

    @property
    def rule(self) -> EvaluationRule:
        """That of Market-1501; without cameras, nothing but the query's own image is left out."""
        filled = self._filled()
        return MARKET_RULE if filled is None or "camera" in filled else _WITHOUT_CAMERAS

    def side_cars(self) -> dict[SideCar, Path]:
        """Return the paths of the side-cars that exist; that of the manifest for those which it names."""
        named = [kind for kind in PER_IMAGE if kind in (self._filled() or ())]
        return {**super().side_cars(), **({kind: manifest_at(self.folder()) for kind in named})}

    def how_to_offer(self, kind: SideCar) -> str:
        """Say where a side-car is expected."""
        usual = super().how_to_offer(kind)
        return usual if kind == "attributes" else f"name each image's in a column '{kind}' of the manifest, {usual}"

    def listing(self) -> Listing:
        """Return what the manifest lists.

        Raises:
            DataError: It breaks a rule, a box reaches outside its image, side-cars are named by a setting too, or
                images with boxes have part maps that no column names, or keypoints.
        """
        listing = super().listing()
        path = manifest_at(self.folder())
        for kind in PER_IMAGE:
            if listing.side_cars.get(kind) == path and getattr(self, kind) is not None:
                raise DataError(
                    f"data.{kind}: {getattr(self, kind)}; {path} has a column '{kind}', which names them too; "
                    "leave out one of the two"
                )
        if any(image.box for image in listing.images):
            _check_boxes(listing, path)
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
        listing.labels = {number: label for label, number in identities.items()}
        listing.cameras = {number: label for label, number in cameras.items()}
        listing.remarks += doubtful((row.identity for row in rows), "identity")
        listing.remarks += doubtful((row.camera for row in rows), "camera")
        for row in rows:
            identity = identities[row.identity] if row.identity else 0
            listing.use(
                path.parent / row.path,
                cast("Part", row.split),
                identity,
                cameras.get(row.camera),
                row.box,
                tuple((kind, str(path.parent / name) if name else "") for kind, name in row.side_cars),
                **dict(row.more),
            )
            for name in (row.path, *(name for _, name in row.side_cars if name)):
                listing.named_at.setdefault(str(path.parent / name), f"{path}:{row.line}")
        used = {file for image in listing.images for file in (image.path, *(name for _, name in image.side_cars))}
        for kind, place in self.side_cars().items():
            inside = files_of((image.path for image in listing.images), place, kind) if kind in PER_IMAGE else {}
            used |= {str(place), *map(str, inside.values())}
        for image in listing.image_files(path.parent, deep=True, known=used):
            listing.leave_out(image, "images without a row")
        return listing

    def _filled(self) -> frozenset[str] | None:
        """Return the columns that hold anything; None where the manifest is not there or not readable."""
        try:
            path = None if self.root is None else manifest_at(self.root)
            return None if path is None else _filled(path, state_of(path))
        except DataError:  # which is said where the whole is read
            return None

    def _listed(self, kind: SideCar, place: Path) -> frozenset[str]:
        """Return the files of a column, if this is what names the side-cars."""
        if kind not in PER_IMAGE or place != manifest_at(self.folder()):
            return frozenset()
        return _files_of_column(kind, place, state_of(place))


def _check_boxes(listing: Listing, path: Path) -> None:
    from reid_search.data.decoding import judged, outside

    for kind, place in listing.side_cars.items():
        if kind != "attributes" and (place != path or kind == "keypoints"):
            raise DataError(
                f"{place}: {in_words(kind)} are of whole images, and {path} has boxes; crop the images and give them "
                "their own, or move these away; part maps of boxes are named in a column 'maps'"
            )
    sizes = judged(listing.boxed()).sizes  # what is no image is said where it is decoded
    for image in listing.images:
        if image.box and image.path in sizes and not image.box.is_inside(sizes[image.path]):
            line = next(row.line for row in read_table(path) if row.name == image.name)
            named = f"{path}:{line}: {listing.name_of(image.path)}"
            raise DataError(outside(named, image.box, sizes[image.path]))


@cache
def _filled(path: Path, _state: bytes) -> frozenset[str]:
    return frozenset(name for row in read_records(path).values() for name, cell in row.items() if cell)


@cache
def _files_of_column(column: str, path: Path, _state: bytes) -> frozenset[str]:
    return frozenset(str(path.parent / cell) for row in read_records(path).values() if (cell := row.get(column)))


CONFIG = ManifestConfig
