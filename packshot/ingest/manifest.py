"""Read a client's manifest: a table with one row for each file, which says what the file shows.

Every value stays text.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence

from pydantic import Field

from packshot.errors import ManifestError
from packshot.figures import counted
from packshot.gtin import checked_gtin
from packshot.sheets.dialect import find_head
from packshot.sheets.encoding import GUESSED, decoded
from packshot.sheets.identifiers import identifier, is_formula, is_no_value, is_rounded
from packshot.sheets.workbook import Sheet, is_workbook, read_workbook
from packshot.types import Finding, Status, Value

COLUMNS = (
    "file",
    "sku",
    "asin",
    "gtin",
    "category",
    "view",
    "shoot_group",
    "platforms",
    "reference",
    "services",
    "notes",
)
"""Columns that Packshot uses. Other columns are kept and reported."""

_ROMANCE_WORDS = (
    "fichier nom_du_fichier image_fichier archivo nombre_de_archivo fichero imagen nome_file immagine "
    "arquivo ficheiro nome_do_arquivo nome_do_ficheiro imagem"
)
_ROMANCE_FILES = frozenset(_ROMANCE_WORDS.split())
"""Beside these heads for the file, "référence" is the product's number. In English it is the colour reference."""
_WORDS = {
    "file": "filename file_name image image_file photo path datei dateiname bild bilddatei "
    "bestand bestandsnaam afbeelding foto plik nazwa_pliku zdjecie " + _ROMANCE_WORDS,
    "sku": "item_sku seller_sku article_number artikelnummer artikel_nr ref_article "
    "reference_article referencia codigo codice_articolo codice artikelcode productcode "
    "kod_produktu numer_artykulu indeks codigo_do_produto codigo_do_artigo",
    "gtin": "ean ean13 upc isbn barcode strichcode code_barres codigo_de_barras codice_a_barre "
    "streepjescode kod_kreskowy",
    "category": "product_type kategorie warengruppe categorie categoria productgroep kategoria",
    "view": "variant ansicht vue vista aanzicht weergave widok ujecie",
    "shoot_group": "group set gruppe groupe grupo gruppo groep grupa",
    "platforms": "platform channels plattform plattformen kanale plateforme plateformes plataforma "
    "plataformas piattaforma piattaforme platformen kanalen platforma platformy",
    "reference": "farbreferenz reference_couleur referencia_de_color riferimento_colore kleurreferentie "
    "referencia_de_cor wzorzec_koloru",
    "services": "service leistung leistungen prestations servicios servizi diensten servicos uslugi",
    "notes": "note comment bemerkung bemerkungen notiz kommentar remarque remarques commentaire "
    "notas comentario osservazioni commento opmerking opmerkingen uwagi komentarz observacoes",
}
"""Our column -> other heads for it, in lower case, without accents. The languages: English, German, French, Spanish,
Italian, Dutch, Polish, Portuguese."""
_NAMELESS = "column_"
_SYNONYMS = {word: name for name, words in _WORDS.items() for word in words.split()}

_MOST_BYTES = 50_000_000
_LEAST_DIGITS = 4
_MOST_CELLS_SHOWN = 5
_MOST_ROWS = 1_000_000
_MOST_COLUMNS = 1_000
_MOST_CELLS = 20_000_000
_DAMAGED_NUMBER = re.compile(r"\d+([.,]\d+)?E\+?\d+", re.IGNORECASE)


class Manifest(Value):
    """The client's statements about each file, from the table that came with the batch. `read_manifest` makes it.

    Attributes:
        rows: path of the file -> column -> value. Paths are in the form of `plain_path`. Columns have Packshot's names,
            such as ``sku``, whatever the language of the column heads. Empty values are left out.
        unknown_columns: names of columns that Packshot does not use; their values are in `rows`, too.
        findings: problems in the manifest; those of one row name its number.
    """

    rows: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    unknown_columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_manifest(data: bytes, *, name: str) -> Manifest:
    """Return what a manifest says about each file, from a text table (CSV) or an Excel workbook.

    Encoding and separator are detected. Column heads may be in English, German, French, Spanish, Italian, Dutch, Polish
    or Portuguese. A title above the column heads is skipped, and so is Excel's line ``sep=;``. Values stay text, so a
    GTIN keeps its leading zeros. A GTIN or SKU that a spreadsheet damaged is not used, with a warning.

    Args:
        data: the whole file.
        name: the file's name, for the message.
    Raises:
        ManifestError: the file is no table, is too large, or has no column for the file name.
    """
    titles, table, dropped, encoding, sheet = _table(data, name)
    rows: dict[str, dict[str, str]] = {}
    findings = [_broken_lines(dropped)] if dropped else []
    findings += _sheet_findings(sheet) if sheet else []
    findings += [_guessed(encoding)] if encoding in GUESSED else []
    for number, values in table:
        row = {column: _cell(value) for column, value in zip(titles, values, strict=True)}
        findings += _add_row(rows, {key: value for key, value in row.items() if value}, number)
    filled = {column for row in rows.values() for column in row}
    unknown = tuple(
        column for column in titles if column not in COLUMNS and (column in filled or not column.startswith(_NAMELESS))
    )
    if unknown:
        findings.append(_odd("manifest_columns_unknown", f"Columns that mean nothing here: {', '.join(unknown)}."))
    return Manifest(rows=rows, unknown_columns=unknown, findings=tuple(findings))


def plain_path(path: str) -> str:
    r"""Return a path with forward slashes, without a leading ``./`` or ``/``, in Unicode form NFC.

    Example: ``.\set\A.jpg`` becomes ``set/A.jpg``.
    """
    return unicodedata.normalize("NFC", path.strip().replace("\\", "/")).removeprefix("./").lstrip("/")


def _table(data: bytes, name: str) -> tuple[list[str], list[tuple[int, list[str]]], int, str, Sheet | None]:
    """Return the heads, the rows below, each with its number in the file, how many were dropped, encoding and sheet.

    Blank rows have a number, too. The sheet is None for a table of text.

    Raises:
        ManifestError: it is no table, too large, or has no head for the file.
    """
    if len(data) > _MOST_BYTES:
        raise _unreadable(name, f"{len(data):,} bytes", f"at most {_MOST_BYTES:,} bytes")
    sheet: Sheet | None = None
    try:
        if is_workbook(data):
            sheet = read_workbook(data, _known, most_rows=_MOST_ROWS, most_columns=_MOST_COLUMNS)
            heads, encoding = list(sheet.head), ""
            lines = list(zip(sheet.numbers, sheet.below, strict=True))
        else:
            text, encoding = decoded(data)
            head = find_head(text, _known)
            heads = list(head.cells)
            rows = csv.reader(io.StringIO(text[head.end :], newline=""), delimiter=head.separator)
            lines = [(number, row) for number, row in enumerate(rows, start=head.row + 1) if any(row)]
    except (ValueError, csv.Error) as error:
        raise _unreadable(
            name, str(error), "a table of text (CSV) or an Excel workbook (.xlsx), with a column 'file'"
        ) from error
    titles = _columns(heads)
    if "file" not in titles:
        raise _unreadable(name, f"the columns {', '.join(titles)[:200] or 'none'}", "a column 'file'")
    if len(titles) > _MOST_COLUMNS or len(titles) * len(lines) > _MOST_CELLS:
        found = f"{len(titles):,} columns and {len(lines):,} lines"
        raise _unreadable(name, found, f"at most {_MOST_COLUMNS:,} columns and {_MOST_CELLS:,} cells")
    fitting = [(number, line) for number, line in lines if not any(line[len(titles) :])]
    rows_of_text = [
        (number, line[: len(titles)] + [""] * (len(titles) - len(line))) for number, line in fitting[:_MOST_ROWS]
    ]
    return titles, rows_of_text, len(lines) - len(rows_of_text), encoding, sheet


def _sheet_findings(sheet: Sheet) -> list[Finding]:
    """Return what a workbook holds that was not read: formulas without results, and further sheets."""
    findings = []
    if sheet.formulas:
        shown = ", ".join(sheet.formulas[:_MOST_CELLS_SHOWN]) + (", ..." if sheet.formulas[_MOST_CELLS_SHOWN:] else "")
        has = counted(len(sheet.formulas), "cell holds a formula", "cells hold formulas")
        message = f"{has} without a result, which counts as empty: {shown}. Open the workbook in Excel and save it."
        findings.append(_odd("manifest_formulas_open", message))
    if sheet.others:
        named = ", ".join(f"{name!r} ({counted(rows, 'row')})" for name, rows in sheet.others.items())
        message = f"Sheets with the same columns were not read: {named}. Bring all rows into one sheet."
        findings.append(_odd("manifest_sheets_left_out", message))
    return findings


def _known(cells: Sequence[str]) -> int:
    """Return how many of a row's cells are heads that mean something; none counts without one for the file."""
    names = set(_columns(list(cells)))
    return len(names.intersection(COLUMNS)) if "file" in names else 0


def _columns(titles: list[str]) -> list[str]:
    """Return Packshot's name for each column title, each name once. An exact name wins over a synonym."""
    plain = [_plain(title) or f"{_NAMELESS}{n}" for n, title in enumerate(titles)]
    titled = set(plain)
    if titled & _ROMANCE_FILES and not any(_SYNONYMS.get(one, one) == "sku" for one in plain):
        plain = ["sku" if one in ("reference", "ref") else one for one in plain]
    names: list[str] = []
    for n, title in enumerate(plain):
        name = _SYNONYMS.get(title, title)
        if name != title and (name in names or name in titled):
            name = title
        names.append(f"{name}_{n}" if name in names else name)
    return names


def _plain(title: str) -> str:
    letters = unicodedata.normalize("NFKD", title.replace("ß", "ss").replace("ł", "l").replace("Ł", "L"))
    letters = "".join(one for one in letters if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", "_", letters.strip().lower()).strip("_")


def _cell(value: str) -> str:
    return identifier(value)


def _add_row(rows: dict[str, dict[str, str]], row: dict[str, str], number: int) -> list[Finding]:
    path = plain_path(row.get("file", ""))
    if not path:
        return [_odd("manifest_row_without_file", f"Row {number} names no file.")] if row else []
    findings = []
    for column in ("gtin", "sku"):
        lost = _lost(column, row.get(column, ""))
        if lost:
            message = (
                f"Row {number} ({path}): the {column.upper()} {row[column]!r} {lost} in a spreadsheet and was not used."
            )
            findings.append(_odd(f"{column}_damaged", message))
            del row[column]
    if path in rows and rows[path] != row:
        message = f"Row {number}: {path} was named before with other values; the first row counts."
        findings.append(_odd("manifest_row_repeated", message))
    rows.setdefault(path, row)
    return findings


def _lost(column: str, text: str) -> str:
    """Return in words how a spreadsheet damaged an identifier; empty if no damage can be seen."""
    if is_formula(text):
        return "is a formula without its result"
    if is_no_value(text):
        return "was not found"
    if is_rounded(text) or (column == "gtin" and _DAMAGED_NUMBER.fullmatch(text)):
        return "lost digits"
    if column == "gtin" and text.isascii() and text.isdigit() and not checked_gtin(text):
        whole = next(
            (full for length in (8, 10, 12, 13) if len(text) < length and (full := checked_gtin(text.zfill(length)))),
            "",
        )
        return f"lost leading noughts (of {whole}?)" if whole and len(text) >= _LEAST_DIGITS else ""
    return ""


def _guessed(encoding: str) -> Finding:
    return _odd(
        "manifest_encoding_guessed",
        f"The manifest does not state its encoding. By its words it is {encoding}; names with accents were read so. "
        "Save it as UTF-8.",
    )


def _broken_lines(count: int) -> Finding:
    return _odd(
        "manifest_lines_broken",
        f"{counted(count, 'line has', 'lines have')} more values than there are columns; skipped.",
    )


def _odd(code: str, message: str) -> Finding:
    return Finding(code=code, status=Status.WARNING, message=message)


def _unreadable(name: str, found: str, allowed: str) -> ManifestError:
    return ManifestError(
        "the manifest cannot be read",
        name,
        found=found,
        allowed=allowed,
        next_step=f"Save it as CSV with the columns {', '.join(COLUMNS)}; only 'file' is required.",
    )
