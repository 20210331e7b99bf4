"""Small real data sets that come with the library: no download, no account, ready in milliseconds.

Each module has `load_data(test_split=0.2, seed=113)`, which returns `(x_train, y_train), (x_test, y_test)`, and
`CLASS_NAMES`; those with columns have `FEATURE_NAMES`. Sources and licences are in LICENSE-data.
"""

from kerasish.datasets import breast_cancer as breast_cancer
from kerasish.datasets import digits as digits
from kerasish.datasets import iris as iris
from kerasish.datasets import wine as wine
