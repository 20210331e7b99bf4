"""`keras.datasets.boston_housing`."""

from typing import Any

from kerasish.base.registry import export
from kerasish.datasets.downloaded import Split, load_columns


@export("keras.datasets.boston_housing.load_data")
def load_data(path: Any = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """506 districts of Boston around 1978: 13 columns, and median prices of houses in thousands of dollars.

    One column encodes a contested assumption about race; the set is here for its place in textbooks, and
    california_housing is the better choice. Raises ValueError unless 0 <= test_split < 1.
    """
    return load_columns("boston_housing.npz", path, test_split, seed)
