"""Low-rank adaptation (Hu et al. 2021): a frozen kernel, plus the product of two small trainable ones."""

from typing import Any

from kerasish import initializers, ops
from kerasish.layers.layer import Layer


class LowRankKernel(Layer):
    """The base of layers whose `kernel` may be adapted. They put it into `_kernel`, and call `_enable_lora_if_asked`
    at the end of `build`.

    Files hold the kernel with its adaptation merged in, and loading one starts a new adaptation.
    """

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

    @property
    def kernel(self) -> Any:
        """The kernel, with its adaptation where there is one."""
        if not self.built:
            raise AttributeError("You must build the layer before accessing `kernel`.")
        if not self.lora_enabled:
            return self._kernel
        change = ops.matmul(self.lora_kernel_a, self.lora_kernel_b)
        return ops.cast(ops.add(self._kernel, ops.multiply(self.lora_alpha / self.lora_rank, change)), self.compute_dtype)

    def enable_lora(
        self, rank: int, lora_alpha: Any = None, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros"
    ) -> None:
        """Freeze the kernel, and train `lora_alpha / rank` times a product of this rank that is added to it."""
        if self.kernel_constraint:
            raise ValueError(
                "Lora is incompatible with kernel constraints. In order to enable lora on this layer, remove the "
                f"`kernel_constraint` argument. Received: kernel_constraint={self.kernel_constraint}"
            )
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built. Call it, or `build` it, first.")
        if self.lora_enabled:
            raise ValueError("lora is already enabled. This can only be done once per layer.")
        *lead, last = self._kernel.shape
        object.__setattr__(self, "_locked", False)
        # in float32, whatever the kernel's dtype is: small steps must not be lost
        for name, shape, initializer in (
            ("lora_kernel_a", (*lead, rank), a_initializer),
            ("lora_kernel_b", (rank, last), b_initializer),
        ):
            weight = self.add_weight(
                name=name,
                shape=shape,
                initializer=initializers.get(initializer),
                dtype="float32",
                regularizer=self.kernel_regularizer,
            )
            setattr(self, name, weight)
        object.__setattr__(self, "_locked", True)
        self._kernel.trainable = False
        self.lora_enabled = True
        self._take_lora(rank, lora_alpha)

    def _enable_lora_if_asked(self) -> None:
        if self.lora_rank:
            self.built = True
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def save_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            return super().save_own_variables(store)
        store["0"] = ops.convert_to_numpy(self.kernel)
        if self.bias is not None:
            store["1"] = self.bias.numpy()

    def load_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            return super().load_own_variables(store)
        self._kernel.assign(store["0"])
        if self.bias is not None:
            self.bias.assign(store["1"])
        for adapted in (self.lora_kernel_a, self.lora_kernel_b):
            adapted.assign(ops.zeros(adapted.shape))
