"""Contrast that adapts to every part of an image."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer

LEVELS = 256


@export("keras.layers.ContrastLimitedAdaptiveHistogramEqualization")
class ContrastLimitedAdaptiveHistogramEqualization(BaseImagePreprocessingLayer):
    """CLAHE (Zuiderveld 1994): each tile of an image is equalized, and tiles blend; while training and otherwise.

    clip_limit:     how often a value may occur in a tile, in multiples of the mean, before the excess is spread over all
        values; 0 sets no limit.
    tile_grid_size: how many tiles there are (down, across).

    >>> import numpy as np
    >>> layer = ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
    >>> layer(np.ones((2, 8, 8, 3), "uint8")).dtype.name
    'uint8'
    """

    _own_dtype = True

    def __init__(
        self, value_range: Any = (0, 255), clip_limit: float = 4.0, tile_grid_size: Any = (8, 8),
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.value_range, self.clip_limit, self.tile_grid_size = value_range, clip_limit, tile_grid_size

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = ops.convert_to_tensor(images)
        first = self.data_format == "channels_first"
        x = ops.moveaxis(images, -3, -1) if first else images
        x = self._rescaled(ops.cast(x, "float32"), self.value_range, (0, 255))
        x = self._rescaled(self._equalized(x), (0, 255), self.value_range)
        return ops.cast(ops.moveaxis(x, -1, -3) if first else x, images.dtype)

    def _equalized(self, x: Any) -> Any:
        """(n, h, w, c) with values from 0 to 255."""
        n, height, width, channels = x.shape
        rows, columns = self.tile_grid_size
        tall, wide = -(-int(height) // rows), -(-int(width) // columns)
        missing = (tall * rows - height, wide * columns - width)
        if any(missing):
            x = ops.pad(x, [(0, 0), (0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")
        value = ops.cast(ops.clip(x, 0, LEVELS - 1), "int32")
        table = self._tables(value, (n, rows, tall, columns, wide, channels))
        top, bottom, down = _neighbours(tall, rows)
        left, right, across = _neighbours(wide, columns)
        down, across = ops.reshape(down, (1, -1, 1, 1)), ops.reshape(across, (1, 1, -1, 1))
        # the place of every pixel's value in the table of a tile, all tables laid out in a row
        image = ops.reshape(ops.cumsum(ops.ones_like(value[:, :1, :1, :1]), axis=0) - 1, (-1, 1, 1, 1))
        channel = ops.reshape(ops.arange(channels), (1, 1, 1, channels))

        def looked_up(row: Any, column: Any) -> Any:
            tile = (image * rows + ops.reshape(row, (1, -1, 1, 1))) * columns + ops.reshape(column, (1, 1, -1, 1))
            return ops.take(table, (tile * channels + channel) * LEVELS + value)

        upper = looked_up(top, left) * (1 - across) + looked_up(top, right) * across
        lower = looked_up(bottom, left) * (1 - across) + looked_up(bottom, right) * across
        return (upper * (1 - down) + lower * down)[:, :height, :width]

    def _tables(self, value: Any, shape: tuple) -> Any:
        """What each value becomes, by image, tile, channel and value: a flat tensor."""
        n, rows, tall, columns, wide, channels = shape
        tiles = ops.transpose(ops.reshape(value, shape), (0, 1, 3, 5, 2, 4))
        tiles = ops.reshape(tiles, (n * rows * columns * channels, tall * wide))
        tile = ops.cumsum(ops.ones_like(tiles[:, :1]), axis=0) - 1
        place = ops.expand_dims(ops.reshape(tile * LEVELS + tiles, (-1,)), -1)
        total = n * rows * columns * channels * LEVELS
        histogram = ops.scatter(place, ops.ones_like(place[:, 0], "float32"), (total,))
        histogram = ops.reshape(histogram, (-1, LEVELS))
        if self.clip_limit > 0:
            limited = ops.minimum(histogram, self.clip_limit * (tall * wide) / LEVELS)
            histogram = limited + ops.sum(histogram - limited, axis=-1, keepdims=True) / LEVELS
        cumulated = ops.cumsum(histogram, axis=-1)
        least = cumulated[:, :1]
        rest = tall * wide - least
        table = (cumulated - least) * 255.0 / ops.where(rest == 0, 1.0, rest)
        return ops.reshape(ops.clip(table, 0, 255), (-1,))


def _neighbours(size: int, tiles: int) -> tuple:
    """For every pixel along an axis: the tiles whose middles lie before and after it, and how near it is to the second."""
    place = (ops.arange(size * tiles, dtype="float32") - size / 2) / size
    before = ops.floor(place)
    near = place - before
    last = tiles - 1
    return ops.cast(ops.clip(before, 0, last), "int32"), ops.cast(ops.clip(before + 1, 0, last), "int32"), near
