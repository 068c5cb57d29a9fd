"""List the real photographs, the product that each shows, and the half of the split to which each belongs.

The real photographs of the test data are split into two halves. Limits may be chosen on one half; the other half only
reports how good the machine is. The split is by product: photographs of one object, or of its other colours, are always
in the same half. A hash of the product's name decides which half that is, so the split is the same each time. The split
was fixed before anybody looked at an edit, and is stored in `split.csv`, beside this module.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from benchmarks.scenes import data_folder
from packshot.tables import csv_table

SPLIT_FILE = Path(__file__).with_name("split.csv")
_ONE_PRODUCT = {
    "abo": r".*",  # one listing
    "broadleaf-sauces": r"-(Bottle|Close)$",
    "magento-garments": r"-.*$",
    "magento-gear": r"-.*$",
    "shopify-bicycles": r".*",  # one shoot of one bicycle
}
"""Per folder, what of a file's name does not tell products apart."""
_SAME: tuple[tuple[str, str], ...] = (
    (r"smartstore/ladies_jacket_", "smartstore/ladies_jacket"),
    (r"smartstore/.*(ps4|dualshock4)", "smartstore/ps4"),  # console, controller, and both in one box
    (r"oro/.*Handheld-Laser-Barcode-Scanner", "oro/Handheld-Laser-Barcode-Scanner"),
    (r"oro/.*POS-System", "oro/POS-System"),
    (r"shopify-fashion/.*listelloshortboot", "shopify-fashion/listelloshortboot"),
    (r"shopify-fashion/Marsell_68", "shopify-fashion/Marsell_68"),
    (r"shopify-fashion/.*Addis_Look", "shopify-fashion/Addis_Look"),
    (r"shopify-fashion/.*_21_23165_", "shopify-fashion/23165"),
    (r"shopify-fashion/.*_19_40624_", "shopify-fashion/40624"),
    (r"shopify-fashion/.*_13_40585_", "shopify-fashion/40585"),
)
"""What names do not say: photographs that show one product, or a product among others."""


class Half(StrEnum):
    """The halves into which the real photographs are split. Each product is in one of them.

    Limits of quality control are chosen on one half only. So the results that are reported, those of the other half,
    are not flattered by this choice.

    Values:
        CHOSEN_ON: limits may be chosen so that they fit its photographs.
        ONLY_REPORTED: its photographs are only used to report how good the machine is.
    """

    CHOSEN_ON = "chosen on"
    ONLY_REPORTED = "only reported"


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A real photograph of a product, with its place in the split.

    Attributes:
        file: path below the folder ``products`` of the test data.
        sha256: hash of the file, hex.
        product: name of the product that it shows, such as ``oro/POS-System``.
        half: the half of the photographs to which the product belongs: limits may be chosen on it, or it only reports.
        category: the product's category, as the test data's manifest names it.
        backdrop: the photograph's backdrop, as the test data's manifest names it.
    """

    file: str
    sha256: str
    product: str
    half: Half
    category: str
    backdrop: str = ""

    @property
    def path(self) -> Path:
        """Where the photograph's file is on this machine."""
        return data_folder() / "products" / self.file


def product_of(file: str) -> str:
    """Return the name of the product that a photograph shows, such as ``oro/POS-System``.

    Photographs of one object, and of its other colours, give the same name.

    Args:
        file: the photograph's path below the folder of products.
    """
    for pattern, product in _SAME:
        if re.match(pattern, file):
            return product
    folder, stem = file.split("/")[0], Path(file).stem
    pattern = _ONE_PRODUCT.get(folder, "")
    return f"{folder}/{re.sub(pattern, '', stem, count=1)}" if pattern else f"{folder}/{stem}"


def half_of(product: str) -> Half:
    """Return to which half of the photographs a product belongs: limits may be chosen on it, or it only reports.

    A hash of its name decides: nobody can choose the half, and the same name always gives the same half.

    Args:
        product: the product's name, from `product_of`.
    """
    digest = hashlib.sha256(f"packshot seen {product}".encode()).digest()
    return Half.CHOSEN_ON if digest[0] % 2 else Half.ONLY_REPORTED


def photographs() -> list[Photograph]:
    """Return all real photographs that are split into two halves, in the order of their files.

    Limits may be chosen on one half. The other half only reports how good the machine is. Category and backdrop come
    from the test data's manifest.
    """
    with (data_folder() / "products" / "manifest.csv").open(encoding="utf-8", newline="") as text:
        said = {row["file"]: row for row in csv.DictReader(text)}
    return [
        Photograph(
            row["file"],
            row["sha256"],
            row["product"],
            Half(row["half"]),
            said[row["file"]]["category"],
            said[row["file"]]["backdrop"],
        )
        for row in split_rows()
    ]


def split_rows() -> list[dict[str, str]]:
    """Return the rows of the split as it was fixed, in the order of the files: each is column -> text.

    The columns are ``file`` (path below the folder of products), ``sha256`` (of the file), ``product`` (its name) and
    ``half`` (a value of `Half`).
    """
    with SPLIT_FILE.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def fix_split(files: Iterable[str]) -> None:
    """Write the file ``split.csv``, which says in which half of the split each photograph is. An old file is replaced.

    A hash of the product's name decides about the half (`half_of`). So a second call with the same photographs writes
    the same halves. Still, don't call it again after people have looked at edits: a photograph that was looked at must
    stay in its half for ever, also if the rules on names of products change.

    Args:
        files: paths of the photographs below the folder ``products`` of the test data, in any order.

    Raises:
        FileNotFoundError: one of `files` is not in the test data.
    """
    rows = []
    for file in sorted(files):
        digest = hashlib.sha256((data_folder() / "products" / file).read_bytes()).hexdigest()
        product = product_of(file)
        rows.append((file, digest, product, half_of(product).value))
    text = csv_table(("file", "sha256", "product", "half"), rows, line_end="\n")
    SPLIT_FILE.write_text(text, encoding="utf-8", newline="")
