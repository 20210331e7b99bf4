"""The same events as Keras, read by TensorFlow."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
tensorflow = pytest.importorskip("tensorflow")
pytest.importorskip("tensorboard")

from tensorboard_runs import OPTIONS, read, run
from tensorflow.core.util import event_pb2

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


def events(path):
    for record in tensorflow.data.TFRecordDataset(str(path)):
        event = event_pb2.Event.FromString(record.numpy())
        for value in event.summary.value:
            yield event.step, value.tag, value.metadata.plugin_data.plugin_name, tensorflow.make_ndarray(value.tensor)


@pytest.mark.parametrize("case", [case for case in OPTIONS if case != "embeddings"])
def test_the_same_events(case, tmp_path):
    found = {}
    for k in (keras, kerasish):
        run(k, tmp_path / k.__name__, **OPTIONS[case])
        found[k], others = read(tmp_path / k.__name__, events)
        assert others == []
    if case == "every second batch":  # Keras leaves out epochs and evaluations that end at an odd batch, too
        assert {event[:3] for event in found[keras]} < {event[:3] for event in found[kerasish]}
        found = {k: [event for event in events if "batch" in event[1]] for k, events in found.items()}
    assert [event[:4] for event in found[kerasish]] == [event[:4] for event in found[keras]]
    for (_, tag, *_, ours), (*_, theirs) in zip(found[kerasish], found[keras]):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        if ours.dtype != object:
            np.testing.assert_allclose(ours, theirs, atol=1e-4, err_msg=tag)
