"""Arguments of draw_segmentation_masks."""

import numpy as np

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 6, 7, 3)).astype("uint8")
MASKS = RNG.integers(-1, 4, (2, 6, 7, 1))
COLORS = [(1, 2, 3), (4, 5, 6), (7, 8, 9), (100, 0, 0)]
CASES = {
    "all": {"num_classes": 4},
    "few classes": {"num_classes": 2},
    "pale": {"num_classes": 4, "alpha": 0.3},
    "colors alone": {"num_classes": 4, "blend": False},
    "a class ignored": {"num_classes": 4, "ignore_index": 2},
    "own colors": {"num_classes": 4, "color_mapping": COLORS},
    "channels first": {"num_classes": 4, "data_format": "channels_first"},
}


def draw(k, case):
    order = (0, 3, 1, 2) if "data_format" in CASES[case] else (0, 1, 2, 3)
    return np.asarray(k.visualization.draw_segmentation_masks(IMAGES.transpose(order), MASKS.transpose(order), **CASES[case]))
