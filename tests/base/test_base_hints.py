"""keras.device, remat and RematScope: accepted where they ask for what happens anyway."""

import pytest

import kerasish as keras


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "CPU:0"])
def test_the_device_there_is(name):
    with keras.device(name):
        assert keras.ops.ones(2).shape == (2,)


@pytest.mark.parametrize("name, error", [("gpu:0", RuntimeError), ("cpu:1", RuntimeError), (None, ValueError), (0, ValueError)])
def test_devices_there_are_not(name, error):
    with pytest.raises(error, match=str(name)):
        with keras.device(name):
            pytest.fail("the block ran")


def test_remat_computes_the_same_and_has_its_gradient():
    square = keras.remat(lambda x: x * x)
    assert float(keras.grad(square)(keras.ops.convert_to_tensor(3.0))) == 6.0


def test_remat_scope():
    with keras.RematScope(mode="larger_than", output_size_threshold=10) as scope:
        assert (scope.mode, scope.output_size_threshold, scope.layer_names) == ("larger_than", 10, [])
    with pytest.raises(ValueError, match="Invalid mode 'some'"):
        keras.RematScope(mode="some")


def test_version():
    assert keras.version() == keras.__version__
