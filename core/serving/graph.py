"""An ONNX graph under construction: nodes are added one by one and named by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

OPSET = 18
"""The oldest in which every reduction takes its axes as an input."""
_IR = 10


class Graph:
    """Nodes and constants of a graph; what `add` and `constant` return is a value's name."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, npt.NDArray[Any]] = {}

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output that is used further."""
        from onnx import helper

        name = f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, values: npt.ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """An array that is part of the model."""
        name = f"constant_{len(self._constants)}"
        self._constants[name] = np.ascontiguousarray(np.asarray(values, dtype=dtype))
        return name

    def whole(self, *numbers: int) -> str:
        """Whole numbers, as axes, shapes and places are given."""
        return self.constant(numbers, np.int64)

    def linear(self, x: str, weight: npt.ArrayLike, bias: npt.ArrayLike) -> str:
        """x W' + b along the last axis, weights as PyTorch keeps them."""
        product = self.add("MatMul", x, self.constant(np.asarray(weight).T))
        return self.add("Add", product, self.constant(bias))

    def model(self, inputs: Sequence[Any], output: tuple[str, Any], about: dict[str, str]) -> bytes:
        """The finished model; ``output`` is the value that is its result, and what it is."""
        import onnx
        from onnx import helper, numpy_helper

        value, info = output
        result = helper.make_node("Identity", [value], [info.name])
        constants = [numpy_helper.from_array(a, name) for name, a in self._constants.items()]
        nodes = [*self._nodes, result]
        graph = helper.make_graph(nodes, "encoder", list(inputs), [info], constants)
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR,
            producer_name="SegmentLab",
        )
        helper.set_model_props(made, about)
        onnx.checker.check_model(made, full_check=True)
        payload: bytes = made.SerializeToString(deterministic=True)
        return payload
