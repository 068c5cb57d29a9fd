"""A garment on a mannequin, drawn, with exact truth: the photograph, what is mannequin in it, the finished joint."""

from __future__ import annotations

import dataclasses
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Mask, Matte, Pixels8

WHITE, GREY, BLACK, SKIN = (226, 223, 218), (148, 148, 150), (40, 40, 43), (214, 172, 142)
NAVY, RED, TEAL, CREAM = (38, 52, 92), (168, 40, 44), (24, 128, 120), (232, 228, 214)
BACKDROP = (176, 177, 179)
_FINER = 4
_UNIT = (900, 1200)
_Points = list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Garment:
    """One shirt on one mannequin; every picture of it is drawn from the same cloth.

    Attributes:
        mannequin, cloth: sRGB.
        depth: of the front neckline below the collar's points, in units of 1/1200 of the height.
        pointed: a V instead of a round neckline.
        arms: whether arms come out of the sleeves.
        striped: white stripes all over.
    """

    mannequin: tuple[int, int, int] = WHITE
    cloth: tuple[int, int, int] = NAVY
    depth: float = 130
    pointed: bool = False
    arms: bool = False
    striped: bool = False
    width: int = 900
    height: int = 1200
    seed: int = 3

    def worn(self) -> Pixels8:
        """The photograph: the shirt on the mannequin before the backdrop."""
        return self._over(
            self._backdrop(), (self._inside, self.back), (self._plastic, self.body), (self._face, self.front)
        )

    def joined(self) -> Pixels8:
        """What a perfect editor returns: shirt and inside on exact white, no mannequin."""
        return self._over(
            np.full((self.height, self.width, 3), 255.0), (self._inside, self.panel), (self._face, self.front)
        )

    def neck(self, warp: NDArray[np.float64] | None = None, *, gain: float = 0.93) -> tuple[Pixels8, Matte]:
        """The neck shot and its matte: the same shirt without the mannequin, moved by a 2 x 3 map, in other light."""
        warp = np.eye(2, 3) if warp is None else warp
        size = (self.width, self.height)
        picture = self._over(self._backdrop(), (self._inside, self.panel), (self._face, self.front))
        moved = cv2.warpAffine(picture, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        matte = cv2.warpAffine(self.joined_matte, warp, size, flags=cv2.INTER_LINEAR)
        grain = np.random.default_rng(self.seed + 100).normal(0, 1.5, moved.shape)
        return _levels(moved * gain + grain), np.asarray(matte, np.float32)

    def inside_out(self, warp: NDArray[np.float64] | None = None) -> tuple[Pixels8, Matte]:
        """The same turned inside out: its outline is the shirt's, its cloth is not the outside's."""
        warp = np.eye(2, 3) if warp is None else warp
        size = (self.width, self.height)
        other = dataclasses.replace(self, seed=self.seed + 50, striped=False)
        picture = other._over(other._backdrop(), (other._inside, self.joined_matte))
        moved = cv2.warpAffine(picture, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        matte = cv2.warpAffine(self.joined_matte, warp, size, flags=cv2.INTER_LINEAR)
        return _levels(moved.astype(np.float64)), np.asarray(matte, np.float32)

    @cached_property
    def front(self) -> Matte:
        """The shirt's outside."""
        outline = [(360, 190), (170, 270), (80, 500), (205, 545), (245, 430), (250, 1090)]
        mirrored = [(900 - x, y) for x, y in reversed(outline)]
        return np.clip(self._filled([*outline, *mirrored]) - self._filled(self._neckline()), 0, 1)

    @cached_property
    def body(self) -> Matte:
        """The whole mannequin: neck and chest, and arms where it has any."""
        neck = [(450 + side * x, y) for side, x, y in self._neck_side()]
        parts = self._filled(neck)
        if self.arms:
            arm = [(90, 470), (60, 700), (70, 800), (110, 800), (140, 690), (195, 520)]
            parts = np.maximum.reduce([parts, self._filled(arm), self._filled([(900 - x, y) for x, y in arm])])
        return parts

    @cached_property
    def back(self) -> Matte:
        """The inside of the collar's back as far as it shows beside the neck."""
        return self._filled([(360, 190), (400, 178), (450, 174), (500, 178), (540, 190), (500, 260), (400, 260)])

    @cached_property
    def panel(self) -> Matte:
        """All of the inside that shows once the mannequin is gone; it goes on a little under the front."""
        seen = self._filled(self._neckline())
        under = cv2.dilate(seen, np.ones((9, 9), np.uint8)) * (self.front > 0)
        return np.maximum.reduce([seen, self.back, under])

    @property
    def mannequin_seen(self) -> Matte:
        """How much of each pixel is mannequin."""
        return np.asarray(self.body * (1 - self.front), np.float32)

    @property
    def matte(self) -> Matte:
        """Shirt and mannequin: what a cut-out shows."""
        return np.asarray(1 - (1 - self.front) * (1 - self.body) * (1 - self.back), np.float32)

    @property
    def joined_matte(self) -> Matte:
        return np.asarray(1 - (1 - self.front) * (1 - self.panel), np.float32)

    @property
    def opening(self) -> Mask:
        """Where the neckline shows mannequin and shall show cloth."""
        return (self.panel > 0.5) & (self.mannequin_seen > 0.5)

    def _neckline(self) -> _Points:
        bottom = 190 + self.depth
        if self.pointed:
            return [(360, 190), (450, bottom), (540, 190)]
        turns = np.linspace(np.pi, 0, 60)
        return [(450 + 90 * np.cos(turn), 190 + self.depth * np.sin(turn)) for turn in turns]

    def _neck_side(self) -> list[tuple[int, float, float]]:
        side = [(60.0, 80.0), (70.0, 95.0), (72.0, 150.0), (80.0, 200.0), (150.0, 300.0), (150.0, 700.0)]
        return [
            (-1, 30.0, 70.0),
            *((-1, x, y) for x, y in side),
            *((1, x, y) for x, y in reversed(side)),
            (1, 30.0, 70.0),
        ]

    def _filled(self, points: _Points) -> Matte:
        scale = np.array([self.width / _UNIT[0], self.height / _UNIT[1]]) * _FINER
        fine = np.zeros((self.height * _FINER, self.width * _FINER), np.uint8)
        cv2.fillPoly(fine, [np.rint(np.array(points) * scale).astype(np.int32)], 255)
        return np.asarray(cv2.resize(fine, (self.width, self.height), interpolation=cv2.INTER_AREA), np.float32) / 255

    @property
    def _places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        y, x = np.mgrid[: self.height, : self.width].astype(np.float64)
        return x * _UNIT[0] / self.width, y * _UNIT[1] / self.height

    def _backdrop(self) -> NDArray[np.float64]:
        x, y = self._places
        light = 1 - 0.1 * ((x / 900 - 0.5) ** 2 + (y / 1200 - 0.5) ** 2)
        return light[..., None] * np.array(BACKDROP)

    @property
    def _face(self) -> NDArray[np.float64]:
        """The outside's cloth: weave, folds, and stripes where it has any."""
        x, y = self._places
        folds = 1 + 0.12 * np.sin(x / 47 + np.sin(y / 90)) * np.cos(y / 160)
        weave = 1 + 0.18 * self._blots(2.2) + 0.10 * self._blots(7)
        colour = np.broadcast_to(np.array(self.cloth, float), (*x.shape, 3))
        if self.striped:
            colour = np.where(((y + 0.1 * x) % 60 < 22)[..., None], np.array(CREAM, float), colour)
        return colour * (folds * weave)[..., None]

    @property
    def _inside(self) -> NDArray[np.float64]:
        """The inside's cloth, darker, with a label."""
        x, y = self._places
        cloth = np.array(self.cloth) * 0.8 + 8
        shade = 0.85 + 0.1 * self._blots(3, more=1) + 0.15 * (y - 190) / 300
        label = (np.abs(x - 450) < 28) & (np.abs(y - 215) < 14)
        words = label & (np.sin(x / 2.1) > 0.2) & (np.abs(y - 215) < 5)
        picture = cloth * shade[..., None]
        return np.where(words[..., None], 30.0, np.where(label[..., None], 235.0, picture))

    @property
    def _plastic(self) -> NDArray[np.float64]:
        """Smooth, lit from the left, in the garment's shadow where it meets it."""
        x, y = self._places
        light = 1.04 - 0.22 * ((x - 430) / 130) ** 2 * (y < 450) - 0.15 * np.clip((y - 180) / 150, 0, 1)
        return np.clip(light, 0.55, 1.08)[..., None] * np.array(self.mannequin)

    def _blots(self, sigma: float, *, more: int = 0) -> NDArray[np.float64]:
        noise = np.random.default_rng(self.seed + more).normal(0, 1, (_UNIT[1], _UNIT[0]))
        soft = cv2.GaussianBlur(noise, (0, 0), sigma)
        return np.asarray(cv2.resize(soft / soft.std(), (self.width, self.height), interpolation=cv2.INTER_CUBIC)) / 2

    def _over(self, below: NDArray[np.float64], *layers: tuple[NDArray[np.float64], Matte]) -> Pixels8:
        """Layers laid over each other, with a camera's grain where there is anything but white paper."""
        picture = below
        for colours, share in layers:
            picture = share[..., None] * colours + (1 - share[..., None]) * picture
        grain = np.random.default_rng(self.seed + 9).normal(0, 1.2, picture.shape)
        return _levels(np.where(picture < 255, picture + grain, picture))


def similarity(
    *, scale: float = 1.0, degrees: float = 0.0, shift: tuple[float, float] = (0, 0), about: tuple[float, float]
) -> NDArray[np.float64]:
    """A 2 x 3 map: turned and scaled about a place, then shifted."""
    warp = cv2.getRotationMatrix2D(about, degrees, scale)
    warp[:, 2] += shift
    return np.asarray(warp, np.float64)


def _levels(picture: NDArray[np.float64]) -> Pixels8:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
