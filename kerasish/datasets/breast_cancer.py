"""Breast cancer: 569 tumours, 30 measurements of their cell nuclei, malignant or benign."""

from kerasish.datasets import bundled

CLASS_NAMES = ("malignant", "benign")
_MEASURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
FEATURE_NAMES = tuple(f"{statistic} {measure}" for statistic in ("mean", "error of", "worst") for measure in _MEASURES)


def load_data(test_split: float = 0.2, seed: int = 113) -> bundled.Split:
    """Cell nuclei in images of fine needle aspirates: 212 of malignant tumours (0) and 357 of benign ones (1).

    Returns `(x_train, y_train), (x_test, y_test)`. `x`: float32, shape (n, 30), the `FEATURE_NAMES`: of ten measures the
    mean, the standard error, and the mean of the three largest. `y`: uint8, shape (n,), an index into `CLASS_NAMES`.
    Equal arguments give equal rows in equal order, on every machine. Raises ValueError unless 0 <= test_split < 1.

    Source: Breast Cancer Wisconsin (Diagnostic), W. Wolberg, O. Mangasarian, N. Street and W. Street (1993), UCI Machine
    Learning Repository, CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train.shape, x_test.shape
    ((455, 30), (455,), (114, 30))
    """
    return bundled.load("breast_cancer", test_split, seed)
