"""Every row of metric_rows, with every invariant; the numbers are Keras's, recorded by golden/make_metrics.py."""

import copy
import json
import pathlib
import pickle
import types
import warnings

import numpy as np
import pytest
from metric_rows import (
    CUT_OFF,
    DATA,
    FUNCTIONS,
    IDENTIFIERS,
    ROWS,
    SCENARIOS,
    WRONG,
    WRONG_DATA,
    answer,
    batches,
    call_function,
    describe,
    feed_wrong,
    half_precision,
    make,
    numbers,
    refusal,
    run,
    signature,
    update,
)

from kerasish import metrics, ops
from kerasish.base import naming
from kerasish.base.registry import lookup
from kerasish.engine.static import Function

golden_dir = pathlib.Path(__file__).parents[1] / "golden"
GOLDEN = json.loads((golden_dir / "metrics.json").read_text())
NUMBERS = np.load(golden_dir / "metrics.npz")["numbers"]

ours = types.SimpleNamespace(metrics=metrics, ops=ops)
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())

# names whose tests are further down, not in a table
OTHER_NAMES = {"Metric", "get", "serialize", "deserialize"}

# where we differ from Keras on purpose: Keras loses this option when the metric is saved
CONFIG_DIFFERENCES = {"CosineSimilarity(axis=1) on number series": {"axis": 1}}


def close(got, wanted):
    """Equal to a relative 1e-6, of the largest number where sums cancel."""
    scale = max(1.0, float(np.abs(np.nan_to_num(wanted)).max(initial=0)))
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6 * scale)


def recorded(place):
    return NUMBERS[place[0] : place[1]]


# -- the public surface -----------------------------------------------------------------------------------------------


def test_every_public_name_is_here_and_has_a_row():
    assert sorted(metrics.__all__) == sorted(GOLDEN["signatures"])
    assert {row.cls for row in ROWS.values()} | set(FUNCTIONS) | OTHER_NAMES == set(GOLDEN["signatures"])


@pytest.mark.parametrize("name", GOLDEN["signatures"])
def test_signature_and_path(name):
    obj = getattr(metrics, name)
    assert lookup(f"keras.metrics.{name}") is obj
    assert signature(obj) == GOLDEN["signatures"][name]


# -- invariants of every row ------------------------------------------------------------------------------------------


@every_row
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_numbers(row, scenario):
    place = GOLDEN["places"][row.id][scenario]
    got = run(ours, row, scenario)
    if place == "refused":
        assert isinstance(got, str)
    else:
        close(got, recorded(place))


@every_row
def test_description(row):
    naming.reset_uids()
    metric = make(ours, row)
    update(ours, metric, batches(row, "plain")[0])
    wanted = GOLDEN["rows"][row.id]
    got = json.loads(json.dumps(describe(metric)))
    assert got["config"] == {**wanted.pop("config"), **CONFIG_DIFFERENCES.get(row.id, {})}
    assert {k: got[k] for k in wanted} == wanted


@every_row
def test_half_precision(row):
    with np.errstate(all="ignore"):
        assert half_precision(ours, row) == GOLDEN["half precision"][row.id]


@every_row
def test_reset(row):
    metric = make(ours, row)
    metric.reset_state()  # also before there are variables
    results = []
    for _ in range(2):
        for batch in batches(row, "weighted")[:2] if row.id in WEIGHTED else batches(row, "plain")[:2]:
            update(ours, metric, batch)
        results.append(numbers(metric.result()))
        metric.reset_state()
        assert all(not v.numpy().any() for v in metric.variables)
    np.testing.assert_array_equal(*results)


WEIGHTED = {id for id, places in GOLDEN["places"].items() if places["weighted"] != "refused"}


@every_row
def test_config_round_trip(row):
    metric = make(ours, row)
    again = type(metric).from_config(json.loads(json.dumps(metric.get_config())))
    saved = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    for other in (again, saved):
        assert type(other) is type(metric)
        assert other.get_config() == metric.get_config()
    for m in (metric, again, saved):
        update(ours, m, batches(row, "plain")[0])
    np.testing.assert_array_equal(numbers(metric.result()), numbers(again.result()))
    np.testing.assert_array_equal(numbers(metric.result()), numbers(saved.result()))


@every_row
def test_stateless(row):
    metric, twin = make(ours, row), make(ours, row)
    first, second, _ = batches(row, "plain")
    for m in (metric, twin):
        update(ours, m, first)
    before = [v.numpy() for v in metric.variables]
    after = metric.stateless_update_state([v.value for v in metric.variables], *second[0])
    for v, value in zip(metric.variables, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), value)
    result = metric.stateless_result(after)
    update(ours, twin, second)
    for v, value in zip(twin.variables, after, strict=True):
        np.testing.assert_array_equal(v.numpy(), np.asarray(value))
    np.testing.assert_array_equal(numbers(twin.result()), numbers(result))
    zeros = metric.stateless_reset_state()
    assert [z.shape for z in zeros] == [v.shape for v in metric.variables]
    assert not any(np.asarray(z).any() for z in zeros)
    np.testing.assert_array_equal(numbers(metric.variables[0].numpy()), before[0].ravel())


@every_row
@pytest.mark.parametrize("scenario", ["plain", "weighted", "masked, weighted"])
def test_static_equals_eager_by_one_program_for_all_batch_sizes(row, scenario):
    if GOLDEN["places"][row.id][scenario] == "refused":
        return
    metric = make(ours, row)

    def step(args, weight, mask):
        if mask is not None:
            args[-1]._keras_mask = mask
        metric.update_state(*args, sample_weight=weight)
        return metric.result()

    program = Function(step)
    got = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=CUT_OFF)
        for args, weight, mask in batches(row, scenario):
            got.append(numbers(program([np.asarray(ops.convert_to_tensor(a)) for a in args], weight, mask)))
    close(np.concatenate(got + [numbers(v.numpy()) for v in metric.variables]), run(ours, row, scenario))
    assert len(program.programs) == 1


@every_row
def test_batches_make_no_difference(row):
    in_parts, at_once = make(ours, row), make(ours, row)
    parts = [args for args, _, _ in batches(row, "plain")]
    for args in parts:
        update(ours, in_parts, (args, None, None))
    update(ours, at_once, ([np.concatenate(a) for a in zip(*parts, strict=True)], None, None))
    np.testing.assert_allclose(numbers(in_parts.result()), numbers(at_once.result()), rtol=1e-5, atol=1e-6)


@every_row
def test_copies_keep_the_state(row):
    metric = make(ours, row)
    first, second, _ = batches(row, "plain")
    update(ours, metric, first)
    copies = [copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))]
    update(ours, metric, second)
    for other in copies:
        assert [v.path for v in other.variables] == [v.path for v in metric.variables]
        update(ours, other, second)
        np.testing.assert_array_equal(numbers(other.result()), numbers(metric.result()))


# -- functions and look-up --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    close(call_function(ours, name), recorded(GOLDEN["functions"][name]))


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_get(identifier):
    assert answer(ours, identifier) == GOLDEN["answers"][identifier]


def test_get_of_what_is_no_name():
    metric = metrics.Mean()
    assert metrics.get(metric) is metric
    assert metrics.get(None) is None
    assert isinstance(metrics.get(metrics.Mean), metrics.Mean)
    assert metrics.get(metrics.mean_squared_error) is metrics.mean_squared_error
    assert metrics.get({"class_name": "BinaryAccuracy", "config": {"threshold": 0.2}}).threshold == 0.2
    for wrong in (3, {"class_name": "Nonsense", "config": {}}):
        with pytest.raises(ValueError, match="Could not interpret metric identifier"):
            metrics.get(wrong)


def test_custom_metrics_are_found():
    class Mine(metrics.Mean):
        pass

    config = metrics.serialize(Mine(name="own"))
    assert type(metrics.deserialize(config, custom_objects={"Mine": Mine})) is Mine
    assert metrics.deserialize("Mine", custom_objects={"Mine": Mine}) is Mine


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "wanted"), list(zip(WRONG, GOLDEN["wrong"], strict=True)), ids=map(str, WRONG))
def test_wrong_arguments(case, wanted):
    cls, config = case
    assert wanted != "accepted"
    assert refusal(lambda: getattr(metrics, cls)(**config)) == wanted


@pytest.mark.parametrize(
    ("case", "wanted"), list(zip(WRONG_DATA, GOLDEN["wrong data"], strict=True)), ids=map(str, WRONG_DATA)
)
def test_wrong_data(case, wanted):
    assert wanted != "accepted"
    assert refusal(lambda: feed_wrong(ours, *case)) == wanted


@pytest.mark.parametrize("metric", [metrics.F1Score(), metrics.R2Score(), metrics.AUC(multi_label=True)], ids=repr)
def test_no_result_before_the_first_batch(metric):
    with pytest.raises(AttributeError, match="Call `update_state` before `result`"):
        metric.result()


# -- particulars ------------------------------------------------------------------------------------------------------


def test_integer_weights_are_announced():
    with pytest.warns(UserWarning, match="cuts off the fractions of weights"):
        metrics.IoU(2, [0]).update_state([0, 1], [0, 1], sample_weight=[0.5, 1.5])
    metrics.IoU(2, [0], dtype="float32").update_state([0, 1], [0, 1], sample_weight=[0.5, 1.5])
    metrics.IoU(2, [0]).update_state([0, 1], [0, 1], sample_weight=[1, 2])


def test_labels_that_are_no_class_are_not_counted():
    metric = metrics.MeanIoU(num_classes=2)
    metric.update_state([0, 5, -1, 1, 1], [0, 1, 1, 7, 1])
    assert metric.variables[0].numpy().tolist() == [[1, 0], [0, 1]]


def test_class_axis_of_one_hot_regions():
    y_true, y_pred = DATA["one-hot regions"](np.random.default_rng(0), 4)
    last = metrics.OneHotMeanIoU(num_classes=3)
    middle = metrics.OneHotMeanIoU(num_classes=3, axis=1)
    swapped = np.swapaxes(y_true, 1, 2), np.swapaxes(y_pred, 1, 2)
    assert float(last(y_true, y_pred)) == float(middle(*swapped)) > 0


def test_r2_with_too_few_samples_for_its_regressors():
    metric, plain = metrics.R2Score(num_regressors=5), metrics.R2Score()
    data = np.array([[1.0], [2.0], [4.0]]), np.array([[1.5], [2.0], [3.0]])
    with pytest.warns(UserWarning, match="Falling back to the standard R2 score"):
        result = float(metric(*data))
    assert result == float(plain(*data))


@pytest.mark.parametrize("metric", [metrics.AUC(), metrics.Precision(), metrics.RecallAtPrecision(0.5)], ids=repr)
def test_predictions_that_are_no_numbers_do_not_stop_training(metric):
    metric.update_state([0, 1, 1], [np.nan, 0.7, 0.2])
    assert 0 <= float(metric.result()) <= 1


def test_auc_of_perfect_and_of_reversed_scores():
    labels = np.array([0, 0, 1, 1])
    assert float(metrics.AUC()(labels, labels * 0.8 + 0.1)) == 1
    assert float(metrics.AUC()(labels, 0.9 - labels * 0.8)) == 0
    assert float(metrics.AUC(curve="PR")(labels, labels * 0.8 + 0.1)) == pytest.approx(1)


def test_all_positives_count_as_found_whatever_their_weights():
    """Recall 1 is reached: missed positives are summed, not computed as a difference that leaves a remainder."""
    rng = np.random.default_rng(0)
    metric = metrics.PrecisionAtRecall(recall=1.0)
    for _ in range(20):
        labels = rng.integers(0, 2, 50)
        metric.update_state(labels, 0.3 + 0.4 * rng.random(50), sample_weight=rng.random(50))
    assert float(metric.result()) > 0.4


def test_thresholds_of_auc():
    metric = metrics.AUC(thresholds=np.array([0.7, 0.2]))
    assert metric.num_thresholds == 4
    np.testing.assert_allclose(metric.thresholds, [-1e-7, 0.2, 0.7, 1 + 1e-7])
    assert metric.get_config()["thresholds"] == [0.2, 0.7]
