"""Train the two forests that judge left-over backdrop (`packshot.qc.left_backdrop`), on regions whose truth is known.

    python -m benchmarks.left_backdrop first     # writes packshot/qc/left_backdrop.json; prints a test by products
    python -m benchmarks.left_backdrop second    # writes packshot/qc/closer_look.json; prints a test of both forests

They learn from photographs with a right matte: edits that people accepted (only of those products on which limits may
be chosen), real pictures with an editor's clipping path, rendered scenes, and cut-outs and drawn products on drawn
backdrops. On drawn backdrops the product shades its gaps, and its light bounces into them. The second forest also
learns, with a small weight, from many more drawn products, and from free ones in other studios
(`benchmarks.varied_products`).

Each photograph gets the right matte and wrong ones: with filled gaps, and with bits of backdrop beside the product.
Packshot's own cut-outs are not used, so that the forests do not learn their habits. Truth labels each region. A region
is backdrop, or product, if at least four fifths of its pixels are. Other regions are left out.

For the test, each product is judged by a forest that was trained without it.
"""

from __future__ import annotations

import argparse
import dataclasses
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

import packshot.qc
from benchmarks import drawn_products, scenes, varied_products
from benchmarks.routing_scenes import group_of
from benchmarks.seen import editing, verdicts
from benchmarks.seen.photographs import Half, photographs
from packshot.colour.transform import srgb8_to_working
from packshot.qc.around import Around, around_product
from packshot.qc.closer_look import NAMES as CLOSER_NAMES
from packshot.qc.closer_look import closer_look
from packshot.qc.left_backdrop import FIRST, MARGIN_PX, SECOND, figures_of
from packshot.qc.near_backdrop import near_backdrop
from packshot.qc.reduced import Reduced, reduce_edit
from packshot.qc.scene import box_of_product
from packshot.routing.forest import Forest, Tree
from packshot.types import FloatImage, Mask, Matte, Pixels8

FOLDS = 6
LEAST_IN_LEAF = 8
REAL_WEIGHT = 3.0
VARIED_WEIGHT = 0.3
SMALL_PX = 1100
TURNS = 3
DRAWN = range(900_000, 900_008)
"""Numbers of drawn products; soft and see-through ones are left out."""


class Recipe(NamedTuple):
    """How a forest is trained.

    Attributes:
        file: the forest's file in `packshot.qc`.
        sources: which sources of photographs it learns from, as in `Right`.
        turns: how many photographs of each cut-out on a drawn backdrop it learns from.
        closer: whether the forest also judges by the further measurements of `packshot.qc.closer_look`.
        trees, most_leaves, figures_tried: the forest's size, and how many measurements each split is chosen from.
        most_rows: if there are more regions, so many are drawn by chance.
    """

    file: str
    sources: tuple[str, ...]
    turns: int
    closer: bool
    trees: int
    most_leaves: int
    figures_tried: int
    most_rows: int

    def learns_from(self, table: Table) -> bool:
        """Return whether the forest learns from a table: True if the table's source is one of the recipe's.

        Of each cut-out on a drawn backdrop (source ``comp``), only the first `turns` photographs are used.

        Args:
            table: the regions of one matte.
        """
        late = table.source == "comp" and int(table.name.split("#")[1]) >= self.turns
        return table.source in self.sources and not late


_SOURCES = ("real", "path", "comp", "drawn", "studio")
RECIPES = {
    "first": Recipe(
        FIRST,
        _SOURCES,
        TURNS,
        closer=False,
        trees=50,
        most_leaves=100,
        figures_tried=8,
        most_rows=60_000,
    ),
    "second": Recipe(
        SECOND,
        (*_SOURCES, "varied"),
        1,
        closer=True,
        trees=100,
        most_leaves=120,
        figures_tried=10,
        most_rows=200_000,
    ),
}
LIMITS = (0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclasses.dataclass(frozen=True, eq=False)
class Right:
    """A photograph with a right matte.

    Attributes:
        source: where it is from: ``real`` (an edit that people accepted), ``path`` (a real picture with an editor's
            clipping path), ``comp`` (a real cut-out on a drawn backdrop), ``drawn`` (a drawn product), ``studio`` (a
            rendered scene) or ``varied`` (a product in a studio that differs).
        name: the photograph's name, unique in its source.
        product: photographs of one product are never split between training and testing.
        photo: the photograph, (rows, columns, 3) uint8, sRGB.
        matte: the right matte, (rows, columns) float32 in 0..1.
        fakes: number of wrong mattes to make for the photograph.
    """

    source: str
    name: str
    product: str
    photo: Pixels8
    matte: Matte
    fakes: int


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """The regions of one matte that may be left-over backdrop: their measurements, and what they really are.

    Attributes:
        right: whether the matte is the right one.
        source: where the photograph is from, as in `Right`: ``real``, ``path``, ``comp``, ``drawn``, ``studio`` or
            ``varied``.
        name: the photograph's name, unique in its source.
        product: photographs of one product are never split between training and testing.
        figures: (regions, measurements) float32: what is measured of each region.
        backdrop, own: (regions,): true share of backdrop and of product, in 0..1.
        area: (regions,): number of pixels of each region, in the reduced picture around the product.
        names: names of the measurements.
    """

    right: bool
    source: str
    name: str
    product: str
    figures: NDArray[np.float32]
    backdrop: NDArray[np.float64]
    own: NDArray[np.float64]
    area: NDArray[np.float64]
    names: tuple[str, ...]


def right_mattes(sources: Sequence[str]) -> Iterator[Right]:
    """Yield the photographs with a right matte, source by source.

    The sources are signed edits, pictures with clipping paths, cut-outs, drawn products, rendered scenes, and products
    in studios that differ.

    Args:
        sources: names of the sources that are wanted.
    """
    for name in sources:
        yield from SOURCES[name]()


def _signed() -> Iterator[Right]:
    """Yield the edits of the half "chosen on" that everybody signed who looked at them."""
    for seen in looked_at(Half.CHOSEN_ON):
        if seen.signed:
            yield Right("real", seen.result.name, seen.result.product, *seen.pictures(), 4)


def _with_path() -> Iterator[Right]:
    """Yield real pictures with an editor's clipping path."""
    root = scenes.data_folder() / "ground_truth" / "editor-path"
    for stem in scenes.cut_out_stems("editor-path"):
        photo = scenes.read_rgb(next((root / "image").glob(f"{stem}.*")))
        yield Right("path", stem, stem.split("_")[0], photo, scenes.read_matte(root / "alpha" / f"{stem}.png"), 3)


def _composites() -> Iterator[Right]:
    """Yield cut-outs with true mattes on drawn backdrops."""
    for folder in ("cutouts-photo", "editor-path"):
        for stem in scenes.cut_out_stems(folder):
            own, matte = _small(*scenes.cut_out_with_room(folder, stem))
            for turn in range(TURNS):
                name = f"{folder}/{stem}#{turn}"
                yield Right("comp", name, stem.split("_")[0], on_shaded_backdrop(own, matte, name), matte, 1)


def _drawn() -> Iterator[Right]:
    """Yield drawn products on drawn backdrops."""
    for number in DRAWN:
        if drawn_products.drawn_kind(number) not in ("glass", "soft"):
            _, own, matte = drawn_products.draw_product(number)
            name = f"drawn{number}"
            yield Right("drawn", name, name, on_shaded_backdrop(own, matte, name), matte, 2)


def _rendered() -> Iterator[Right]:
    """Yield rendered scenes."""
    for name in scenes.studio_names():
        scene = scenes.load_scene(name)
        yield Right("studio", name, scene.product, *_small(scene.photo, scene.matte), 2)


def _varied() -> Iterator[Right]:
    """Yield drawn and free products in studios that differ."""
    for name, photo, matte in varied_products.photographs(varied_products.learnt_names()):
        product = group_of(name).removeprefix("cutouts-photo-").split("_")[0]
        yield Right("varied", name, product, photo, matte, 1)


SOURCES: Mapping[str, Callable[[], Iterator[Right]]] = {
    "real": _signed,
    "path": _with_path,
    "comp": _composites,
    "drawn": _drawn,
    "studio": _rendered,
    "varied": _varied,
}


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """An edit that people have looked at, whose pictures are stored.

    Attributes:
        result: the edit, with the machine's verdict.
        signed: True if everybody who looked at the edit accepted it.
        kinds: kinds of defects that somebody saw.
    """

    result: editing.Result
    signed: bool
    kinds: frozenset[verdicts.Kind]

    def pictures(self) -> tuple[Pixels8, Matte]:
        """Return (the photograph, the edit's matte), from disk.

        The photograph is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns) float32 in 0..1.
        """
        photo = next(one for one in photographs() if one.file == self.result.file)
        return editing.load_photograph(photo), editing.load_pictures(self.result, editing.WORK)[0]


def looked_at(half: Half) -> list[LookedAt]:
    """Return the edits that people have looked at and whose pictures are stored.

    Verdicts and edits are matched by the hashes of the photograph and of the matte. Each matte comes once, with its
    result of the newest pipeline version; results of newer versions come first.

    Args:
        half: the half of the products (`benchmarks.seen.photographs`) whose edits are wanted.
    """
    said: dict[tuple[str, str], list[verdicts.Seen]] = {}
    for one in verdicts.load():
        said.setdefault((one.sha256, one.matte_sha256), []).append(one)
    found: dict[tuple[str, str], LookedAt] = {}
    newest = sorted((editing.WORK / "edits").glob("*.json"), key=lambda path: -int(path.stem.rsplit("-v", 1)[1]))
    for result in map(editing.load_result, newest):
        key = (result.sha256, result.matte_sha256)
        if result.half != half.value or key not in said or key in found:
            continue
        if editing.picture_files(editing.WORK, result.matte_sha256)[0].exists():
            kinds = frozenset(defect.kind for one in said[key] for defect in one.defects)
            found[key] = LookedAt(result, all(one.signed for one in said[key]), kinds)
    return list(found.values())


def on_shaded_backdrop(own: FloatImage, matte: Matte, name: str) -> Pixels8:
    """Return a photograph of a product on a studio backdrop, (rows, columns, 3) uint8, sRGB.

    The product shades the backdrop, and its colour bounces onto it.

    Args:
        own: the product's own colours, (rows, columns, 3) float32, linear light.
        matte: (rows, columns) float32 in 0..1.
        name: seed of everything that is random.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    pick = rng.random()
    if pick < 0.35:
        colour = np.full(3, 0.85) * rng.uniform(0.85, 1.1)
    elif pick < 0.7:
        colour = np.full(3, rng.uniform(0.3, 0.8))
    elif pick < 0.85:
        colour = rng.uniform(0.25, 0.9, 3)
    else:
        colour = np.full(3, rng.uniform(0.03, 0.25))
    red, green, blue = (float(one) for one in np.clip(colour * (1 + rng.normal(0, 0.03, 3)), 0, 0.99))
    behind = scenes.draw_backdrop(matte, (red, green, blue), rng)
    reach = max(matte.shape) * float(rng.choice([0.008, 0.02, 0.05]))
    near = cv2.GaussianBlur(matte, (0, 0), reach)
    shade = 1 - rng.uniform(0, 0.75) * near ** rng.uniform(0.7, 2.5)
    bounced = cv2.GaussianBlur(own * matte[..., None], (0, 0), reach) * rng.uniform(0, 0.5)
    behind = np.clip(behind * (shade[..., None] + bounced), 0, 1).astype(np.float32)
    alpha = matte[..., None]
    return scenes.photographed(alpha * own + (1 - alpha) * behind, rng)


def wrong_mattes(right: Right) -> Iterator[Matte]:
    """Yield `Right.fakes` wrong mattes of a photograph, with left-over backdrop.

    Each is (rows, columns) float32 in 0..1. In them gaps, concavities or holes are filled, or bits are added beside
    the product. The photograph's name is the seed of all that is random, so a second call gives the same mattes.

    Args:
        right: the photograph with its right matte.
    """
    rng = np.random.default_rng(zlib.crc32(f"wrong {right.name}".encode()))
    true, longest = right.matte >= 0.5, max(right.matte.shape)
    for _ in range(right.fakes):
        reach = max(2, round(longest * float(rng.choice([0.004, 0.008, 0.015, 0.03, 0.05]))))
        gaps = _some(_closed(true, reach) & ~true, rng, share=0.8)
        if rng.random() < 0.6:
            gaps |= _beside(true, rng) & ~true
        matte = np.where(gaps, np.float32(1), right.matte)
        if rng.random() < 0.5:
            matte = np.where(_holes(matte < 0.5, most_px=0.02 * true.sum()), np.float32(1), matte)
        yield matte.astype(np.float32)


def _closed(mask: Mask, reach: int) -> Mask:
    """Return the mask closed by a disk."""
    around = reach + 2
    wide = cv2.copyMakeBorder(mask.view(np.uint8), around, around, around, around, cv2.BORDER_CONSTANT, value=0)
    grown = cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5) <= reach
    closed = cv2.distanceTransform(grown.view(np.uint8), cv2.DIST_L2, 5) > reach
    return np.asarray(closed[around:-around, around:-around])


def _some(mask: Mask, rng: np.random.Generator, *, share: float) -> Mask:
    """Return some of the mask's parts, by chance."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    kept = rng.random(count) < share
    kept[0] = False
    return np.asarray(kept[labels])


def _beside(mask: Mask, rng: np.random.Generator) -> Mask:
    """Return up to four ellipses on the mask's outline."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([outline[:, 0] for outline in outlines])
    drawn = np.zeros(mask.shape, np.uint8)
    for x, y in points[rng.integers(0, len(points), int(rng.integers(1, 5)))]:
        radius = max(mask.shape) * rng.uniform(0.004, 0.03)
        size = max(2, int(radius)), max(2, int(radius * rng.uniform(0.3, 1)))
        cv2.ellipse(drawn, (int(x), int(y)), size, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return drawn > 0


def _holes(ground: Mask, *, most_px: float) -> Mask:
    """Return the parts of the ground that are small and don't touch the frame."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ground.view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < most_px
    small[np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))] = False
    small[0] = False
    return np.asarray(small[labels])


def _small(picture: NDArray[Any], matte: Matte) -> tuple[Any, Matte]:
    """Return a picture and its matte with at most `SMALL_PX` on the longest side."""
    scale = min(1.0, SMALL_PX / max(matte.shape))
    size = round(matte.shape[1] * scale), round(matte.shape[0] * scale)
    return tuple(cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (picture, matte))  # type: ignore[return-value]


def around_of(photo: Pixels8, matte: Matte) -> tuple[Around, Reduced] | None:
    """Return (the part of a photograph around its product, the edit at a smaller size), as quality control uses them.

    The result is None if the matte has no product, or the photograph no backdrop.

    Args:
        photo: (rows, columns, 3) uint8, sRGB.
        matte: (rows, columns) float32 in 0..1.
    """
    product = box_of_product(matte)
    if product is None:
        return None
    master = srgb8_to_working(photo)
    reduced = reduce_edit(master, matte, matte)
    around = around_product(master, matte, reduced, product, margin_px=MARGIN_PX)
    return None if around is None else (around, reduced)


def tables(right: Right) -> list[Table]:
    """Return a table for the right matte of a photograph, which comes first, and for each wrong one.

    A table has the regions of a matte that may be left-over backdrop, with the truth of each. A matte without a
    product, a backdrop or such a region is left out.

    Args:
        right: the photograph with its right matte.
    """
    made = []
    for number, matte in enumerate((right.matte, *wrong_mattes(right))):
        found = around_of(right.photo, matte)
        regions = near_backdrop(found[0], found[1].noise) if found else None
        if found is None or regions is None:
            continue
        true = found[0].alike(right.matte)
        shares = regions.mean(true < 0.2), regions.mean(true > 0.8)
        names = (*regions.figures, *CLOSER_NAMES)
        closer = closer_look(found[0], found[1].noise, regions, np.arange(len(regions.boxes)))
        figures = np.concatenate([figures_of(regions, tuple(regions.figures)), closer.astype(np.float32)], axis=1)
        made.append(Table(number == 0, right.source, right.name, right.product, figures, *shares, regions.area, names))
    return made


def labels_of(made: Sequence[Table]) -> NDArray[np.int64]:
    """Return what each region of the tables really is: (regions,) int64; 1 is backdrop, 0 is product, -1 is mixed.

    First come the regions of the first table, then those of the second, and so on.

    Args:
        made: the tables.
    """
    backdrop, own = (np.concatenate([getattr(one, name) for one in made]) for name in ("backdrop", "own"))
    return np.where(backdrop > 0.8, 1, np.where(own > 0.8, 0, -1))


def asked(table: Table, recipe: Recipe) -> NDArray[np.float32]:
    """Return the measurements by which a forest judges the regions of a table: (regions, measurements) float32."""
    return table.figures if recipe.closer else table.figures[:, : len(table.names) - len(CLOSER_NAMES)]


def fitted(made: Sequence[Table], recipe: Recipe) -> Any:
    """Return a forest of scikit-learn's, trained to tell regions of backdrop from regions of product.

    Regions that are partly both are left out, and so are tables from which the recipe does not learn.

    Args:
        made: the tables of all mattes, with the regions, their measurements, and what they really are.
        recipe: what the forest learns from, and its size.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    made = [one for one in made if recipe.learns_from(one)]
    figures, truth = np.concatenate([asked(one, recipe) for one in made]), labels_of(made)
    groups = np.concatenate([np.full(len(one.area), f"{one.product}") for one in made])
    own = {"real": REAL_WEIGHT, "path": REAL_WEIGHT, "varied": VARIED_WEIGHT}
    weights = np.concatenate([np.full(len(one.area), own.get(one.source, 1.0)) for one in made])
    places = np.flatnonzero(truth >= 0)
    if len(places) > recipe.most_rows:
        places = np.random.default_rng(0).choice(places, recipe.most_rows, replace=False)
    truth, groups, weights = truth[places], groups[places], weights[places]
    _, which, counts = np.unique(np.char.add(groups, truth.astype(str)), return_inverse=True, return_counts=True)
    weights = weights / np.sqrt(counts[which])
    for side in (0, 1):
        weights[truth == side] /= weights[truth == side].sum()
    trees = ExtraTreesClassifier(
        recipe.trees,
        min_samples_leaf=LEAST_IN_LEAF,
        max_leaf_nodes=recipe.most_leaves,
        max_features=recipe.figures_tried,
        random_state=0,
    )
    return trees.fit(figures[places], truth, sample_weight=weights * len(truth))


def as_forest(trees: Any, names: Sequence[str]) -> Forest:
    """Return scikit-learn's trees as a forest of plain numbers, which Packshot can use without scikit-learn.

    Args:
        trees: a trained forest of scikit-learn.
        names: names of the measurements, in the order of the trees' columns.
    """
    plain = tuple(_plain(one.tree_) for one in trees.estimators_)
    return Forest(names=tuple(names), usual=(0.0,) * len(names), trees=plain, slope=1, intercept=0)


def _plain(tree: Any) -> Tree:
    inner = tree.children_left >= 0
    shares = tree.value[:, 0, -1] / tree.value[:, 0].sum(axis=1)
    return Tree(
        figures=tuple(int(one) for one in np.where(inner, tree.feature, -1)),
        limits=tuple(float(f"{one:.5g}") for one in np.where(inner, tree.threshold, 0.0)),
        lefts=tuple(int(one) for one in np.where(inner, tree.children_left, 0)),
        rights=tuple(int(one) for one in np.where(inner, tree.children_right, 0)),
        shares=tuple(round(float(one), 3) for one in shares),
    )


def held_out(made: Sequence[Table], recipe: Recipe) -> list[NDArray[np.float64]]:
    """Return how probable it is that each region is backdrop: a list with (regions,) float64 in 0..1 for each table.

    The trees that judge a table were trained without the photographs of its product.

    Args:
        made: the tables of all mattes.
        recipe: what the forest learns from, and its size.
    """
    from sklearn.model_selection import GroupKFold

    groups = [one.product for one in made]
    found: list[NDArray[np.float64]] = [np.zeros(0)] * len(made)
    for others, held in GroupKFold(FOLDS, shuffle=True, random_state=0).split(made, groups=groups):
        trees = fitted([made[place] for place in others], recipe)
        for place in held:
            found[place] = trees.predict_proba(asked(made[place], recipe))[:, 1]
    return found


def fares(made: Sequence[Table], found: Sequence[NDArray[np.float64]]) -> str:
    """Return a Markdown table: how many right and how many wrong mattes would be held back at each of ten limits.

    A matte is held back if one of its regions is left-over backdrop with at least the limit's probability. There is a
    row for each source of photographs.

    Args:
        made: the tables of all mattes.
        found: for each table the probabilities that its regions are left-over backdrop, from `held_out`. To test both
            forests together, pass the smaller of their probabilities for each region.
    """
    lines = ["| source | right mattes | held | wrong mattes | held |", "|---|---:|---:|---:|---:|"]
    for source in SOURCES:
        worst: dict[bool, list[float]] = {True: [], False: []}
        for one, likely in zip(made, found, strict=True):
            if one.source == source and (one.right or (one.backdrop > 0.8).any()):
                worst[one.right].append(float(likely.max(initial=0)))
        held = {right: [sum(each >= limit for each in of) for limit in LIMITS] for right, of in worst.items()}
        lines.append(f"| {source} | {len(worst[True])} | {held[True]} | {len(worst[False])} | {held[False]} |")
    return "\n".join([f"held at the limits {LIMITS}", "", *lines])


def main() -> None:
    """Train one of the two forests, print how well it does on other products, and write it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("forest", choices=RECIPES)
    recipe = RECIPES[parser.parse_args().forest]
    cv2.setNumThreads(1)
    made = [table for right in right_mattes(recipe.sources) for table in tables(right)]
    found = held_out(made, recipe)
    if recipe.closer:
        found = [np.minimum(*both) for both in zip(found, held_out(made, RECIPES["first"]), strict=True)]
    print(fares(made, found))
    write(made, recipe, Path(packshot.qc.__path__[0]))


def write(made: Sequence[Table], recipe: Recipe, folder: Path) -> None:
    """Train a forest and write it.

    Args:
        made: the tables of all mattes.
        recipe: what the forest learns from, its size, and the name of its file.
        folder: where to write it.
    """
    names = made[0].names if recipe.closer else made[0].names[: -len(CLOSER_NAMES)]
    forest = as_forest(fitted(made, recipe), names)
    Path(folder, recipe.file).write_text(forest.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
