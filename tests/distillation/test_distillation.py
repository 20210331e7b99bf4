"""keras.distillation: Keras's numbers, configs and errors, in both modes."""

import json
import pathlib

import numpy as np
import pytest
from distillation_cases import CONFIGS, FITS, LOSSES, X, Y, distiller, model, soft, train

import kerasish as keras
from kerasish.distillation import DistillationLoss, Distiller, FeatureDistillation, LogitsDistillation

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/distillation.json").read_text())


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    assert LOSSES[name](keras) == pytest.approx(GOLDEN["losses"][name], rel=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_are_those_of_keras_and_come_back(name):
    loss = CONFIGS[name](keras)
    assert json.loads(json.dumps(loss.get_config())) == GOLDEN["configs"][name]
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(loss))))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


@pytest.mark.parametrize("name", FITS)
def test_histories(name):
    found, wanted = FITS[name](keras), GOLDEN["fits"][name]
    assert set(found) == set(wanted)
    for key in wanted:
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-4, atol=1e-6, err_msg=key)


def test_both_modes_agree():
    histories = []
    for eager in (False, True):
        made = distiller(keras, [soft(keras), FeatureDistillation("mse", "hidden", "hidden")])
        made.run_eagerly = eager
        histories.append(train(made))
    for key, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][key], rtol=1e-4, err_msg=key)


def test_the_student_learns_and_the_teacher_stays():
    teacher, student = model(keras, 1), model(keras, 2)
    before = [w.numpy().copy() for w in teacher.weights]
    made = Distiller(teacher, student, soft(keras), student_loss_weight=0.0)
    made.compile("adam", "mse")
    history = made.fit(X, epochs=20, verbose=0).history["distillation_loss"]
    assert history[-1] < 0.9 * history[0] and not teacher.trainable
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, teacher.weights, strict=True))
    assert {id(w) for w in made.trainable_weights} == {id(w) for w in student.weights}
    assert made.predict(X, verbose=0) == pytest.approx(student.predict(X, verbose=0))


def test_a_distiller_comes_back_from_its_file(tmp_path):
    made = distiller(keras, [soft(keras), FeatureDistillation("mse", "hidden", "hidden")], distillation_loss_weights=[1.0, 0.5])
    train(made)
    made.save(tmp_path / "distiller.keras")
    again = keras.saving.load_model(tmp_path / "distiller.keras")
    assert again.distillation_loss_weights == [1.0, 0.5] and not again.teacher.trainable
    want = made.evaluate(X, Y, verbose=0, return_dict=True)
    assert again.evaluate(X, Y, verbose=0, return_dict=True) == pytest.approx(want, rel=1e-6)
    assert train(again)["loss"] == pytest.approx(train(made)["loss"], rel=1e-5)


def test_a_loss_of_ones_own():
    class Apart(DistillationLoss):
        def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
            return keras.ops.mean(keras.ops.abs(teacher_outputs - student_outputs))

    made = distiller(keras, Apart(), student_loss_weight=0.0)
    apart = np.abs(made.teacher(X).numpy() - made.student(X).numpy()).mean()
    assert made.evaluate(X, verbose=0, return_dict=True)["distillation_loss"] == pytest.approx(apart, rel=1e-5)


class Plain(keras.Model):
    def call(self, x):
        return x


def pair(losses=None, **options):
    return Distiller(model(keras, 1), model(keras, 2), LogitsDistillation() if losses is None else losses, **options)


# what is wrong: (the mistake, what the error says)
MISTAKES = {
    "no losses": (lambda: Distiller(model(keras, 1), model(keras, 2), None), "cannot be `None`"),
    "no model": (lambda: Distiller(model(keras, 1), 3, LogitsDistillation()), "Student must be a `keras.Model`"),
    "number of weights": (lambda: pair([LogitsDistillation()], distillation_loss_weights=[1, 2]), r"\(2\) must match"),
    "weight out of range": (lambda: pair(student_loss_weight=2), "between 0.0 and 1.0"),
    "weight of no number": (lambda: pair(student_loss_weight="a"), "must be a number"),
    "number of outputs": (lambda: Distiller(model(keras, 1, outputs=2), model(keras, 2), LogitsDistillation()), "2 and 1 outputs"),
    "shapes": (lambda: Distiller(model(keras, 1), keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]), LogitsDistillation()),
               "output shapes are incompatible"),
    "unknown layer": (lambda: pair(FeatureDistillation(teacher_layer_name="zz")), "In the teacher model: No such layer: zz"),
    "layer of a subclass": (lambda: Distiller(Plain(), model(keras, 2), FeatureDistillation("mse", "hidden")), "the teacher has no graph"),
    "temperature": (lambda: LogitsDistillation(-1), "must be positive"),
    "temperature of no number": (lambda: LogitsDistillation("hot"), "must be a number"),
    "no loss at all": (lambda: LogitsDistillation(loss=None), "non-`None`"),
    "no loss of features": (lambda: FeatureDistillation(loss=[None]), "non-`None`"),
    "unknown loss": (lambda: LogitsDistillation(loss="nope"), "nope"),
    "compile without loss": (lambda: pair().compile("sgd"), "cannot be `None`"),
    "metrics of no list": (lambda: pair().compile("sgd", "mse", "mae"), "list or tuple"),
    "outputs unlike": (lambda: LogitsDistillation().validate_outputs([1, 2], 3), "structure"),
    "loss unlike": (lambda: FeatureDistillation().validate_outputs([1, 2], [3, 4]), "not structured like"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    mistake, message = MISTAKES[name]
    with pytest.raises(ValueError, match=message):
        mistake()


def test_the_base_asks_for_its_method():
    with pytest.raises(NotImplementedError, match="must implement `compute_loss"):
        DistillationLoss().compute_loss(1, 2)
