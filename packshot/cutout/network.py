"""Run the segmentation network on ONNX Runtime, OpenVINO or in a rembg session, from a file with a verified checksum.

rembg stretches each prediction to the full range, so that an empty mask looks full. This module reads the network's raw
probabilities instead, also in a rembg session. ONNX Runtime gives the same bits with and without rembg. rembg is
imported only if it is asked for, because its import compiles numeric kernels. Models are always loaded from a local
file: nothing is downloaded or sent.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from contextlib import nullcontext
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.errors import ModelError
from packshot.types import FloatImage, Matte, Pixels8


class Engine(StrEnum):
    """The library that runs the segmentation network on the processor.

    AUTO is OpenVINO if it is installed, else ONNX Runtime. ONNXRUNTIME and OPENVINO are these libraries. REMBG is ONNX
    Runtime in a session of the rembg package.
    """

    AUTO = "auto"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    REMBG = "rembg"


class Segmenter(Protocol):
    """A segmentation network in memory: it predicts where the product is. `load_segmenter` makes it.

    Attributes:
        model: the model's name, for example "isnet-general-use".
        fingerprint: first 12 hex digits of the model file's SHA-256.
        engine: the library that runs it, a value of `Engine`.
        precision: number format of the computation, "float32" or "bfloat16".
    """

    @property
    def model(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def precision(self) -> str: ...

    def predict(self, rgb: Pixels8) -> Matte:
        """Return the probability of product, (n, n) float32 in 0..1; n is the network's input size in pixels.

        The picture is stretched to a square first, so the prediction does not have its aspect ratio.

        Args:
            rgb: (rows, columns, 3) uint8, sRGB, of any size and aspect ratio.
        """
        ...


class _Recipe(NamedTuple):
    """Input size and normalisation of a network: (pixel / brightest - mean) / deviation."""

    side_px: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


_RECIPES = {
    "isnet-general-use": _Recipe(1024, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
    "u2netp": _Recipe(320, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


_PROVIDERS = ["CPUExecutionProvider"]


def load_segmenter(
    model: str, file: Path, *, sha256: str, engine: Engine | str = Engine.AUTO, threads: int = 0
) -> Segmenter:
    """Return a segmentation network loaded from a file. Nothing is downloaded.

    Args:
        model: "isnet-general-use" (input of 1024 px) or "u2netp" (320 px), the models' names in rembg.
        file: the model's file, in ONNX format.
        sha256: expected checksum of the file, hex.
        engine: the library that runs it, as an `Engine` or its value, such as "onnxruntime". AUTO is OpenVINO if it is
            installed, else ONNX Runtime.
        threads: processor threads per prediction; as many predictions run at once as are asked for. 0 means all cores,
            and one prediction at a time: other calls wait.
    Raises:
        ModelError: the model is not one of the two, its file is missing or has another checksum, the engine is not
            known, or OpenVINO is asked for by name and not installed.
    """
    if model not in _RECIPES:
        raise ModelError(
            "this rembg session is not allowed",
            model,
            allowed=", ".join(sorted(_RECIPES)),
            next_step="Use one of these. Others send pictures to a server, or their licence forbids commercial use.",
        )
    if engine not in list(Engine):
        raise ModelError(
            "there is no such engine",
            model,
            found=str(engine) or "an empty name",
            allowed=", ".join(Engine),
            next_step="Use one of these, or leave the engine at auto.",
        )
    _check_file(file, sha256)
    installed = find_spec("openvino") is not None
    if engine == Engine.OPENVINO and not installed:
        raise ModelError(
            "this engine is not installed",
            model,
            found=str(engine),
            allowed="auto, onnxruntime, rembg",
            next_step="Install it with `pip install packshot[openvino]`, or leave the engine at auto.",
        )
    if engine == Engine.REMBG:
        return _RembgSegmenter(model, file, fingerprint=sha256[:12], threads=threads)
    if installed and engine != Engine.ONNXRUNTIME:
        return _OpenVinoSegmenter(model, file, fingerprint=sha256[:12], threads=threads)
    return _OnnxSegmenter(model, file, fingerprint=sha256[:12], threads=threads)


def _check_file(file: Path, sha256: str) -> None:
    """Raise ModelError unless the file exists and has the expected checksum."""
    if not file.is_file():
        raise ModelError("the model file is missing", str(file), next_step="Run `packshot models fetch`.")
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(
            "the model file is not the one expected",
            str(file),
            found=f"SHA-256 {found}",
            allowed=sha256,
            next_step="Delete it and run `packshot models fetch`.",
        )


class _LoadedSegmenter(ABC):
    """A network in memory. `predict` may be called from several threads."""

    engine: str
    precision: str

    def __init__(self, model: str, *, fingerprint: str, threads: int) -> None:
        self.model = model
        self.fingerprint = fingerprint
        self._recipe = _RECIPES[model]
        self._turn = Lock() if threads == 0 else nullcontext()

    def predict(self, rgb: Pixels8) -> Matte:
        side = (self._recipe.side_px, self._recipe.side_px)
        small = cv2.resize(rgb, side, interpolation=cv2.INTER_AREA).astype(np.float32)
        mean, deviation = (np.asarray(values, np.float32) for values in self._recipe[1:])
        scaled = (small / max(float(small.max()), 1e-6) - mean) / deviation
        with self._turn:  # a prediction takes every core and a gigabyte
            prediction = self._run(np.ascontiguousarray(scaled.transpose(2, 0, 1)[None]))
        probability: Matte = np.clip(np.asarray(prediction, np.float32)[0, 0], 0, 1)
        return probability

    @abstractmethod
    def _run(self, batch: FloatImage) -> Any:
        """Return the network's first output, (1, 1, n, n), for an input of (1, 3, n, n)."""


class _OnnxSegmenter(_LoadedSegmenter):
    """A network on ONNX Runtime."""

    engine = Engine.ONNXRUNTIME.value
    precision = "float32"

    def __init__(self, model: str, file: Path, *, fingerprint: str, threads: int) -> None:
        super().__init__(model, fingerprint=fingerprint, threads=threads)
        self._network = self._opened(file, _options(threads))
        self._input = self._network.get_inputs()[0].name

    def _opened(self, file: Path, options: Any) -> Any:
        """Return the file as an ONNX Runtime session."""
        import onnxruntime

        return onnxruntime.InferenceSession(file, options, providers=_PROVIDERS)

    def _run(self, batch: FloatImage) -> Any:
        return self._network.run(None, {self._input: batch})[0]


class _RembgSegmenter(_OnnxSegmenter):
    """A network in a rembg session, which runs it on ONNX Runtime."""

    engine = Engine.REMBG.value

    def _opened(self, file: Path, options: Any) -> Any:
        return _rembg_session(self.model, file, options).inner_session


class _OpenVinoSegmenter(_LoadedSegmenter):
    """A network on OpenVINO.

    It runs in bfloat16 where the processor supports that and a test picture is still segmented well, else in float32.
    """

    engine = Engine.OPENVINO.value

    def __init__(self, model: str, file: Path, *, fingerprint: str, threads: int) -> None:
        super().__init__(model, fingerprint=fingerprint, threads=threads)
        core = import_module("openvino").Core()
        core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads})
        network = core.read_model(file)
        self.precision = "float32"
        if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            self._network = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
            if self._finds_a_disc():
                self.precision = "bfloat16"
                return
        self._network = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def _run(self, batch: FloatImage) -> Any:
        # One inference request per call: a request must not be shared between threads.
        return self._network.create_infer_request().infer([batch])[0]

    def _finds_a_disc(self) -> bool:
        """Return whether a drawn disc is segmented well: on some processors bfloat16 spoils a network's output."""
        y, x = np.mgrid[0:512, 0:512]
        disc = np.hypot(y - 256, x - 256) < 150
        picture = np.where(disc[..., None], (150, 40, 30), (205, 205, 205)).astype(np.uint8)
        found = to_size(self.predict(picture), (512, 512)) > 0.5
        return float((found & disc).sum()) > 0.9 * float((found | disc).sum())


def _options(threads: int) -> Any:
    """Return ONNX Runtime's options of a session."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False  # as fast without, in two thirds of the memory
    return options


def _rembg_session(model: str, file: Path, options: Any) -> Any:
    """Return a rembg session on this file.

    Without the override rembg would look for a file of its own, or download one.
    """
    from rembg.sessions.dis_general_use import DisSession
    from rembg.sessions.u2netp import U2netpSession

    kind: Any = {"isnet-general-use": DisSession, "u2netp": U2netpSession}[model]

    class Placed(kind):  # type: ignore[misc]  # rembg's classes are untyped
        @classmethod
        def download_models(cls, *_: object, **__: object) -> str:
            return str(file)

    return Placed(model, options, providers=_PROVIDERS)


def to_size(probability: NDArray[np.float32], size: tuple[int, int]) -> Matte:
    """Return a prediction of the segmentation network at another size, (rows, columns) float32 in 0..1.

    It is resized by linear interpolation.

    Args:
        probability: (n, n) float32 in 0..1, as `Segmenter.predict` returns it.
        size: (width, height) of the result, in pixels.
    """
    resized: Matte = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    return resized
