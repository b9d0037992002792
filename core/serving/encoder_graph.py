"""An encoder as an ONNX graph: what PyTorch computes, written down operation by operation.

Written by hand rather than traced: every operation has its counterpart in ONNX, so batch and
length are free by construction, and it takes milliseconds instead of half a minute. Whether it is
the same is not believed but checked before anything is written (`core.serving.exporting`). Letters
in shapes: B users, T events of each, H width, D numbers of a point.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.artifacts import FloatArray
from core.representations.encoder import EventEncoder
from core.representations.encoder_cells import Convolutions, Recurrent
from core.representations.inputs import NUMERIC_INPUTS, PREDICTED
from core.representations.pooling import Pooling
from core.representations.trained import Trained
from core.serving.graph import Graph

OUTPUT = "point"
_LOWEST = -1e30
_TO_THE_END = np.iinfo(np.int64).max
_GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""Where the gates of ONNX stand in PyTorch's order."""
_WIDE = {"numeric": NUMERIC_INPUTS, "classes": len(PREDICTED) + 1}
"""Inputs that are several numbers per event."""


def input_names(encoder: EventEncoder) -> list[str]:
    """What the model of an encoder is fed, by the names of `EventBatch`."""
    names = ["action", "category", "platform", "daypart"]
    names += ["recent"] if encoder.recent else []
    names += list(encoder.projections)
    names += ["common_item"] if encoder.items else []
    names += ["classes"] if encoder.told else []
    return [*names, "numeric", "real"]


def build(trained: Trained, about: dict[str, str]) -> bytes:
    """The encoder as an ONNX model with free batch and length; ``about`` is kept in it."""
    from onnx import TensorProto, helper

    kinds = {"numeric": TensorProto.FLOAT, "real": TensorProto.BOOL}
    inputs = [
        helper.make_tensor_value_info(
            name, kinds.get(name, TensorProto.INT64), ["batch", "events", *_width(name)]
        )
        for name in input_names(trained.encoder)
    ]
    graph, encoder = Graph(), trained.encoder
    hidden = _cell(graph, encoder.cell, _read(graph, encoder))  # (B, T, H)
    point = _point(graph, _pooled(graph, encoder.pool, hidden), trained)
    n_numbers = trained.axes.shape[1]
    result = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", n_numbers])
    return graph.model(inputs, (point, result), about)


def _width(name: str) -> list[int]:
    return [_WIDE[name]] if name in _WIDE else []


def _read(graph: Graph, encoder: EventEncoder) -> str:
    """All that is read of every event, (B, T, input width), in the order of `EventEncoder`."""
    read = [_looked_up(graph, getattr(encoder, n), n) for n in ("action", "category", "platform")]
    read.append(_looked_up(graph, encoder.daypart, "daypart"))
    if encoder.told:
        read.append(_numbers(graph, encoder))
    if encoder.recent:
        read.append(_looked_up(graph, encoder.recent, "recent"))
    read.append("numeric")
    for name, projection in encoder.projections.items():
        table = _array(encoder.get_buffer(f"{name}_vectors")) @ _array(projection.weight).T
        read.append(graph.add("Gather", graph.constant(table), name, axis=0))
    if encoder.items:
        read.append(_looked_up(graph, encoder.items.table, "common_item"))
    return graph.add("Concat", *read, axis=2)


def _looked_up(graph: Graph, embedding: Any, codes: str) -> str:
    return graph.add("Gather", graph.constant(_array(embedding.weight)), codes, axis=0)


def _numbers(graph: Graph, encoder: EventEncoder) -> str:
    """The classes of pauses, durations and prices, looked up in one table."""
    at = graph.whole(*(PREDICTED.index(name) for name in encoder.told))
    own = graph.add("Gather", "classes", at, axis=2)  # (B, T, N)
    first = graph.whole(*_array(encoder.get_buffer("first_class")).tolist())
    found = _looked_up(graph, encoder.number, graph.add("Add", own, first))
    width = len(encoder.told) * encoder.number.embedding_dim
    return graph.add("Reshape", found, graph.whole(0, 0, width))


def _cell(graph: Graph, cell: Recurrent | Convolutions, x: str) -> str:
    return _recurrent(graph, cell, x) if isinstance(cell, Recurrent) else _convolved(graph, cell, x)


def _recurrent(graph: Graph, cell: Recurrent, x: str) -> str:
    """States (B, T, H) of inputs (B, T, W): ONNX has time first, and gates in another order."""
    net = cell.net
    op = net.mode.removesuffix("_TANH")
    order = {"linear_before_reset": 1} if op == "GRU" else {}
    x = graph.add("Transpose", x, perm=[1, 0, 2])
    for layer in range(net.num_layers):
        own = {kind: _array(net.get_parameter(f"{kind}_l{layer}")) for kind in _KINDS}
        w, r, wb, rb = (_gates(own[kind], op) for kind in _KINDS)
        bias = np.concatenate([wb, rb])
        weights = [graph.constant(part[None]) for part in (w, r, bias)]
        y = graph.add(op, x, *weights, hidden_size=net.hidden_size, **order)  # (T, 1, B, H)
        x = graph.add("Squeeze", y, graph.whole(1))
    return graph.add("Transpose", x, perm=[1, 0, 2])


_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _gates(values: FloatArray, op: str) -> FloatArray:
    order = _GATES[op]
    return np.concatenate([np.split(values, len(order))[place] for place in order])


def _convolved(graph: Graph, cell: Convolutions, x: str) -> str:
    """States (B, T, H) of causal convolutions: three looks back, as far apart as the dilation."""
    hidden = graph.linear(x, _array(cell.enter.weight), _array(cell.enter.bias))
    for dilation, tap, norm in zip(cell.dilations, cell.taps, cell.norms, strict=True):
        reach = 2 * dilation
        seen = graph.add("Pad", hidden, graph.whole(0, reach, 0, 0, 0, 0))
        ends = (-reach, -dilation, _TO_THE_END)
        looks = [
            graph.add("Slice", seen, graph.whole(t * dilation), graph.whole(end), graph.whole(1))
            for t, end in enumerate(ends)
        ]
        together = graph.add("Concat", *looks, axis=2)
        found = graph.linear(together, _array(tap.weight), _array(tap.bias))
        summed = graph.add("Add", hidden, graph.add("Relu", found))
        scale, shift = graph.constant(_array(norm.weight)), graph.constant(_array(norm.bias))
        hidden = graph.add("LayerNormalization", summed, scale, shift, axis=-1, epsilon=norm.eps)
    return hidden


def _pooled(graph: Graph, pool: Pooling, hidden: str) -> str:
    """The pooled state (B, H) over the real events only; zeros where none is real."""
    real = graph.add("Cast", "real", to=1)  # (B, T) as numbers
    weight = real
    if pool.kind == "attention":
        query = _array(pool.query) / math.sqrt(len(pool.query))
        scores = graph.add("MatMul", hidden, graph.constant(query))
        scores = graph.add("Where", "real", scores, graph.constant(_LOWEST))
        top = graph.add("ReduceMax", scores, graph.whole(1), keepdims=1)
        weight = graph.add("Mul", graph.add("Exp", graph.add("Sub", scores, top)), real)
    elif pool.kind == "last":
        so_far = graph.add("CumSum", real, graph.constant(1, np.int64))
        n_real = graph.add("ReduceSum", real, graph.whole(1), keepdims=1)
        is_last = graph.add("Cast", graph.add("Equal", so_far, n_real), to=1)
        weight = graph.add("Mul", is_last, real)
    spread = graph.add("Unsqueeze", weight, graph.whole(2))  # (B, T, 1)
    total = graph.add("ReduceSum", graph.add("Mul", hidden, spread), graph.whole(1), keepdims=0)
    return graph.add("Div", total, _or_one(graph, graph.add("ReduceSum", weight, graph.whole(1))))


def _point(graph: Graph, state: str, trained: Trained) -> str:
    """The point (B, D) of a pooled state (B, H), see `core.representations.space`."""
    length = graph.add("ReduceL2", state, graph.whole(1))
    direction = graph.add("Div", state, _or_one(graph, length))
    moved = graph.add("Sub", direction, graph.constant(trained.centre))
    point = graph.add("MatMul", moved, graph.constant(trained.axes))
    some = graph.add("Greater", length, graph.constant(0.0))
    return graph.add("Where", some, point, graph.constant(0.0))


def _or_one(graph: Graph, values: str) -> str:
    """The values, with 1 in place of 0: to divide by."""
    some = graph.add("Greater", values, graph.constant(0.0))
    return graph.add("Where", some, values, graph.constant(1.0))


def _array(tensor: Any) -> FloatArray:
    values: FloatArray = tensor.detach().cpu().numpy()
    return values
