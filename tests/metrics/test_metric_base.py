"""Metric as a base class for users."""

import numpy as np
import pytest

from kerasish import dtype_policies, ops
from kerasish.base import config, naming
from kerasish.engine import Variable
from kerasish.engine.static import Function
from kerasish.metrics import Mean, Metric, Sum


class Spread(Metric):
    """Holds variables and metrics in every way that is tracked."""

    def __init__(self, name="spread", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(name="largest", initializer="zeros")
        self.inner = Mean(name="in/ner")
        self.listed = [Sum(name="first"), Sum(name="second")]
        self.keyed = {"a": Sum(name="keyed")}
        self.own = Variable(np.zeros(2, "float32"), name="own")
        self.counts = self.add_variable((2,), "ones", dtype="int32", name="counts")

    def update_state(self, x):
        self.largest.assign(ops.maximum(self.largest, ops.max(x)))
        self.inner.update_state(x)

    def result(self):
        return {"largest": self.largest.value, "mean": self.inner.result()}


PATHS = [
    "spread/largest",
    "own",
    "spread/counts",
    "in>ner/total",
    "in>ner/count",
    "first/total",
    "second/total",
    "keyed/total",
]


def test_tracking():
    metric = Spread()
    assert [v.path for v in metric.variables] == PATHS
    metric.listed.append(Sum(name="late"))
    assert [v.path for v in metric.variables] == [*PATHS, "late/total"]
    assert not metric.largest.trainable
    assert metric.largest.aggregation == "sum"


def test_call_and_reset():
    metric = Spread()
    result = metric(ops.array([1.0, 3.0]))
    assert {k: float(v) for k, v in result.items()} == {"largest": 3, "mean": 2}
    metric.reset_state()
    assert all(not v.numpy().any() for v in metric.variables)


def test_stateless_of_nested_metrics():
    metric = Spread()
    after = metric.stateless_update_state([v.value for v in metric.variables], ops.array([1.0, 3.0]))
    assert not metric.largest.numpy().any()
    assert {k: float(v) for k, v in metric.stateless_result(after).items()} == {"largest": 3, "mean": 2}


@pytest.mark.parametrize("method", ["stateless_update_state", "stateless_result"])
def test_stateless_with_too_few_values(method):
    with pytest.raises(ValueError, match="1:1 to Spread\\(\\).variables. Received a list of length 1"):
        getattr(Spread(), method)([1.0])


def test_static():
    metric = Spread()

    def step(x):
        metric.update_state(x)
        return metric.result()

    program = Function(step)
    for x in ([1.0, 3.0], [2.0, 4.0, 9.0]):
        result = program(np.array(x, "float32"))
    assert float(result["largest"]) == 9
    assert float(result["mean"]) == pytest.approx(19 / 5)
    assert len(program.programs) == 1


def test_a_metric_made_while_a_program_is_recorded():
    made = []

    def step(x):
        if not made:
            made.append(Mean())
        made[0].update_state(x)
        return made[0].result()

    program = Function(step)
    assert float(program(np.array([1.0, 3.0], "float32"))) == 2
    assert float(program(np.array([8.0], "float32"))) == 4
    assert made[0].count.numpy() == 3


def test_names():
    naming.reset_uids()
    assert (Metric().name, Metric().name, Metric(name="a/b").name) == ("metric", "metric_1", "a/b")
    with naming.name_scope("outer"):
        assert [v.path for v in Mean(name="a/b").variables] == ["outer/a>b/total", "outer/a>b/count"]
    assert repr(Mean()) == "<Mean name=mean>"


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        (None, "float32"),
        ("float64", "float64"),
        (np.float64, "float64"),
        ("mixed_float16", "float16"),
        (dtype_policies.DTypePolicy("mixed_float16"), "float16"),
    ],
)
def test_dtype(dtype, wanted):
    metric = Mean(dtype=dtype)
    assert metric.dtype == wanted
    assert metric.get_config()["dtype"] == wanted
    assert {v.dtype for v in metric.variables} == {wanted}
    assert float(metric(ops.array([1.0, 2.0]))) == 1.5


def test_dtype_follows_floatx_not_the_dtype_policy():
    policy, floatx = dtype_policies.dtype_policy(), config.floatx()
    try:
        dtype_policies.set_dtype_policy("mixed_float16")
        assert Mean().dtype == "float32"
        dtype_policies.set_dtype_policy(policy)
        config.set_floatx("float64")
        metric = Sum()
        assert metric.dtype == "float64"
        metric.update_state(1 + 1e-12)
        assert float(metric.result()) - 1 == pytest.approx(1e-12, rel=1e-3)
    finally:
        config.set_floatx(floatx)
        dtype_policies.set_dtype_policy(policy)


def test_weights_without_an_initializer_start_at_zero():
    assert Metric().add_weight(name="w").numpy() == 0
    assert Metric().add_weight(
        shape=(2,), initializer=lambda shape, dtype: ops.ones(shape, dtype)
    ).numpy().tolist() == [1, 1]


def test_super_init_is_needed():
    class Forgetful(Metric):
        def __init__(self):
            self.name = "forgetful"

    for use in (lambda m: m.add_weight(name="w"), lambda m: m(1.0)):
        with pytest.raises(RuntimeError, match="did not call `super"):
            use(Forgetful())


@pytest.mark.parametrize("method", ["update_state", "result"])
def test_methods_that_a_subclass_defines(method):
    with pytest.raises(NotImplementedError, match=method):
        getattr(Metric(), method)()


def test_config_of_a_subclass():
    metric = Spread.from_config({"name": "other", "dtype": "float32"})
    assert metric.get_config() == {"name": "other", "dtype": "float32"}
