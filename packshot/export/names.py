"""Build the names of delivered files from the platform's template and the product's facts, such as its SKU."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from packshot.errors import NamingError
from packshot.figures import counted
from packshot.gtin import has_right_check_digit
from packshot.name_templates import fill_template, split_template, template_fields
from packshot.shot_names import plain_name
from packshot.specs.models import Platform, RenditionPlan

PRODUCT_IDS = ("asin", "isbn", "ean", "upc", "gtin")
"""A product's identifiers, by priority: the first one that is known becomes ``product_id``."""
MOST_CHARACTERS = 120
MOST_OTHERS = 3
"""So many other shots are named where several want the same file name."""
_DIGITS = {"isbn": (10, 13), "ean": (8, 13), "upc": (12,), "gtin": (8, 12, 13, 14)}
_ANY = "[A-Za-z0-9._-]+"
_FORMS = {
    "product_id": "[A-Z0-9]{10}|[0-9]{8}|[0-9]{12,14}",
    "asin": "[A-Z0-9]{10}",
    "gtin": "[0-9]{8}|[0-9]{12,14}",
    "gtin14": "[0-9]{14}",
    "view": "[A-Za-z0-9_]+",
}
"""How values look in a delivered name."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def delivered_path(rendition: RenditionPlan, facts: Mapping[str, str], *, extension: str, subject: str) -> str:
    """Return ``<platform>/<name>.<extension>``, the file's path in the delivery.

    Example: ``amazon_main/B08N5WRWNW.MAIN.jpg`` by the template ``{asin}.{view}``.

    Args:
        rendition: all settings of the shot's file for this platform, with the template.
        facts: what is known of the shot: name of a field of naming templates, such as ``sku`` or ``view`` -> text.
            Empty texts count as unknown.
        extension: without the dot.
        subject: name of the shot, for messages.
    Raises:
        NamingError: a field of the template is unknown or wrong, or the name cannot be used on every system.
    """
    return f"{rendition.platform.name}/{delivered_name(rendition, facts, subject=subject)}.{extension}"


def delivered_name(rendition: RenditionPlan, facts: Mapping[str, str], *, subject: str) -> str:
    """Return a delivered file's name without its extension, for example ``B08N5WRWNW.MAIN``.

    Identifiers lose their spaces and dashes, and their check digits are verified. Views become upper case. Letters of
    other scripts become Latin ones: marketplaces and file systems refuse them. In a template whose fields are joined by
    dots only, such as Amazon's, values may contain letters and digits only: a dash or underscore would make the upload
    fail.

    Args:
        rendition: all settings of the shot's file for this platform, with the template.
        facts: what is known of the shot: name of a field of naming templates, such as ``sku`` or ``view`` -> text.
            Empty texts count as unknown.
        subject: name of the shot, for messages.
    Raises:
        NamingError: a field is unknown or wrong, or the name cannot be used on every system.
    """
    where = f"{subject} for {rendition.platform.name}"
    template = rendition.naming
    fields = template_fields(template)
    values = _values(facts, fields, where)
    if re.sub(r"\{[a-z_0-9]*\}", "", template).strip(".") == "" and "." in template:
        for field in fields:
            _check_letters_and_digits(field, values.get(field, ""), where)
    name = fill_template(template, values, subject=where)
    if _RESERVED.fullmatch(name) or name.startswith((".", "-")) or name.endswith(".") or len(name) > MOST_CHARACTERS:
        raise NamingError(
            "this file name does not work on every system",
            where,
            found=repr(name),
            allowed=f"at most {MOST_CHARACTERS} characters, no leading '.' or '-', no name that Windows reserves",
            next_step="Correct the value in the manifest or the template in the client's style guide.",
        )
    return name


def name_fits(stem: str, platform: Platform) -> bool:
    """Return True if the platform's template could have made a file name.

    Its numbers must have right check digits, and the platform must accept its view. Example: ``B08N5WRWNW.MAIN`` fits
    ``{product_id}.{view}``; ``B08N5WRWNW_MAIN`` does not.

    Args:
        stem: the file name without its extension.
        platform: the platform, with the template and the views that it takes.
    """
    parts = split_template(platform.naming)
    pattern = "".join(re.escape(text) + (f"({_FORMS.get(field, _ANY)})" if field else "") for text, field in parts)
    match = re.fullmatch(pattern, stem)
    if match is None:
        return False
    values = list(zip((field for _, field in parts if field), match.groups(), strict=True))
    numbers = (value for field, value in values if field in ("product_id", "gtin", "gtin14") and len(value) != 10)
    views = (value for field, value in values if field == "view")
    return all(map(has_right_check_digit, numbers)) and all(map(platform.takes, views))


def require_own_names(shot: str, shared: Mapping[str, Sequence[str]]) -> None:
    """Raise an error if two shots would have a file of the same path in a delivery. Nothing comes back.

    Args:
        shot: name of the shot whose files are to be written.
        shared: path of a file of this shot that other shots would have too -> names of all shots that would have it.
            It is empty if there is no such path. `packshot.name_templates.collisions` finds them.
    Raises:
        NamingError: `shared` is not empty. The error names a few shots of each path and counts the others.
    """
    if shared:
        raise NamingError(
            "two shots have the same file name",
            counted(len(shared), "delivered file"),
            found="; ".join(f"{path} from {_in_words(shot, shots)}" for path, shots in sorted(shared.items())),
            allowed="one shot for each product and view",
            next_step="Give the shots different views in the manifest, or use {shot} in the client's naming template.",
        )


def _in_words(shot: str, shots: Sequence[str]) -> str:
    few = [one for one in shots[: MOST_OTHERS + 1] if one != shot][:MOST_OTHERS]
    more = len(shots) - 1 - len(few)
    return " and ".join([*sorted([shot, *few]), *([counted(more, "other")] if more else [])])


def _values(facts: Mapping[str, str], fields: tuple[str, ...], subject: str) -> dict[str, str]:
    """Return the template's values: cleaned and verified, with ``product_id`` and ``gtin14`` added."""
    values = {name: _in_latin(value.strip()) for name, value in facts.items()}
    if values.get("view"):
        values["view"] = values["view"].upper()
    for kind in PRODUCT_IDS:
        if values.get(kind) and (kind in fields or "product_id" in fields or "gtin14" in fields):
            values[kind] = _checked_id(kind, values[kind], subject)
    values["product_id"] = next((values[kind] for kind in PRODUCT_IDS if values.get(kind)), "")
    number = next((values[kind] for kind in ("gtin", "ean", "upc", "isbn") if values.get(kind)), "")
    values["gtin14"] = number.rjust(14, "0") if number and len(number) != 10 else ""
    return values


def _in_latin(value: str) -> str:
    """Return a value in Latin letters if it has others, by the rule for shots' names: ``Кружка-1`` is ``Kruzhka-1``."""
    foreign = any(not one.isascii() and unicodedata.category(one)[0] in "LMN" for one in value)
    return plain_name(value) if foreign else value


def _checked_id(kind: str, text: str, subject: str) -> str:
    """Return the identifier without spaces and dashes, after verifying its length and check digit."""
    plain = re.sub(r"[\s-]", "", text).upper()
    right = _is_asin(plain) if kind == "asin" else len(plain) in _DIGITS[kind] and has_right_check_digit(plain)
    if not right:
        lengths = " or ".join(str(length) for length in _DIGITS.get(kind, (10,)))
        allowed = "ten capital letters and digits" if kind == "asin" else f"{lengths} digits with their check digit"
        raise NamingError(
            f"this is not a valid {kind.upper()}",
            subject,
            found=repr(text),
            allowed=allowed,
            next_step="Correct it in the manifest.",
        )
    return plain


def _is_asin(text: str) -> bool:
    """Return whether a text has the form of an ASIN."""
    return re.fullmatch(r"[A-Z0-9]{10}", text) is not None


def _check_letters_and_digits(field: str, value: str, subject: str) -> None:
    """Raise NamingError if a value has characters other than letters and digits."""
    wrong = "".join(sorted(set(re.sub(r"[A-Za-z0-9]", "", value))))
    if wrong:
        raise NamingError(
            f"'{field}' has characters that prevent the upload",
            subject,
            found=f"{value!r} with {wrong!r}",
            allowed="letters and digits",
            next_step="Correct the value in the manifest.",
        )
