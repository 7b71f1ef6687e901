"""Export of small networks that lie in the package: one ONNX file, two bytes for each weight.

The arithmetic stays in fp32, which is what processors are quick at: a cast stands after each
weight, and the runtime works it out once, when the file is loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fewclicks.files import written_beside
from fewclicks.training.student import STRIDE, Student

INPUT: Final = "colours"
OUTPUT: Final = "features"
_OPSET: Final = 17
_LEAST_TO_HALVE: Final = 64  # numbers; shapes and scales stay as they are


def export_student(student: Student, path: Path) -> None:
    """Write a student for onnxruntime; takes any height and width that 8 divides.

    Parameters
    ----------
    student
        Is exported as it is when it does not learn.
    path
        Of the file.
    """
    example = torch.zeros(1, 3, 6 * STRIDE, 7 * STRIDE)
    free = {INPUT: {2: "height", 3: "width"}, OUTPUT: {2: "rows", 3: "columns"}}
    write_small_onnx(student, example, path, takes=INPUT, gives=OUTPUT, free=free)


def write_small_onnx(
    network: nn.Module,
    example: Tensor,
    path: Path,
    *,
    takes: str,
    gives: str,
    free: Mapping[str, Mapping[int, str]] | None = None,
) -> None:
    """Write a network of one input and one output as it is when it does not learn.

    Parameters
    ----------
    example
        Of what it takes.
    path
        Of the file.
    takes, gives
        What its input and output are called.
    free
        Axes of either whose length may differ from the example's, each with a name.
    """
    was_training = network.training
    network.eval()
    with written_beside(path) as beside:
        with warnings.catch_warnings():
            # The newer exporter needs one more package, and writes no smaller a graph.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (example,),
                str(beside),
                dynamo=False,
                opset_version=_OPSET,
                input_names=[takes],
                output_names=[gives],
                dynamic_axes=free or {},
            )
        model = onnx.load(beside)
        _halve(model.graph)
        onnx.checker.check_model(model)
        onnx.save(model, beside)
    network.train(was_training)


def _halve(graph: onnx.GraphProto) -> None:
    """Keep weights in fp16, each with a cast behind it."""
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != "float32" or values.size < _LEAST_TO_HALVE:
            continue
        name, halved = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype("float16"), halved))
        casts.append(helper.make_node("Cast", [halved], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
