"""Low-rank adaptation (Hu et al. 2021): a frozen kernel, plus the product of two small trainable ones."""

from typing import Any

from kerasish import initializers, ops
from kerasish.layers.layer import Layer


class LowRankAdapted(Layer):
    """The base of layers with a weight that may be adapted: `adapted` is its name. They put it into an attribute of that name
    with an underscore before it, and call `_enable_lora_if_asked` at the end of `build`.

    Files hold the kernel with its adaptation merged in, and loading one starts a new adaptation.
    """

    adapted = "kernel"
    lora_enabled = False

    def _take_lora(self, rank: int | None, alpha: Any) -> None:
        self.lora_rank = rank
        self.lora_alpha = alpha if alpha is not None else rank

    _not_in_config: tuple = ("lora_rank", "lora_alpha")

    def get_config(self) -> dict:
        config = super().get_config()
        if self.lora_rank:
            config |= {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
        return config

    def _own(self, suffix: str) -> Any:
        """The factor `suffix`, "a" or "b"."""
        return getattr(self, f"lora_{self.adapted}_{suffix}")

    def _adapted(self) -> Any:
        """The weight, with its adaptation where there is one."""
        if not self.built:
            raise AttributeError(f"You must build the layer before accessing `{self.adapted}`.")
        weight = getattr(self, f"_{self.adapted}")
        if not self.lora_enabled:
            return weight
        change = ops.matmul(self._own("a"), self._own("b"))
        return ops.cast(ops.add(weight, ops.multiply(self.lora_alpha / self.lora_rank, change)), self.compute_dtype)

    def enable_lora(
        self, rank: int, lora_alpha: Any = None, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros"
    ) -> None:
        """Freeze the kernel, and train `lora_alpha / rank` times a product of this rank that is added to it."""
        constraint = getattr(self, f"{self.adapted}_constraint")
        if constraint:
            raise ValueError(
                f"Lora is incompatible with {self.adapted} constraints. In order to enable lora on this layer, remove the "
                f"`{self.adapted}_constraint` argument. Received: {self.adapted}_constraint={constraint}"
            )
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built. Call it, or `build` it, first.")
        if self.lora_enabled:
            raise ValueError("lora is already enabled. This can only be done once per layer.")
        weight = getattr(self, f"_{self.adapted}")
        *lead, last = weight.shape
        object.__setattr__(self, "_locked", False)
        # in float32, whatever the kernel's dtype is: small steps must not be lost
        for name, shape, initializer in (
            (f"lora_{self.adapted}_a", (*lead, rank), a_initializer),
            (f"lora_{self.adapted}_b", (rank, last), b_initializer),
        ):
            factor = self.add_weight(
                name=name,
                shape=shape,
                initializer=initializers.get(initializer),
                dtype="float32",
                regularizer=getattr(self, f"{self.adapted}_regularizer"),
            )
            setattr(self, name, factor)
        object.__setattr__(self, "_locked", True)
        weight.trainable = False
        self.lora_enabled = True
        self._take_lora(rank, lora_alpha)

    def _enable_lora_if_asked(self) -> None:
        if self.lora_rank:
            self.built = True
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def save_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            return super().save_own_variables(store)
        store["0"] = ops.convert_to_numpy(self._adapted())
        if getattr(self, "bias", None) is not None:
            store["1"] = self.bias.numpy()

    def load_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            return super().load_own_variables(store)
        getattr(self, f"_{self.adapted}").assign(store["0"])
        if getattr(self, "bias", None) is not None:
            self.bias.assign(store["1"])
        for factor in (self._own("a"), self._own("b")):
            factor.assign(ops.zeros(factor.shape))


class LowRankKernel(LowRankAdapted):
    """The base of layers whose `kernel` may be adapted."""

    @property
    def kernel(self) -> Any:
        """The kernel, with its adaptation where there is one."""
        return self._adapted()
