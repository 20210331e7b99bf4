"""How a layer gets its variables: `build`, from the shapes of what it is first called with."""

import copy
import functools
import inspect
import random
import warnings
from contextlib import nullcontext
from typing import Any, Callable

from kerasish.base import naming, tree
from kerasish.engine.core import suspended
from kerasish.engine.tensor import TensorSpec
from kerasish.engine.trace import infer
from kerasish.layers.calls import calls, is_tensor, shape_of


class Building:
    """The part of Layer that builds."""

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _wrap_build(cls.__dict__["build"])  # type: ignore[method-assign]

    def build(self, input_shape: Any) -> None:
        """Make the variables. The default makes none, or runs `call` on symbolic inputs so that layers inside build."""
        self._check_super_called()
        if self._layers and not all(layer.built for layer in self._layers):
            shapes = input_shape
            single = isinstance(shapes, tuple) and all(d is None or isinstance(d, int) for d in shapes)
            try:
                spec = TensorSpec(shapes, self.compute_dtype) if single else tree.map_shape_structure(
                    lambda s: TensorSpec(s, self.compute_dtype), shapes
                )
                infer(self.call, spec)
            except Exception as e:
                if not all(layer.built for layer in self._layers):
                    warnings.warn(
                        f"`build()` was called on layer '{self.name}', however the layer does not have a `build()` method "
                        f"implemented and its `call` could not be traced ({type(e).__name__}: {e}). Implement "
                        "`def build(self, input_shape)` to create its state.",
                        stacklevel=2,
                    )
        self.built = True

    def _maybe_build(self, args: tuple, kwargs: dict, names: tuple) -> None:
        if self.built:
            return
        self._check_super_called()
        with naming.name_scope(self.name) if self._outside_own_scope() else nullcontext():
            object.__setattr__(self, "_path", naming.current_path())
            bound = dict(zip(names, args, strict=False)) | kwargs
            tensors = {
                k: v for k, v in bound.items() if k not in ("training", "mask") and any(map(is_tensor, tree.flatten(v)))
            }
            shapes = {k: tree.map_structure(lambda t: shape_of(t) if is_tensor(t) else None, v) for k, v in tensors.items()}
            build = type(self).build
            wanted = [p for p in inspect.signature(build).parameters if p not in ("self", "args", "kwargs")]
            if build is Building.build:
                # without a build of its own: layers inside are built by tracing the call once
                if self._layers and not all(layer.built for layer in self._layers):
                    self._trace_call(args, kwargs)
                self._build_shapes_dict = {k: plain(v) for k, v in shapes.items()} or None
                if len(shapes) == 1:
                    self._build_shapes_dict = {"input_shape": next(iter(shapes.values()))}
                self.built = True
            elif len(wanted) > 1 or (wanted and wanted[0].removesuffix("_shape") in shapes and len(shapes) > 1):
                self.build(**{w: shapes.get(w.removesuffix("_shape")) for w in wanted})
            else:
                self.build(next(iter(shapes.values()), None))
            self.built = True
        object.__setattr__(self, "_locked", True)

    def _sketch(self, args: tuple, kwargs: dict, names: tuple) -> Any:
        """A copy of this layer that is built for these inputs, with variables of the right shapes that hold nothing."""
        shared = {id(v): v for v in self.variables}
        for layer in self._flatten_layers():
            shared |= {id(nodes): nodes for nodes in (layer._inbound_nodes, layer._outbound_nodes)}
        copied = copy.deepcopy(self, shared)
        seeds = random.getstate()  # seeds that are not given come from there
        calls.sketching = True
        try:
            copied._maybe_build(args, kwargs, names)
        finally:
            calls.sketching = False
            random.setstate(seeds)
        return copied

    def _outside_own_scope(self) -> bool:
        path = naming.current_path()
        return path.split("/")[-1] != self.name

    def _trace_call(self, args: tuple, kwargs: dict) -> None:
        def spec(x: Any) -> Any:
            return TensorSpec(shape_of(x), x.dtype) if is_tensor(x) else x

        infer(self.call, *tree.map_structure(spec, args), **tree.map_structure(spec, kwargs))

    def get_build_config(self) -> dict | None:
        """The shapes the layer was built with, for `build_from_config`."""
        if self._build_shapes_dict is None:
            return None
        if len(self._build_shapes_dict) == 1:
            return {"input_shape": next(iter(self._build_shapes_dict.values()))}
        return {"shapes_dict": self._build_shapes_dict}

    def build_from_config(self, config: dict) -> None:
        """Build with the shapes of `get_build_config`."""
        if not config:
            return
        with naming.name_scope(self.name) if self._outside_own_scope() else nullcontext():
            if "input_shape" in config:
                self.build(tupled(config["input_shape"]))
            elif "shapes_dict" in config:
                shapes = {k: tupled(v) for k, v in config["shapes_dict"].items()}
                wanted = inspect.signature(type(self).build).parameters
                self.build(**shapes) if all(k in wanted for k in shapes) else self.build(next(iter(shapes.values())))
        self.built = True


def _wrap_build(build: Callable) -> Callable:
    """A layer's build under its name scope, which keeps the shapes it was given."""
    if getattr(build, "_wrapped", False):
        return build

    @functools.wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        self._check_super_called()
        with naming.name_scope(self.name) if self._outside_own_scope() else nullcontext():
            object.__setattr__(self, "_path", naming.current_path())
            names = [p for p in inspect.signature(build).parameters if p != "self"]
            shapes = dict(zip(names, args, strict=False)) | kwargs
            object.__setattr__(self, "_build_shapes_dict", {k: plain(v) for k, v in shapes.items()})
            with suspended():  # what variables start with is a number, also where the call around is being traced
                build(self, *args, **kwargs)
        self.built = True

    wrapped._wrapped = True  # type: ignore[attr-defined]
    return wrapped


def plain(shape: Any) -> Any:
    return tuple(shape) if isinstance(shape, list) and all(d is None or isinstance(d, int) for d in shape) else shape


def tupled(shape: Any) -> Any:
    """A shape from JSON, where tuples became lists."""
    if isinstance(shape, dict):
        return {k: tupled(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(d is None or isinstance(d, int) for d in shape):
            return tuple(shape)
        return [tupled(s) for s in shape]
    return shape
