"""Draw what is printed on packages: lines of type, paragraphs, barcodes. All brands are invented."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Ink = tuple[int, int, int]
_FONTS = {
    "serif": ("font_source_serif_pro", "SourceSerifPro-Regular.otf"),
    "serif bold": ("font_source_serif_pro", "SourceSerifPro-Bold.otf"),
    "serif italic": ("font_source_serif_pro", "SourceSerifPro-It.otf"),
    "sans": ("font_manrope", "Manrope-Medium.ttf"),
    "sans light": ("font_manrope", "Manrope-Light.ttf"),
    "sans bold": ("font_manrope", "Manrope-ExtraBold.ttf"),
    "round": ("font_fredoka_one", "FredokaOne-Regular.ttf"),
}
"""Open fonts (SIL OFL) that come as Python packages."""


@cache
def font(name: str, size: float) -> ImageFont.FreeTypeFont:
    package, file = _FONTS[name]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is missing: install samples/render/requirements.lock.")
    return ImageFont.truetype(str(Path(spec.origin).parent / "files" / file), round(size))


class Sheet:
    """A print for a package: an RGB picture that its methods draw into. All lengths are cm, from its upper left corner.

    Args:
        width, height: size of the print.
        paper: colour of the whole print at first: (red, green, blue), sRGB, 0 to 255.
        per_cm: pixels for each cm.
    """

    def __init__(self, width: float, height: float, paper: Ink, *, per_cm: float = 160) -> None:
        self.per_cm = per_cm
        self.image = Image.new("RGB", (round(width * per_cm), round(height * per_cm)), paper)
        self.draw = ImageDraw.Draw(self.image)

    def pixels(self) -> NDArray[np.uint8]:
        return np.asarray(self.image)

    def box(self, left: float, top: float, right: float, bottom: float, ink: Ink) -> None:
        self.draw.rectangle([round(side * self.per_cm) for side in (left, top, right, bottom)], fill=ink)

    def ring(self, x: float, y: float, radius: float, ink: Ink, *, line: float = 0) -> None:
        sides = [
            (x - radius) * self.per_cm,
            (y - radius) * self.per_cm,
            (x + radius) * self.per_cm,
            (y + radius) * self.per_cm,
        ]
        if line:
            self.draw.ellipse(sides, outline=ink, width=round(line * self.per_cm))
        else:
            self.draw.ellipse(sides, fill=ink)

    def shape(self, points: list[tuple[float, float]], ink: Ink) -> None:
        self.draw.polygon([(x * self.per_cm, y * self.per_cm) for x, y in points], fill=ink)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float,
        ink: Ink,
        face: str = "sans",
        spaced: float = 0,
        anchor: str = "m",
    ) -> None:
        """Draw one line of text. Nothing is returned. Lengths are cm.

        Args:
            x: where the text is fixed, from the left; `anchor` says by which of its points.
            y: its base line, from the top.
            words: the text.
            size: size of the type.
            ink: colour of the letters: (red, green, blue), sRGB, 0 to 255.
            face: the typeface: ``sans``, ``sans light``, ``sans bold``, ``serif``, ``serif bold``, ``serif italic`` or
                ``round``.
            spaced: space that is added between the letters.
            anchor: ``l``: the text begins at `x`; ``m``: its middle is there; ``r``: it ends there.

        Raises:
            ModuleNotFoundError: the package with the typeface is not installed.
        """
        set_in = font(face, size * self.per_cm)
        gap = spaced * self.per_cm
        width = sum(set_in.getlength(letter) + gap for letter in words) - gap if spaced else set_in.getlength(words)
        left = x * self.per_cm - {"l": 0, "m": width / 2, "r": width}[anchor]
        if not spaced:
            self.draw.text((left, y * self.per_cm), words, font=set_in, fill=ink, anchor="ls")
            return
        for letter in words:
            self.draw.text((left, y * self.per_cm), letter, font=set_in, fill=ink, anchor="ls")
            left += set_in.getlength(letter) + gap

    def paragraph(
        self,
        x: float,
        y: float,
        words: str,
        *,
        width: float,
        size: float,
        ink: Ink,
        face: str = "sans",
        anchor: str = "l",
    ) -> float:
        """Draw a text in lines of a given width; return the base line that the next line would have, in cm.

        Args:
            x: where each line is fixed, from the left, in cm; `anchor` says by which of its points.
            y: base line of the first line, from the top, in cm.
            words: the text. It is broken between words.
            width: greatest width of a line, in cm. A word that is wider stands alone in a line.
            size, ink, face, anchor: as for `Sheet.text`.
        """
        line = ""
        for word in [*words.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and font(face, size * self.per_cm).getlength(longer) <= width * self.per_cm:
                line = longer
                continue
            self.text(x, y, line, size=size, ink=ink, face=face, anchor=anchor)
            line, y = word, y + size * 1.36
        return y

    def barcode(self, left: float, top: float, number: str, *, module: float = 0.033, height: float = 1.6) -> None:
        """Draw a barcode (EAN-13) on a white field. Nothing is returned. Lengths are cm.

        Source: GS1 General Specifications, section 5.2.1.

        Args:
            left, top: upper left corner of the white field.
            number: the first 12 digits; the check digit is calculated and added.
            module: width of the narrowest bar.
            height: height of the bars; the digits stand below them.
        """
        number += str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(number)) % 10)
        left_codes = (
            "0001101",
            "0011001",
            "0010011",
            "0111101",
            "0100011",
            "0110001",
            "0101111",
            "0111011",
            "0110111",
            "0001011",
        )
        parity = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
        inverted = [code.translate(str.maketrans("01", "10")) for code in left_codes]
        first = "".join(
            left_codes[int(digit)] if kind == "L" else inverted[int(digit)][::-1]
            for digit, kind in zip(number[1:7], parity[int(number[0])], strict=True)
        )
        bars = "101" + first + "01010" + "".join(inverted[int(digit)] for digit in number[7:]) + "101"
        self.box(left, top, left + module * 113, top + height + 0.5, (255, 255, 255))
        start = left + module * 11
        for at, bar in enumerate(bars):
            if bar == "1":
                self.box(
                    start + at * module,
                    top + 0.15,
                    start + (at + 1) * module - 0.5 / self.per_cm,
                    top + height,
                    (15, 15, 15),
                )
        for x, digits in (
            (start + 24 * module, number[1:7]),
            (start + 71 * module, number[7:]),
            (start - 6 * module, number[0]),
        ):
            self.text(x, top + height + 0.34, digits, size=0.3, ink=(15, 15, 15), spaced=0.04)
