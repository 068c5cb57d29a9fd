"""Fill and check templates of delivered names, such as ``{sku}_{view}``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from packshot.errors import NamingError

_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_PRINTABLE = re.compile(r"[A-Za-z0-9._-]+")


def template_fields(template: str) -> tuple[str, ...]:
    """Return the names of a naming template's fields, in order; a field that occurs twice is named twice.

    Example: ``{sku}_{view}`` gives ``("sku", "view")``.

    Raises:
        NamingError: a brace has no partner, or a field's name is not in lower case.
    """
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        raise NamingError(
            "this naming template is malformed",
            repr(template),
            allowed="text and {fields} in lower case",
            next_step="Check its braces.",
        )
    return tuple(_FIELD.findall(template))


def split_template(template: str) -> tuple[tuple[str, str], ...]:
    """Return a naming template as pairs of (text, the field after it).

    If the template ends with text, the last field is empty. Braces are not checked; `template_fields` does that.
    Example: ``{sku}_{view}.x`` gives ``(("", "sku"), ("_", "view"), (".x", ""))``.
    """
    parts = [*_FIELD.split(template), ""]
    return tuple(zip(parts[::2], parts[1::2], strict=True))


def signs_refused(template: str) -> str:
    """Return the characters of a naming template that may not stand in a delivered file's name; empty if none.

    Letters of ASCII, digits, ``.``, ``_`` and ``-`` may. Fields such as ``{sku}`` are not looked at. Each character
    comes once, in sorted order. Example: ``{sku}/ä`` gives ``/ä``.
    """
    return "".join(sorted(set(re.sub(_PRINTABLE, "", _FIELD.sub("", template)))))


def fill_template(template: str, values: Mapping[str, str], *, subject: str) -> str:
    """Return the file name (without extension) that a template gives for a shot.

    Example: ``{sku}_{view}`` with ``{"sku": "BTL201", "view": "MAIN"}`` gives ``BTL201_MAIN``.

    Args:
        template: the naming template.
        values: name of a fact about the shot -> its value; an empty text counts as unknown.
        subject: names of shot and platform, for the message.
    Raises:
        NamingError: the template is malformed, a fact that it needs is unknown, or the result has characters that a
            marketplace would refuse.
    """
    for field in template_fields(template):
        if not values.get(field):
            known = ", ".join(sorted(k for k, v in values.items() if v)) or "nothing"
            raise NamingError(
                f"the name needs '{field}', which is not known of this shot",
                subject,
                found=known,
                allowed=f"every field of {template!r}",
                next_step=f"Give '{field}' in the manifest or in the client's file name pattern.",
            )
    name = _FIELD.sub(lambda match: values[match.group(1)], template)
    if not _PRINTABLE.fullmatch(name):
        wrong = "".join(sorted(set(re.sub(_PRINTABLE, "", name))))
        raise NamingError(
            "the name has characters that file systems and marketplaces refuse",
            subject,
            found=f"{name!r} with {wrong!r}",
            allowed="letters, digits, '.', '_' and '-'",
            next_step="Correct the value in the manifest.",
        )
    return name


def collisions(names: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return each file name that more than one shot would get -> those shots, sorted.

    Upper and lower case count as equal. The file names in the result are in lower case. The result is empty if all
    names are different.

    Args:
        names: pairs of (file name in the delivery, shot).
    """
    wanted: dict[str, list[str]] = {}
    for name, shot in names:
        wanted.setdefault(name.lower(), []).append(shot)
    return {name: tuple(sorted(shots)) for name, shots in wanted.items() if len(shots) > 1}
