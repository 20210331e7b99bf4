"""Records what Keras's metrics compute. Run where Keras is installed: python tests/golden/make_metrics.py"""

import json
import os
import pathlib
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "metrics"))

import keras  # noqa: E402
import metric_rows as rows  # noqa: E402
import numpy as np  # noqa: E402

warnings.filterwarnings("ignore", message="Explicitly requested dtype")

golden = {
    "keras": keras.__version__,
    "signatures": {n: rows.signature(getattr(keras.metrics, n)) for n in dir(keras.metrics) if not n.startswith("_")},
    "rows": {},
    "half precision": {},
    "places": {},  # of a row's numbers in a scenario, in the flat array: start and end, or "refused"
    "functions": {},
}
numbers = []
size = 0


def keep(vector):
    """Append to the flat array; where it is there."""
    global size
    numbers.append(vector.astype("float32"))
    size += len(vector)
    return [size - len(vector), size]


for id, row in rows.ROWS.items():
    keras.backend.clear_session()
    metric = rows.make(keras, row)
    rows.update(keras, metric, rows.batches(row, "plain")[0])
    golden["rows"][id] = rows.describe(metric)
    golden["half precision"][id] = rows.half_precision(keras, row)
    golden["places"][id] = {}
    for scenario in rows.SCENARIOS:
        got = rows.run(keras, row, scenario)
        golden["places"][id][scenario] = got if isinstance(got, str) else keep(got)
for name in rows.FUNCTIONS:
    golden["functions"][name] = keep(rows.call_function(keras, name))
keras.backend.clear_session()
golden["answers"] = {identifier: rows.answer(keras, identifier) for identifier in rows.IDENTIFIERS}
golden["wrong"] = [rows.refusal(lambda c=c, k=k: getattr(keras.metrics, c)(**k)) for c, k in rows.WRONG]
golden["wrong data"] = [rows.refusal(lambda r=r: rows.feed_wrong(keras, *r)) for r in rows.WRONG_DATA]

np.savez_compressed(here / "metrics.npz", numbers=np.concatenate(numbers))
(here / "metrics.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
