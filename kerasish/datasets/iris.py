"""Iris flowers: 150 flowers, 4 lengths in centimetres, 3 species."""

from kerasish.datasets import bundled

CLASS_NAMES = ("setosa", "versicolor", "virginica")
FEATURE_NAMES = ("sepal length", "sepal width", "petal length", "petal width")


def load_data(test_split: float = 0.2, seed: int = 113) -> bundled.Split:
    """Fisher's irises, 50 of each species. One species is linearly separable from the other two.

    Returns `(x_train, y_train), (x_test, y_test)`. `x`: float32, shape (n, 4), the `FEATURE_NAMES` in cm. `y`: uint8,
    shape (n,), an index into `CLASS_NAMES`. Equal arguments give equal rows in equal order, on every machine. Raises
    ValueError unless 0 <= test_split < 1.

    Source: R. A. Fisher, The use of multiple measurements in taxonomic problems (1936); UCI Machine Learning
    Repository, CC BY 4.0, with its two wrong rows corrected from the paper.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train.shape, x_test.shape
    ((120, 4), (120,), (30, 4))
    """
    return bundled.load("iris", test_split, seed)
