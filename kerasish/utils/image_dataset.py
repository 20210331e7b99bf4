"""`image_dataset_from_directory`: batches of image files, decoded when they are wanted."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.ops.image import resize
from kerasish.ops.nn.windows import standard_format
from kerasish.utils.directories import check_validation_split, index_directory, part_for
from kerasish.utils.images import MODES, img_to_array, load_img
from kerasish.utils.indexed import IndexedRows
from kerasish.utils.labeled_files import targets_of

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


class ImageFiles(IndexedRows):
    """Batches of images of one size, with labels if there are any.

    file_paths, class_names: the files in their first order, and the names of the classes.
    """

    def __init__(
        self, file_paths: list, labels: Any, class_names: Any, batch_size: int | None, shuffle: bool, seed: int,
        color_mode: str, data_format: str, **resizing: Any,
    ):  # fmt: skip
        super().__init__(len(file_paths), batch_size, shuffle, seed)
        self.file_paths, self.labels, self.class_names = file_paths, labels, class_names
        self.color_mode, self.data_format, self.resizing = color_mode, data_format, resizing

    def rows(self, indices: np.ndarray) -> tuple:
        images = np.stack([self._image(self.file_paths[i]) for i in indices])
        return (images,) if self.labels is None else (images, self.labels[indices])

    def _image(self, path: str) -> np.ndarray:
        image = img_to_array(load_img(path, self.color_mode), self.data_format, "float32")
        return np.asarray(resize(image, data_format=self.data_format, **self.resizing))


@export("keras.utils.image_dataset_from_directory", "keras.preprocessing.image_dataset_from_directory")
def image_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Any = None,
    color_mode: str = "rgb", batch_size: int | None = 32, image_size: Any = (256, 256), shuffle: bool = True,
    seed: int | None = None, validation_split: float | None = None, subset: str | None = None,
    interpolation: str = "bilinear", follow_links: bool = False, crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False, data_format: str | None = None, format: str = "tf", verbose: bool = True,
) -> Any:  # fmt: skip
    """Images in the folders of a directory, a folder for each class, as a data set for `fit`.

    labels:     "inferred" from the folders, None, or a list of integers in the order of the file names.
    label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
    subset:     "training", "validation" or, as a list of two, "both" parts of a `validation_split`.
    format:     Keras returns the data set of another library by this name; here both names mean the same.
    """
    if labels not in ("inferred", None) and not isinstance(labels, (list, tuple)):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, of the same size as the number of image files in "
            f"the target directory, 'inferred', or None. Received: labels={labels}"
        )
    if class_names and labels != "inferred":
        raise ValueError(
            f'You can only pass `class_names` if `labels="inferred"`. Received: labels={labels}, class_names={class_names}'
        )
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(
            f'`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: label_mode={label_mode}'
        )
    if labels is None or label_mode is None:
        labels = label_mode = None
    if color_mode not in MODES:
        raise ValueError(f"`color_mode` must be one of {set(MODES)}. Received: color_mode={color_mode}")
    if isinstance(image_size, int):
        image_size = (image_size, image_size)
    if not isinstance(image_size, (list, tuple)) or len(image_size) != 2:
        raise ValueError(
            f"Invalid `image_size` value. Expected a tuple of 2 integers. Received: image_size={image_size}"
        )
    if interpolation.lower() not in INTERPOLATIONS:
        raise ValueError(f"Argument `interpolation` should be one of {INTERPOLATIONS}. Received: {interpolation}")
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`.")
    check_validation_split(validation_split, subset, shuffle, seed)
    seed = int(np.random.randint(10**6)) if seed is None else seed
    paths, labels, class_names = index_directory(
        directory, labels, FORMATS, class_names, shuffle, seed, follow_links, verbose
    )
    if label_mode == "binary" and len(class_names) != 2:
        raise ValueError(
            f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: class_names={class_names}'
        )
    targets = targets_of(labels, label_mode, class_names)

    def part(name: str | None) -> ImageFiles:
        files = part_for(name, paths, validation_split)
        if not files:
            raise ValueError(f"No {name or ''} images found in directory {directory}. Allowed formats: {FORMATS}")
        return ImageFiles(
            files, part_for(name, targets, validation_split), class_names, batch_size, shuffle, seed, color_mode,
            standard_format(data_format), size=tuple(image_size), interpolation=interpolation.lower(),
            crop_to_aspect_ratio=crop_to_aspect_ratio, pad_to_aspect_ratio=pad_to_aspect_ratio,
        )  # fmt: skip

    if subset != "both":
        return part(subset)
    training, validation = part("training"), part("validation")
    validation.shuffle = False
    return [training, validation]
