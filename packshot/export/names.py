"""What a delivered file is called: the platform's template, filled with what is known of the product."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from packshot.errors import NamingError
from packshot.naming import collisions, fill_template, template_fields
from packshot.specs.models import RenditionPlan

PRODUCT_IDS = ("asin", "isbn", "ean", "upc", "gtin")
"""Which of a product's numbers stands for it, the first that is known."""
MOST_CHARACTERS = 120
_DIGITS = {"isbn": (10, 13), "ean": (8, 13), "upc": (12,), "gtin": (8, 12, 13, 14)}
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def delivered_path(rendition: RenditionPlan, facts: Mapping[str, str], *, extension: str, subject: str) -> str:
    """Return ``<platform>/<name>.<extension>``, where a file lies in the delivery.

    Args:
        facts: what is known of the shot, by the names of `specs.models.NAMING_FIELDS`; empty texts count as unknown.
        extension: without its full stop.
        subject: the shot, for messages.
    Raises:
        NamingError: see `delivered_name`.
    """
    return f"{rendition.platform.name}/{delivered_name(rendition, facts, subject=subject)}.{extension}"


def delivered_name(rendition: RenditionPlan, facts: Mapping[str, str], *, subject: str) -> str:
    """Return a file's name without its extension.

    Identifiers lose their spaces and dashes and are checked by their check digit; views are written in capitals. A
    template whose parts are joined by full stops only makes a name such as Amazon's, in which a dash or an underscore
    would stop the upload: its values may hold letters and digits only.

    Raises:
        NamingError: a field is unknown or wrong, or the name has characters that marketplaces refuse.
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
            "the name cannot be used on every system",
            where,
            found=repr(name),
            allowed=f"at most {MOST_CHARACTERS} characters, no leading '.' or '-', no name that Windows reserves",
            next_step="Correct the value in the manifest or the template in the client's style guide.",
        )
    return name


def require_different_names(paths: Iterable[tuple[str, str]]) -> None:
    """Check that no two shots want the same place in a delivery, ignoring case.

    Args:
        paths: pairs of (path in the delivery, shot).
    Raises:
        NamingError: it names each path and its shots.
    """
    shared = collisions(paths)
    if shared:
        found = "; ".join(f"{path} from {' and '.join(shots)}" for path, shots in sorted(shared.items()))
        raise NamingError(
            "two shots want the same name",
            f"{len(shared)} delivered file{'s' if len(shared) > 1 else ''}",
            found=found,
            allowed="one shot for each product and view",
            next_step="Give the shots different views in the manifest, or use {shot} in the client's naming template.",
        )


def _values(facts: Mapping[str, str], fields: tuple[str, ...], subject: str) -> dict[str, str]:
    values = {name: value.strip() for name, value in facts.items()}
    if values.get("view"):
        values["view"] = values["view"].upper()
    for kind in PRODUCT_IDS:
        if values.get(kind) and (kind in fields or "product_id" in fields or "gtin14" in fields):
            values[kind] = _checked_id(kind, values[kind], subject)
    values["product_id"] = next((values[kind] for kind in PRODUCT_IDS if values.get(kind)), "")
    number = next((values[kind] for kind in ("gtin", "ean", "upc", "isbn") if values.get(kind)), "")
    values["gtin14"] = number.rjust(14, "0") if number and len(number) != 10 else ""
    return values


def _checked_id(kind: str, text: str, subject: str) -> str:
    """The identifier without spaces and dashes, its check digit proven."""
    plain = re.sub(r"[\s-]", "", text).upper()
    right = _is_asin(plain) if kind == "asin" else len(plain) in _DIGITS[kind] and has_right_check_digit(plain)
    if not right:
        lengths = " or ".join(str(length) for length in _DIGITS.get(kind, (10,)))
        allowed = "ten capital letters and digits" if kind == "asin" else f"{lengths} digits with their check digit"
        raise NamingError(
            f"this {kind.upper()} is not one",
            subject,
            found=repr(text),
            allowed=allowed,
            next_step="Correct it in the manifest.",
        )
    return plain


def _is_asin(text: str) -> bool:
    return re.fullmatch(r"[A-Z0-9]{10}", text) is not None


def has_right_check_digit(digits: str) -> bool:
    """Return whether the last digit of a GTIN (GS1 General Specifications 7.9) or ISBN (ISO 2108) is right."""
    if len(digits) == 10:
        if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
            return False
        total = sum((10 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits))
        return total % 11 == 0
    if not re.fullmatch(r"[0-9]+", digits):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _check_letters_and_digits(field: str, value: str, subject: str) -> None:
    wrong = "".join(sorted(set(re.sub(r"[A-Za-z0-9]", "", value))))
    if wrong:
        raise NamingError(
            f"'{field}' has characters that stop the upload",
            subject,
            found=f"{value!r} with {wrong!r}",
            allowed="letters and digits",
            next_step="Correct the value in the manifest.",
        )
