"""Measure how well a product's category is recognised from its photograph, by the shipped network and other methods.

    OMP_NUM_THREADS=1 nice -n 10 python -m benchmarks.categories [--embedding]

The photographs come from 14 shops and sets with a category in their manifest, from rendered products, and from products
with measured coverage. The shipped network was trained on none of them.

The other methods are models that are trained on these photographs. They learn from one of four kinds of measurements:

- what Packshot measures to decide who edits a photograph (edges, colours, transparency)
- these measurements, and the product's shape, colours and gradients besides
- the logits of the shipped network
- with ``--embedding``, inner values of IS-Net, the segmentation network

For each photograph, the model was trained without the photographs of its client: the shop or set that it comes from.
All measurements are kept in .packshot/bench.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import hog
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cutout_quality import CACHE, model_file
from benchmarks.scenes import data_folder
from packshot.colour.transform import srgb8_to_working
from packshot.routing.features import FRAME_PX, Features, measure, reduced_lab
from packshot.routing.picture import look_logits, looks_of
from packshot.routing.seen_backdrop import see_backdrop
from packshot.routing.silhouette import find_silhouette
from packshot.specs.load import default_folder, load_configs
from packshot.specs.resolve import find_category
from packshot.types import Complexity, FloatImage, Pixels8

LONGEST_PX = 1600
OTHER = "other"
_KEPT = CACHE / "categories"
_HOG_PX = 64
MOST_ALIKE = 5

_CORRECTED = {"8LG34": "furniture", "8NN54": "shoes", "3ET67": "furniture", "7NQ22": "furniture", "2TK59": "home",
              "5TU10": "home"}  # fmt: skip
"""Where a manifest's category is plainly wrong, by a part of the file's name."""
_SEEN = {
    "furniture": "abel-y paul-weaver",
    "electronics": "alexander-a brandi derick eniko florian jakob juan kelly liam robert vincent zoltan-tasi",
    "shoes": "chuttersnap imani mitch nikolai xavier",
    "home": "pierre",
    "sports": "ben-hershey tommy nik-shuliahin mikkel michael",
    "plants": "alex-rodriguez caleb charles natalia silvia zoltan-kovacs",
}
"""What the photographs of the manifest's category ``mixed`` show, by the beginnings of their names."""
_STUDIO = {"whitebox": "boxes", "basket": "home", "ring": "jewelry", "wineglass": "transparent",
           "bottlelabel": "bottles", "chromekettle": "home", "mug": "home", "headphones": "electronics",
           "tote": "bags"}  # fmt: skip
_PATHS = {"106": "shoes", "PRO": "furniture", "133": "sports"}
_PLUSH = {"GT01": "plants", "GT02": OTHER, "GT11": "plants", "GT19": "food"}

Table = NDArray[np.float64]


class Photograph(NamedTuple):
    """A photograph of a product, with its true category.

    Attributes:
        path: the file.
        client: the shop or the set that it comes from.
        category: name of a category in the configs, such as ``bottles``, or ``other`` if none of them fits.
    """

    path: Path
    client: str
    category: str


def photographs() -> list[Photograph]:
    """Return all photographs of the test data whose category is known.

    First come those of shops, then those with measured coverage, then rendered ones. If no category of the configs
    fits, the category is ``other``.
    """
    found = [*_of_shops(), *_of_truth()]
    stems = sorted((data_folder() / "studio" / "image").glob("*.jpg"))
    return found + [Photograph(path, "studio", _STUDIO.get(path.stem.split("-")[0], OTHER)) for path in stems]


def _of_shops() -> list[Photograph]:
    folder, found = data_folder() / "products", []
    categories = load_configs(default_folder()).categories
    for row in csv.DictReader((folder / "manifest.csv").read_text().splitlines()):
        path = folder / row["file"]
        said = find_category(categories, row["category"])
        known = {part: name for part, name in _CORRECTED.items() if part in path.name}
        seen = [name for name, stems in _SEEN.items() for stem in stems.split() if path.name.startswith(stem)]
        category = next(iter([*known.values(), *seen]), said.name if said else OTHER)
        found.append(Photograph(path, path.parent.name, category))
    return found


def _of_truth() -> list[Photograph]:
    folder = data_folder() / "ground_truth"
    found: list[Photograph] = []
    for client, kinds, usual in (("editor-path", _PATHS, "clothing"), ("alphamatting27", _PLUSH, "fur")):
        for path in sorted((folder / client / "image").iterdir()):
            known = (kind for part, kind in kinds.items() if path.name.startswith(part))
            found.append(Photograph(path, client, next(known, usual)))
    return found


def measured(photograph: Photograph) -> dict[str, Table]:
    """Return measurements of a photograph: kind of measurement -> (measurements,) float64.

    The kinds are ``figures`` (what Packshot measures to decide who edits a photograph), ``look`` (shape, colours and
    gradients) and ``logits`` (of the category network). The first call for a path writes them to
    .packshot/bench/categories, and later calls read them there. A changed photograph or a changed way of measuring is
    not noticed. Delete the folder then.
    """
    path = _kept(photograph, "npz")
    if not path.exists():
        np.savez(path, allow_pickle=False, **_measured(_read(photograph.path)))
    return dict(np.load(path))


def deep_of(photograph: Photograph) -> Table:
    """Return inner values of IS-Net, the segmentation network, for a photograph: (measurements,) float64.

    The first call for a path keeps them on disk, because computing them takes seconds, and later calls read them there.
    A changed photograph is not noticed.

    Args:
        photograph: the photograph.
    """
    path = _kept(photograph, "isnet.npy")
    if not path.exists():
        np.save(path, _deep(_read(photograph.path)))
    found: Table = np.load(path)
    return found


def spread(shots: Sequence[Photograph]) -> list[int]:
    """Return the indices of the first 5 photographs of each client and category, in ascending order.

    A measurement that takes long uses only these, so that a large set of similar photographs does not decide it.

    Args:
        shots: the photographs.
    """
    met: Counter[tuple[str, str]] = Counter()
    places = []
    for place, one in enumerate(shots):
        met[one.client, one.category] += 1
        if met[one.client, one.category] <= MOST_ALIKE:
            places.append(place)
    return places


def _kept(photograph: Photograph, kind: str) -> Path:
    _KEPT.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha1(str(photograph.path).encode(), usedforsecurity=False).hexdigest()[:16]
    return _KEPT / f"{digest}.{kind}"


def _read(path: Path) -> Pixels8:
    with Image.open(path) as image:
        image.thumbnail((LONGEST_PX, LONGEST_PX))
        return np.ascontiguousarray(np.asarray(image.convert("RGBA").convert("RGB")))


def _measured(rgb: Pixels8) -> dict[str, Table]:
    pixels = srgb8_to_working(rgb)
    figures = np.array(list(measure(pixels).model_dump().values()))
    return {"figures": figures, "look": _shape_and_colour(reduced_lab(pixels, side_px=FRAME_PX)),
            "logits": np.asarray(look_logits(pixels), np.float64)}  # fmt: skip


def _shape_and_colour(lab: FloatImage) -> Table:
    """Hu's moments, aspect, solidity, fill of the box; histograms of lightness, hue and chroma; HOG of the box."""
    shape = find_silhouette(lab, see_backdrop(lab).backdrop)
    if not shape.box:
        return np.zeros(11 + 26 + 1764)
    outlines, _ = cv2.findContours(shape.filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea)
    hu = cv2.HuMoments(cv2.moments(shape.filled, binaryImage=True)).ravel()
    area, box = cv2.contourArea(largest), shape.box
    hull = max(1.0, cv2.contourArea(cv2.convexHull(largest)))
    fills = [
        box.width / (box.width + box.height),
        area / hull,
        area / (box.width * box.height),
        area / lab[..., 0].size,
    ]
    inside = lab[shape.filled > 0]
    chroma, hue = np.hypot(inside[:, 1], inside[:, 2]), np.arctan2(inside[:, 2], inside[:, 1])
    counts = [np.histogram(inside[:, 0], 8, (0, 100))[0], np.histogram(hue[chroma > 12], 12, (-np.pi, np.pi))[0],
              np.histogram(chroma, 6, (0, 90))[0]]  # fmt: skip
    part = cv2.resize(lab[box.top : box.bottom, box.left : box.right, 0] * 2.55, (_HOG_PX, _HOG_PX))
    gradients = hog(part, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
    signed = -np.sign(hu) * np.log10(np.abs(hu) + 1e-12)
    return np.concatenate([signed, fills, np.concatenate(counts) / len(inside), gradients])


@cache
def _isnet() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model_file("isnet-general-use"), options, providers=["CPUExecutionProvider"])


def _deep(rgb: Pixels8) -> Table:
    """The three deepest maps that IS-Net gives out beside its mattes, their mean over the product and their maximum."""
    session = _isnet()
    names = [one.name for one in session.get_outputs()]
    wanted = [
        names[0],
        *sorted((name for name in names if name.startswith("input.")), key=lambda name: int(name[6:]))[:3],
    ]
    small = cv2.resize(rgb, (1024, 1024), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 - 0.5
    mask, *maps = session.run(wanted, {session.get_inputs()[0].name: small.transpose(2, 0, 1)[None]})
    found = []
    for one in maps:
        weight = cv2.resize(mask[0, 0], one.shape[:1:-1], interpolation=cv2.INTER_AREA) + 1e-6
        found += [(one[0] * weight).sum((1, 2)) / weight.sum(), one[0].max((1, 2))]
    deep = np.concatenate(found).astype(np.float64)
    return np.asarray(np.sign(deep) * np.log1p(np.abs(deep)))


def left_out(table: Table, shots: Sequence[Photograph], make: Callable[[], Any], names: Sequence[str]) -> Table:
    """Return how probable each category is for each photograph: (photographs, names) float64 in 0..1.

    For each client a model is trained on the photographs of all other clients, and judges this client's photographs.

    Args:
        table: (photographs, measurements): what the model learns from.
        shots: the photographs, in the order of the table's rows.
        make: called without arguments; returns an untrained model of scikit-learn.
        names: the categories, in the order of the result's columns.
    """
    clients, truth = np.array([one.client for one in shots]), np.array([one.category for one in shots])
    found = np.zeros((len(shots), len(names)))
    for client in sorted(set(clients)):
        held = clients == client
        model = make().fit(table[~held], truth[~held])
        places = [names.index(name) for name in model.classes_]
        found[np.ix_(held, places)] = model.predict_proba(table[held])
    return found


def by_words(logits: Table, names: Sequence[str]) -> Table:
    """Return how probable each category is for each photograph, by the network: (photographs, names) in 0..1.

    The configs' words for the categories are compared with the network's classes, as in production. The category
    ``other`` has the probability 0.

    Args:
        logits: (photographs, classes of the network).
        names: the categories, in the order of the result's columns.
    """
    categories = load_configs(default_folder()).categories
    each = [
        [
            looks_of(one.astype(np.float32), {name: categories[name]}).probability if name != OTHER else 0.0
            for name in names
        ]
        for one in logits
    ]
    return np.array(each)


def quality_row(title: str, found: Table, shots: Sequence[Photograph], names: Sequence[str]) -> str:
    """Return one method's row of a Markdown table: accuracy, macro F1, log loss, calibration error, and an AUC.

    The first four count only photographs of categories that at least three clients have. The AUC counts all
    photographs. The AUC says how well the probabilities separate the categories that a rule sends to people from the
    other categories.

    Args:
        title: the row's first cell, the name of the method.
        found: the method's probabilities, (photographs, categories).
        shots: the photographs, in the order of the rows of `found`.
        names: the categories, in the order of its columns.
    """
    truth = np.array([one.category for one in shots])
    common = [
        name for name in names if len({one.client for one in shots if one.category == name}) >= 3 and name != OTHER
    ]
    counted = np.isin(truth, common)
    said, top = np.array(names)[found.argmax(axis=1)], found.max(axis=1)
    right = np.array([found[place, names.index(name)] for place, name in enumerate(truth)])
    parts = np.array_split(np.argsort(top[counted]), 10)
    hit = (said == truth)[counted]
    error = sum(abs(top[counted][part].mean() - hit[part].mean()) * len(part) for part in parts) / counted.sum()
    f1 = f1_score(truth[counted], said[counted], labels=common, average="macro", zero_division=0)
    loss = -np.log(np.clip(right[counted], 1e-3, 1)).mean()
    ruled = _ruled(names)
    auc = roc_auc_score(np.isin(truth, ruled), found[:, [names.index(name) for name in ruled]].sum(axis=1))
    return f"| {title} | {hit.mean():.2f} | {f1:.2f} | {loss:.2f} | {error:.2f} | {auc:.2f} |"


def _ruled(names: Sequence[str]) -> list[str]:
    categories = load_configs(default_folder()).categories
    strict = (Complexity.COMPLEX, Complexity.MEDIUM)
    return [name for name in names if name != OTHER and categories[name].complexity in strict]


def guard_table(found: Table, shots: Sequence[Photograph], names: Sequence[str]) -> str:
    """Return a Markdown table: what share of the photographs goes to people because of the category.

    Some categories are sent to people by a rule. A photograph goes to people if their probabilities add up to at least
    a limit. There is a row for each of five limits, a column for each category with such a rule, and one for all other
    photographs.

    Args:
        found: (photographs, names) probabilities.
        shots: the photographs, in the order of the rows of `found`.
        names: the categories, in the order of its columns.
    """
    truth, ruled = np.array([one.category for one in shots]), _ruled(names)
    share = found[:, [names.index(name) for name in ruled]].sum(axis=1)
    shown = [name for name in ruled if name in truth]
    lines = [
        "| limit | other products sent to people | " + " | ".join(f"{n} ({(truth == n).sum()})" for n in shown) + " |",
        "|---:" * (2 + len(shown)) + "|",
    ]
    for limit in (0.05, 0.1, 0.2, 0.3, 0.5):
        recalls = [f"{(share[truth == name] >= limit).mean():.0%}" for name in shown]
        others = (share[~np.isin(truth, ruled)] >= limit).mean()
        lines.append(f"| {limit} | {others:.0%} | " + " | ".join(recalls) + " |")
    return "\n".join(lines)


def tag_table(found: Table, shots: Sequence[Photograph], names: Sequence[str]) -> str:
    """Return a Markdown table: for several limits, how many photographs get a category, and how often it is right.

    A photograph gets its most probable category if the probability is at least the limit.

    Args:
        found: (photographs, names) probabilities.
        shots: the photographs, in the order of the rows of `found`.
        names: the categories, in the order of its columns.
    """
    said, top = np.array(names)[found.argmax(axis=1)], found.max(axis=1)
    right = said == np.array([one.category for one in shots])
    lines = ["| limit | named | rightly |", "|---:|---:|---:|"]
    lines += [
        f"| {limit} | {(top >= limit).mean():.0%} | {right[top >= limit].mean():.0%} |"
        for limit in (0.3, 0.5, 0.7, 0.9)
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedding", action="store_true", help="IS-Net's too: some seconds for each photograph")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    shots = photographs()
    seen = [measured(one) for one in shots]
    tables = {name: np.nan_to_num(np.array([one[name] for one in seen])) for name in seen[0]}
    categories = load_configs(default_folder()).categories
    names = [*sorted(categories), OTHER]
    words = by_words(tables["logits"], names)
    clients = len({one.client for one in shots})
    print(f"{len(shots)} photographs of {clients} clients, {len(Features.model_fields)} figures\n")
    print("| by | top-1 | macro F1 | log loss | calibration error | AUC of what rules send to people |")
    print("|---|---:|---:|---:|---:|---:|")
    print(quality_row("the network's words", words, shots, names))
    sets = {"figures": tables["figures"], "figures, shape, colour, HOG": np.hstack([tables["figures"], tables["look"]]),
            "the network's logits": tables["logits"]}  # fmt: skip
    for title, table in sets.items():
        print(quality_row(f"{title}: logistic", left_out(table, shots, _logistic, names), shots, names), flush=True)
        print(quality_row(f"{title}: trees", left_out(table, shots, _trees, names), shots, names), flush=True)
    if args.embedding:
        some = spread(shots)
        part = [shots[place] for place in some]
        deep = np.array([deep_of(one) for one in part])
        print(quality_row(f"the network's words, {len(part)} photographs", words[some], part, names))
        print(
            quality_row("IS-Net's deepest maps on these: logistic", left_out(deep, part, _logistic, names), part, names)
        )
        print(quality_row("IS-Net's deepest maps on these: trees", left_out(deep, part, _trees, names), part, names))
    print("\n" + guard_table(words, shots, names) + "\n\n" + tag_table(words, shots, names))


def _logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=60, tol=1e-3))


def _trees() -> Any:
    return ExtraTreesClassifier(150, min_samples_leaf=2, class_weight="balanced", random_state=0)


if __name__ == "__main__":
    main()
