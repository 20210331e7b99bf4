"""One row an op of keras.ops.image and way of calling it: an expression over the arrays below, evaluated with the ops.

`tests/golden/make_ops_image.py` records what Keras returns for every row; the tests evaluate the same rows here.
"""

import numpy as np

_rng = np.random.RandomState(11)


def _unit(*shape: int) -> np.ndarray:
    return _rng.uniform(0.02, 0.98, size=shape).astype("float32")


ARRAYS = {
    "X": _unit(2, 6, 5, 3),
    "Y": _unit(2, 6, 5, 3),
    "ONE": _unit(7, 9, 2),
    "GRAY": _unit(1, 8, 8, 1),
    "WIDE": _unit(2, 4, 12, 8),
    "BIG": _unit(2, 14, 13, 3),
    "BIG2": _unit(2, 14, 13, 3),
    "TALL": _unit(1, 40, 20, 1),
    "FIRST": _unit(2, 3, 6, 5),
    "U8": _rng.randint(0, 256, size=(2, 6, 5, 3)).astype("uint8"),
    "I": _rng.randint(-9, 9, size=(4, 5)).astype("int32"),
    "VOL": _unit(2, 5, 4, 6, 2),
    "AFFINE": np.array([[0.9, 0.2, -0.73, -0.15, 1.1, 0.41, 0, 0], [1, 0, 1.37, 0, 1, -2.21, 0, 0]], "float32"),
    "MATRIX": np.array([0.8, -0.3, 1.17, 0.25, 0.9, -0.39, 0, 0], "float32"),
    "START": np.array([[[0, 0], [4, 0], [0, 5], [4, 5]], [[0, 0], [4, 0], [0, 5], [4, 5]]], "float32"),
    "END": np.array(
        [[[0.41, 0.32], [3.61, 0.23], [-0.35, 4.43], [4.57, 5.39]], [[1.1, 0], [4, 0.6], [0.7, 5], [3.3, 4.2]]], "float32"
    ),
    "PLANE": _unit(5, 6),
    "AT": (_rng.uniform(-9, 14, size=(2, 4, 3)) + 0.013).astype("float32"),
    "IN": _rng.uniform(0.3, 3.7, size=(2, 5)).astype("float32"),
    "SCALE": np.array([1.31, 0.57], "float32"),
    "SHIFT": np.array([0.83, -0.61], "float32"),
}

_INTERPOLATIONS = "bilinear nearest bicubic lanczos3 lanczos5".split()
_FILL_MODES = "constant nearest wrap mirror reflect".split()


def _rows(pattern: str, *values: list) -> str:
    rows = [pattern]
    for options in values:
        rows = [row.replace("%", str(v), 1) for row in rows for v in options]
    return "\n".join(rows)


CASES = [
    row
    for row in f"""
rgb_to_grayscale(X)
rgb_to_grayscale(U8)
rgb_to_grayscale(GRAY)
rgb_to_grayscale(FIRST, data_format="channels_first")
rgb_to_hsv(X)
rgb_to_hsv(FIRST, data_format="channels_first")
hsv_to_rgb(X)
hsv_to_rgb(X * 3 - 1)
hsv_to_rgb(FIRST, data_format="channels_first")
{_rows("resize(X, (9, 7), interpolation='%')", _INTERPOLATIONS)}
{_rows("resize(X, (3, 2), interpolation='%')", _INTERPOLATIONS)}
{_rows("resize(X, (4, 8), interpolation='%', antialias=True)", _INTERPOLATIONS)}
{_rows("resize(U8, (4, 8), interpolation='%')", _INTERPOLATIONS)}
{_rows("resize(FIRST, (4, 8), interpolation='%', data_format='channels_first')", _INTERPOLATIONS)}
{_rows("resize(TALL, (23, 25), interpolation='%')", _INTERPOLATIONS)}
{_rows("resize(TALL, (80, 12), interpolation='%', antialias=True)", _INTERPOLATIONS)}
resize(ONE, (3, 4))
resize(ONE, (7, 4))
resize(WIDE, (8, 6))
resize(WIDE, (4, 12))
resize(X, (4, 8), crop_to_aspect_ratio=True)
resize(ONE, (4, 3), crop_to_aspect_ratio=True, interpolation="nearest")
resize(FIRST, (4, 8), crop_to_aspect_ratio=True, data_format="channels_first")
resize(X, (4, 8), pad_to_aspect_ratio=True)
resize(ONE, (4, 3), pad_to_aspect_ratio=True, fill_value=0.5)
resize(U8, (9, 5), pad_to_aspect_ratio=True, fill_value=7.0)
resize(U8, (9, 5), pad_to_aspect_ratio=True, interpolation="nearest")
resize(FIRST, (4, 8), pad_to_aspect_ratio=True, fill_value=0.25, data_format="channels_first")
{_rows("scale_and_translate(X, (2, 8, 4, 3), SCALE, SHIFT, (1, 2), '%')", ["linear", "cubic", "lanczos3", "lanczos5"])}
scale_and_translate(X, (2, 8, 4, 3), SCALE, SHIFT, (1, 2), "bilinear", antialias=False)
scale_and_translate(VOL, (2, 5, 6, 4, 2), SCALE, SHIFT, (2, 3), "trilinear")
{_rows("affine_transform(X, AFFINE, fill_mode='%')", _FILL_MODES)}
{_rows("affine_transform(X, AFFINE, interpolation='nearest', fill_mode='%')", _FILL_MODES)}
affine_transform(X, AFFINE, fill_value=0.7)
affine_transform(U8, AFFINE, fill_value=7)
affine_transform(ONE, MATRIX)
affine_transform(FIRST, AFFINE, data_format="channels_first", fill_mode="reflect")
perspective_transform(X, START, END)
perspective_transform(X, START, END, interpolation="nearest", fill_value=0.3)
perspective_transform(ONE, START[0], END[0])
perspective_transform(U8, START, END)
perspective_transform(FIRST, START, END, data_format="channels_first")
{_rows("map_coordinates(PLANE, AT, %, '%')", [0, 1], _FILL_MODES)}
map_coordinates(PLANE, AT, 1, fill_value=0.6)
map_coordinates(PLANE, IN, 1)
map_coordinates(I, AT, 1, "reflect")
map_coordinates(I, AT, 0, "constant", fill_value=3)
extract_patches(X, 2)
extract_patches(X, (3, 2))
extract_patches(X, (3, 2), strides=1)
extract_patches(X, (3, 2), strides=(2, 1), padding="same")
extract_patches(X, 4, padding="same")
extract_patches(X, 2, strides=1, dilation_rate=2)
extract_patches(ONE, 3, strides=2)
extract_patches(FIRST, (2, 2), data_format="channels_first")
extract_patches(VOL, (2, 2, 3))
extract_patches(VOL, (2, 1, 3), strides=1)
extract_patches_3d(VOL, 2)
extract_patches_3d(VOL, (2, 3, 2), strides=(1, 1, 2), padding="same")
extract_patches_3d(VOL[0], 2)
pad_images(X, 1, 2, 3, 4)
pad_images(X, top_padding=1, left_padding=2, target_height=10, target_width=9)
pad_images(U8, bottom_padding=1, right_padding=2, target_height=10, target_width=9)
pad_images(ONE, 1, 0, 0, 2)
pad_images(FIRST, 1, 2, 3, 4, data_format="channels_first")
crop_images(X, 1, 2, 3, 0)
crop_images(X, top_cropping=1, left_cropping=2, target_height=2, target_width=3)
crop_images(U8, bottom_cropping=1, right_cropping=2, target_height=2, target_width=3)
crop_images(ONE, 1, 0, 0, 2)
crop_images(FIRST, 1, 1, 2, 2, data_format="channels_first")
gaussian_blur(X, data_format="channels_last")
gaussian_blur(X, (5, 3), (1.7, 0.6), data_format="channels_last")
gaussian_blur(ONE, (4, 4), (1.0, 2.0), data_format="channels_last")
gaussian_blur(FIRST, (3, 5), (1.7, 0.6), data_format="channels_first")
sobel_edges(X)
sobel_edges(FIRST, data_format="channels_first")
ssim(BIG, BIG2)
ssim(BIG, BIG * 0.9, max_val=2.0, filter_size=7, filter_sigma=1.1, k1=0.02, k2=0.04)
ssim(BIG[0], BIG2[0])
ssim(FIRST, FIRST * 0.8, filter_size=3, data_format="channels_first")
""".splitlines()
    if row.strip()
]
