"""Collect the facts about a shot, such as its SKU and its view, each with its source.

The better source wins: manifest, then file name, then metadata, then the client's default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from packshot.gtin import checked_gtin
from packshot.ingest.metadata import Metadata
from packshot.shot_names import plain_name
from packshot.specs.models import Client
from packshot.types import Finding, Sourced, Status

FACTS = ("sku", "asin", "gtin", "category", "view", "shoot_group", "platforms", "reference", "services", "notes")
"""Names of the facts. A client's file name pattern may add others."""

_GTIN_NAMES = ("ean", "upc", "isbn")
_VIEW = re.compile(r"MAIN|PT\d\d|SWCH|BACK|NECK|IN\d\d")
_ASIN = re.compile(r"[A-Z0-9]{10}")
_LISTS = ("platforms", "services")
_PRODUCT = frozenset({"sku", "asin", "gtin", *_GTIN_NAMES})


def gather_facts(
    path: str, *, manifest_row: Mapping[str, str], client: Client, metadata: Metadata
) -> dict[str, Sourced]:
    """Return each fact about a shot, such as its SKU: name of the fact -> value and source.

    The manifest comes before the file name, then metadata, then the client's default. A value that is certainly wrong
    (a wrong check digit) is left out, and so is a fact that no source gives.

    If no source gives the SKU, the file name is used as the SKU, with the source ``default``. There are two exceptions,
    in which the shot gets no SKU and waits for an answer: the client has a pattern for products in file names; or the
    file name has neither a letter nor a digit, such as ``-.jpg``.

    Args:
        path: path of the file inside its batch.
        manifest_row: the file's row in the manifest, column -> value; empty if it has none.
        client: the client's style guide.
        metadata: the file's metadata.
    """
    facts: dict[str, Sourced] = {}
    for name, value, source in _claims(path, manifest_row, client, metadata):
        plain = plain_value(name, value)
        if plain and name not in facts:
            facts[name] = Sourced(value=plain, source=source)
    return facts


def doubtful_facts(
    path: str, *, manifest_row: Mapping[str, str], client: Client, metadata: Metadata
) -> tuple[Finding, ...]:
    """Return a warning for each value that some source gives and that is certainly wrong, such as a wrong check digit.

    The code names the fact, for example `gtin_wrong`. `gather_facts` leaves these values out.

    Args:
        path: path of the file inside its batch.
        manifest_row: the file's row in the manifest, column -> value; empty if it has none.
        client: the client's style guide.
        metadata: the file's metadata.
    """
    return tuple(
        Finding(
            code=f"{name}_wrong",
            status=Status.WARNING,
            message=f"{value!r} ({source}) is no {name.upper()}; it was not used.",
        )
        for name, value, source in _claims(path, manifest_row, client, metadata)
        if value.strip() and not plain_value(name, value)
    )


def _claims(
    path: str, manifest_row: Mapping[str, str], client: Client, metadata: Metadata
) -> Iterator[tuple[str, str, str]]:
    """Yield (fact, value as given, source). Better sources come first."""
    yield from ((name, manifest_row[name], "manifest") for name in FACTS if name in manifest_row)
    stem = PurePosixPath(path).stem
    yield from ((name, value, "file_name") for name, value in read_by_pattern(client.file_name_pattern, stem))
    yield from _metadata_claims(client, metadata)
    yield "category", client.default_category, "config"
    yield "view", client.default_view, "config"
    if not _names_product(client.file_name_pattern) and any(one.isalnum() for one in stem):
        yield "sku", plain_name(stem), "default"


def _names_product(pattern: str) -> bool:
    """Return whether a client's pattern reads a product from file names. Then no other name may replace it."""
    return not _PRODUCT.isdisjoint(re.compile(pattern).groupindex)


def read_by_pattern(pattern: str, text: str) -> Iterator[tuple[str, str]]:
    r"""Yield (name of the fact, value as written) for each fact that a client's pattern reads from a text.

    Example: the pattern ``(?P<sku>\w+)_(?P<view>\w+)`` and the text ``BTL201_MAIN`` give ("sku", "BTL201") and ("view",
    "MAIN"). The pattern may match anywhere in the text. Nothing comes if it is empty or does not match. A group of the
    pattern that matched nothing gives an empty value.

    Args:
        pattern: a regular expression. The names of its groups are names of facts; ``ean``, ``upc`` and ``isbn`` become
            ``gtin``.
        text: a file name without its extension, or another text.
    """
    match = re.search(pattern, text) if pattern else None
    for name, value in match.groupdict(default="").items() if match else ():
        yield ("gtin" if name in _GTIN_NAMES else name), value


def _metadata_claims(client: Client, metadata: Metadata) -> Iterator[tuple[str, str, str]]:
    tags = metadata.tags
    for fact, names in client.metadata_facts.items():
        yield from ((fact, tags.get(name, ""), name.split(":")[0]) for name in names)
    yield "gtin", tags.get("xmp:product_gtin", ""), "xmp"
    yield "sku", tags.get("xmp:product_id", ""), "xmp"
    yield "sku", tags.get("xmp:product_code", ""), "xmp"
    yield "shoot_group", " ".join(filter(None, (tags.get("xmp:shoot"), tags.get("xmp:set")))), "xmp"
    yield "view", _view(tags.get("xmp:view", "")), "xmp"
    texts = [(key.split(":")[0], value) for key, value in sorted(tags.items())]
    texts += [("exif", metadata.title), *(("xmp", word) for word in metadata.keywords)]
    for source, text in texts:
        yield from ((name, value, source) for name, value in read_by_pattern(client.file_name_pattern, text))


def _view(text: str) -> str:
    """Return the code of a view that Packshot knows, else an empty string. Words such as "front" are too vague."""
    return text.upper() if _VIEW.fullmatch(text.upper()) else ""


def plain_value(name: str, value: str) -> str:
    """Return a fact's value in its normal form; empty if it is certainly wrong, such as a wrong check digit.

    A GTIN comes back empty if its check digit is wrong, an ASIN if it does not have an ASIN's form. An ASIN and a view
    are in capitals. In a fact that is a list, such as "services", commas separate the words. Other values only lose
    surplus spaces.

    Args:
        name: name of the fact, for example "gtin".
        value: the value as written.
    """
    text = " ".join(value.split())
    if name == "gtin":
        return checked_gtin(text)
    if name == "asin":
        return text.upper() if _ASIN.fullmatch(text.upper()) else ""
    if name == "view":
        return text.upper()
    if name in _LISTS:
        return ",".join(listed(text))
    return text


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list, in order, without empty ones.

    Args:
        text: words that are separated by spaces, commas, semicolons or bars.
    """
    return tuple(word for word in re.split(r"[\s,;|]+", text) if word)
