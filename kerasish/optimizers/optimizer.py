"""Optimizer: what all have in common. A subclass is its slots and an `update_step`.

Where `update_step` treats every element alike (`elementwise = True` beside it), the variables are laid in one flat
array, an arena, and the step is done once for all of them.
"""

import warnings
from typing import Any, Sequence

import numpy as np

from kerasish import initializers, ops
from kerasish.base import naming
from kerasish.base.registry import export
from kerasish.engine import primitives as P
from kerasish.engine.variable import Arena, StatelessScope, Variable, flush_subnormals, in_stateless_scope, is_float
from kerasish.optimizers.schedules import LearningRateSchedule
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def weighted_sum(a: Any, x: Any, b: Any, y: Any) -> Any:
    """a * x + b * y, for arrays of one shape and single numbers: the step of most running means, in one pass."""
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    x = ops.cast(x, y.dtype)
    return P.weighted_sum(x, y, ops.cast(a, y.dtype), ops.cast(b, y.dtype))


@export("keras.Optimizer", "keras.optimizers.Optimizer")
class Optimizer:
    """The base of optimizers: override `build` (slots) and `update_step(gradient, variable, learning_rate)`."""

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "Argument `decay` is no longer supported and will be ignored. Pass a schedule as `learning_rate` instead.",
                stacklevel=3,
            )
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        self.name = name or naming.auto_name(type(self).__name__)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.use_ema, self.ema_momentum = global_clipnorm, use_ema, ema_momentum
        self.ema_overwrite_frequency, self.loss_scale_factor = ema_overwrite_frequency, loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}")
        for value, what in ((clipnorm, "clipnorm"), (clipvalue, "clipvalue"), (global_clipnorm, "global_clipnorm")):
            if value is not None and value <= 0:
                raise ValueError(f"`{what}` must be a positive number. Received: {what}={value}")
        if sum(v is not None for v in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: clipnorm={clipnorm}, "
                f"clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. "
                f"Received: gradient_accumulation_steps={gradient_accumulation_steps}"
            )
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._slot_lists: list[list] = []
        self._arenas: list[Arena] = []
        self._excluded: set[int] = set()
        self._excluded_names: list[str] = []
        with naming.name_scope(self.name):
            self._iterations = Variable(0, name="iteration", dtype="int32", trainable=False, aggregation="only_first_replica")
            self._variables.append(self._iterations)
            if isinstance(learning_rate, dict):
                learning_rate = deserialize_keras_object(learning_rate)
            if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate):
                self._learning_rate: Any = learning_rate
            else:
                if not isinstance(learning_rate, (int, float, np.generic)):
                    raise ValueError(
                        "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable. "
                        f"Received instead: learning_rate={learning_rate}"
                    )
                self._learning_rate = Variable(
                    float(learning_rate), name="learning_rate", dtype="float32", trainable=False,
                    aggregation="only_first_replica",
                )  # fmt: skip
                self._variables.append(self._learning_rate)

    # -- state --------------------------------------------------------------------------------------------------------

    @property
    def iterations(self) -> Any:
        """How many steps have been made: batches, or with gradient accumulation groups of them."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def variables(self) -> list[Variable]:
        """The step, the learning rate, and the slots."""
        return list(self._variables)

    @property
    def learning_rate(self) -> Any:
        """The current rate; assigning a number sets it."""
        return self._current_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Variable)):
            if isinstance(self._learning_rate, Variable):
                self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = value
        elif not isinstance(self._learning_rate, Variable):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, you "
                "should instantiate the optimizer with a float `learning_rate` argument."
            )
        else:
            self._learning_rate.assign(value)

    lr = learning_rate

    def _current_rate(self) -> Any:
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        return self._learning_rate()

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these variables. Overridden by what has slots, which calls this first."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._index = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(v, name="gradient_accumulator") for v in variables
            ]
        self.built = True

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: str = "none", layout: Any = None,
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A further variable of the optimizer. `layout` is for distributions, of which there is one device here."""
        del layout
        with naming.name_scope(self.name):
            v = Variable(
                initializers.get(initializer), shape=shape, dtype=dtype, trainable=False, aggregation=aggregation, name=name
            )
        self._variables.append(v)
        return v

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the shape and dtype of another: a slot."""
        path = getattr(reference_variable, "path", None) or reference_variable.name
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable._dtype,
            name=f"{path}_{name}".replace("/", "_"),
        )  # fmt: skip

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """A slot for each variable, or several where `name` is a list; lists in the order of the variables.

        A variable that its gradient overwrites needs none, and has None in the lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = [initializer] * len(names) if isinstance(initializer, str) else list(initializer)
        lists: list[list] = [[] for _ in names]
        for v in trainable_variables:
            for slots, n, start in zip(lists, names, starts, strict=True):
                slots.append(None if v.overwrite_with_gradient else self.add_variable_from_reference(v, n, start))
        self._slot_lists.extend(lists)
        return lists[0] if isinstance(name, str) else tuple(lists)

    def _get_variable_index(self, variable: Variable) -> int:
        return self._index[id(variable)]

    # -- one flat step for many variables -----------------------------------------------------------------------------

    def _is_elementwise(self) -> bool:
        owner = next(c for c in type(self).__mro__ if "update_step" in c.__dict__)
        return bool(owner.__dict__.get("elementwise", False))

    def _make_arenas(self) -> None:
        """Lay variables of one dtype (and one treatment by weight decay) end to end, and their slots alike."""
        if not self._is_elementwise() or self._arenas or in_stateless_scope():
            return
        groups: dict[tuple, list[int]] = {}
        for i, v in enumerate(self._trainable_variables):
            if v._arena is None and is_float(v._dtype) and not v.overwrite_with_gradient:
                groups.setdefault((v._dtype, self._use_weight_decay(v)), []).append(i)
        for members in groups.values():
            if len(members) < 2:
                continue
            arena = Arena([self._trainable_variables[i] for i in members], name=f"{self.name}_arena")
            place = len(self._trainable_variables) + len(self._arenas)
            for slots in self._slot_lists:
                slots.append(Arena([slots[i] for i in members]).flat)
            self._index[id(arena.flat)] = place
            self._arenas.append(arena)

    def _grouped(self, grads: list, variables: list) -> list[tuple[Any, Variable]]:
        """Pairs of gradient and variable, with whole arenas in place of their members where all are there."""
        by_id = {id(v): g for g, v in zip(grads, variables, strict=True)}
        pairs = []
        # a stateless scope holds values of the variables themselves, not of the arrays that they lie in
        for arena in [] if in_stateless_scope() else self._arenas:
            if all(id(m) in by_id for m in arena.members):
                pairs.append((arena.pack([by_id.pop(id(m)) for m in arena.members]), arena.flat))
        return pairs + [(by_id[id(v)], v) for v in variables if id(v) in by_id]

    # -- applying -----------------------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Any) -> Any:
        """Apply pairs of a gradient and its variable; returns the iterations."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._iterations

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Update the variables by the gradients, in the order of `trainable_variables` (default: as built)."""
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must already be built on a list of "
                    "variables. Call `optimizer.build(trainable_variables)` first."
                )
            variables = list(self._trainable_variables)
        else:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
            unknown = [v for v in variables if id(v) not in self._index]
            if unknown:
                raise ValueError(
                    f"Unknown variable: {unknown[0]!r}. This optimizer can only be called for the variables it was "
                    "originally built with. When working with a new set of variables, you should recreate a new "
                    "optimizer instance."
                )
        if len(grads) != len(variables):
            raise ValueError(
                "When passing `grads` as a list, its length must match that of the variables: "
                f"received {len(grads)} gradients for {len(variables)} variables."
            )
        self._make_arenas()
        given = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not given:
            raise ValueError("No gradients provided for any variable.")
        if len(given) < len(variables):
            missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If using `model.compile()`, "
                "did you forget to provide a `loss` argument?",
                stacklevel=2,
            )
        grads, variables = [g for g, _ in given], [v for _, v in given]
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        if not self.gradient_accumulation_steps:
            self._apply(grads, variables)
        else:
            steps = self.gradient_accumulation_steps
            sums = [self._accumulated_gradients[self._get_variable_index(v)] for v in variables]
            due = ops.equal(ops.mod(self._iterations + 1, steps), 0)

            def now() -> None:
                self._apply([(s + g) / steps for s, g in zip(sums, grads, strict=True)], variables)
                for s in sums:
                    s.assign(ops.zeros_like(s))

            def later() -> None:
                for s, g in zip(sums, grads, strict=True):
                    s.assign(s + g)

            ops.cond(due, lambda: (now(), 0)[1], lambda: (later(), 0)[1])
        self._iterations.assign_add(1)

    def _apply(self, grads: list, variables: list) -> None:
        grads = self._clip(grads)
        rate = ops.cast(self._current_rate(), "float32")
        pairs = self._grouped(grads, variables)
        for _, v in pairs:
            decay = self._weight_decay_of(v)
            if decay is not None:
                v.assign(v - v * ops.cast(decay, v._dtype) * ops.cast(rate, v._dtype))
        for g, v in pairs:
            if v.overwrite_with_gradient:
                v.assign(g)
            else:
                self.update_step(g, v, ops.cast(rate, v._dtype))
        if self.use_ema:
            averaged = [(v, self._model_variables_moving_average[self._get_variable_index(v)]) for _, v in pairs]
            averaged = [(v, average) for v, average in averaged if average is not None]
            for v, average in averaged:
                # the first step has nothing to average with
                m = ops.cast(ops.not_equal(self._iterations, 0), average._dtype) * self.ema_momentum
                average.assign(weighted_sum(1 - m, v, m, average))
            if self.ema_overwrite_frequency:
                due = ops.equal(ops.mod(self._iterations + 1, self.ema_overwrite_frequency), 0)
                for v, average in averaged:
                    v.assign(ops.where(due, average, v))
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(v))

    def stateless_apply(self, optimizer_variables: Sequence, grads: Any, trainable_variables: Sequence) -> tuple[list, list]:
        """What `apply(grads)` would make of the variables, had they these values: `(trainable, optimizer_variables)`.

        No variable changes. The optimizer must have been built; values are given in the order of its variables.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its variables must have been "
                "created). You can build it via `optimizer.build(trainable_variables)`."
            )
        own, trained = self.variables, self._trainable_variables
        for values, expected, what in (
            (optimizer_variables, own, "optimizer_variables"),
            (trainable_variables, trained, "trainable_variables"),
        ):
            if len(values) != len(expected):
                raise ValueError(
                    f"Argument `{what}` must be a list of tensors, one for each of the {len(expected)} variables that "
                    f"{type(self).__name__} was built with. Received a list of length {len(values)}."
                )
        mapping = [*zip(trained, trainable_variables, strict=True), *zip(own, optimizer_variables, strict=True)]
        with StatelessScope(state_mapping=mapping) as scope:
            self.apply(grads)
        return [scope.get_current_value(v) for v in trained], [scope.get_current_value(v) for v in own]

    def _clip(self, grads: list) -> list:
        if self.clipnorm:
            return [_clip_by_norm(g, self.clipnorm) for g in grads]
        if self.clipvalue:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if self.global_clipnorm:
            total = sum((ops.sum(ops.square(g)) for g in grads[1:]), ops.sum(ops.square(grads[0])))
            norm = ops.sqrt(total)
            scale = self.global_clipnorm * ops.minimum(1.0 / norm, 1.0 / self.global_clipnorm)
            return [g * ops.cast(scale, g.dtype) for g in grads]
        return grads

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        raise NotImplementedError

    def assign(self, variable: Variable, value: Any) -> None:
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        variable.assign_sub(value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times loss_scale_factor."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Leave variables out of weight decay: these, or those whose path contains one of the names."""
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        self._excluded = {id(v) for v in var_list or ()}
        self._excluded_names = list(var_names or ())

    def _weight_decay_of(self, variable: Variable) -> float | None:
        """By which share of the rate a variable decays at each step, or None."""
        return self.weight_decay if self.weight_decay is not None and self._use_weight_decay(variable) else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        arena = variable._arena
        if arena is not None and variable is arena.flat:
            variable = arena.members[0]
        return id(variable) not in self._excluded and not any(n in variable.path for n in self._excluded_names)

    def end_epoch(self) -> None:
        """What fit has the optimizer do after each epoch: its averages are kept off the numbers processors are slow with."""
        flush_subnormals(self.variables)

    def finalize_variable_values(self, var_list: Any) -> None:
        """At the end of training, put the moving averages in place of the variables, if there are any."""
        if self.use_ema:
            for v in var_list:
                average = self._model_variables_moving_average[self._get_variable_index(v)]
                if average is not None:
                    v.assign(average)

    def save_own_variables(self, store: Any) -> None:
        for i, v in enumerate(self.variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} variables "
                f"whereas the saved optimizer has {len(store.keys())} variables.",
                stacklevel=2,
            )
            return
        for i, v in enumerate(self.variables):
            v.assign(store[str(i)])

    def set_weights(self, weights: Sequence) -> None:
        for v, w in zip(self._variables, weights, strict=True):
            v.assign(w)

    # -- config -------------------------------------------------------------------------------------------------------

    _fields: tuple = ()

    def get_config(self) -> dict:
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        else:
            rate = serialize_keras_object(rate)
        config = {"name": self.name, "learning_rate": rate}
        for k in ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
                  "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"):  # fmt: skip
            config[k] = getattr(self, k)
        return {**config, **{f: getattr(self, f) for f in self._fields}}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(config["learning_rate"], custom_objects=custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _clip_by_norm(g: Any, limit: float) -> Any:
    squares = ops.sum(ops.square(g))
    safe = ops.where(squares > 0, squares, ops.ones_like(squares))
    norm = ops.where(squares > 0, ops.sqrt(safe), squares)
    return g * limit / ops.maximum(norm, limit)
