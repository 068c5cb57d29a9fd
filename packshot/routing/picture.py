"""Recognise the category that a photograph shows, if neither the client nor a word in a text states it.

A small network trained on ImageNet gives a probability for each of 1000 words. `picture_words.json` maps words to
categories. Nothing was trained on customers' photographs. The result can only send a shot to people, never to the
machine.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.transform import working_to_srgb8
from packshot.errors import ModelError
from packshot.specs.models import Category
from packshot.types import Complexity, Pixels16, Value, size_of

if TYPE_CHECKING:
    import onnxruntime

NETWORK = "efficientnet_lite0.onnx"
INPUT_PX = 224
_MEAN, _DEVIATION = 127.0, 128.0  # as the network was trained
_loading = threading.Lock()

_Floats = NDArray[np.float32]


class PictureWords(Value):
    """The words that the category network knows, with Packshot's categories, and where the network comes from.

    Attributes:
        sha256: hash of the network's file, in hexadecimal.
        temperature: divisor of the logits that calibrates the probabilities.
        card: topic -> sentence about the network, such as where it comes from, for people.
        words: category -> index of a logit -> its word, for example "jewelry" -> 679 -> "necklace".
    """

    sha256: str
    temperature: float
    card: Mapping[str, str]
    words: Mapping[str, Mapping[int, str]]


class Looks(Value):
    """What a photograph looks like to a network that knows everyday things. Probabilities are 0..1.

    Attributes:
        category: the most probable category; empty if no word belongs to any.
        probability: probability of that category.
        ruled_category: the most probable category among those that a rule sends to people; empty if there is none.
        ruled_probability: sum over all categories that a rule sends to people.
    """

    category: str = ""
    probability: float = 0.0
    ruled_category: str = ""
    ruled_probability: float = 0.0


def look_at(pixels: Pixels16, categories: Mapping[str, Category]) -> Looks:
    """Return what a master looks like: the most probable of the configured categories, with its probability.

    Args:
        pixels: the whole master, (rows, columns, 3) uint16, Adobe RGB.
        categories: the configured categories by name.
    Raises:
        ModelError: the network's file does not match `picture_words.json`.
    """
    return looks_of(look_logits(pixels), categories)


def look_logits(pixels: Pixels16) -> _Floats:
    """Return what the category network says of a picture: (1000,) float32, a logit per class, in ImageNet's order.

    Args:
        pixels: the whole master, (rows, columns, 3) uint16, Adobe RGB.
    Raises:
        ModelError: the network's file does not match `picture_words.json`.
    """
    session = _session()
    (logits,) = session.run(None, {session.get_inputs()[0].name: _network_input(pixels)})
    return np.asarray(logits[0], np.float32)


def looks_of(logits: _Floats, categories: Mapping[str, Category]) -> Looks:
    """Return what a picture looks like, from the network's output: the most probable of the configured categories.

    Args:
        logits: (1000,) float32, from `look_logits`.
        categories: the configured categories by name.
    """
    words = picture_words()
    odds = np.exp((logits - logits.max()) / words.temperature)
    shares = odds / odds.sum()
    found = {name: float(shares[list(places)].sum()) for name, places in words.words.items() if name in categories}
    ruled = {name: share for name, share in found.items() if _is_ruled(categories[name])}
    likeliest, strictest = max(found, key=found.__getitem__, default=""), max(ruled, key=ruled.__getitem__, default="")
    return Looks(
        category=likeliest,
        probability=round(found.get(likeliest, 0.0), 4),
        ruled_category=strictest,
        ruled_probability=round(sum(ruled.values()), 4),
    )


def _is_ruled(category: Category) -> bool:
    return category.complexity not in (None, Complexity.SIMPLE)


def _network_input(pixels: Pixels16) -> _Floats:
    """Return the network's input, (1, 3, 224, 224) float32.

    It is the whole frame in sRGB, padded to a square with the median colour of its border.
    """
    size = size_of(pixels)
    scale = INPUT_PX / size.longest
    wanted = (max(1, round(size.width * scale)), max(1, round(size.height * scale)))
    small = working_to_srgb8(np.asarray(cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA), np.uint16))
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    square = np.empty((INPUT_PX, INPUT_PX, 3), np.float32)
    square[:] = np.median(border, axis=0)
    top, left = (INPUT_PX - small.shape[0]) // 2, (INPUT_PX - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.ascontiguousarray(((square - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None])


@cache
def picture_words() -> PictureWords:
    """Return which words of the category network mean which category. The table comes with Packshot."""
    return PictureWords.model_validate(json.loads(_file("picture_words.json")))


def _session() -> onnxruntime.InferenceSession:
    with _loading:
        return _loaded()


@cache
def _loaded() -> onnxruntime.InferenceSession:
    import onnxruntime

    data, found = _file(NETWORK), hashlib.sha256(_file(NETWORK)).hexdigest()
    if found != picture_words().sha256:
        raise ModelError(
            "the network that looks at photographs is not the one its words belong to",
            f"packshot/routing/{NETWORK}",
            found=found[:12],
            allowed=picture_words().sha256[:12],
            next_step="Install Packshot again, or write both anew: benchmarks/category_network.py.",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # 16 ms on one core; threads would only wait for each other
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _file(name: str) -> bytes:
    return resources.files("packshot.routing").joinpath(name).read_bytes()
