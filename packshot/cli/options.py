"""Define options and arguments that several commands share, and read and check the files that they name."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packshot.errors import ConfigError, NamingError, PackshotError, RefusedInputError, UnreadableError
from packshot.ingest.stock import sidecars_of
from packshot.specs.load import Configs, default_folder, load_for_the_line
from packshot.specs.nearest import listed, nearest
from packshot.specs.resolve import find_category, style_guide

if TYPE_CHECKING:  # a command that needs no picture starts without these
    from packshot.pipeline.mastering import Mastered
    from packshot.routing.approve import Watch
    from packshot.routing.decide import RouteDecision
    from packshot.specs.models import Platform

NOT_THIS_FILE = (RefusedInputError, ConfigError)
"""Errors that concern only one of several photographs: it is refused, or no platform accepts its view."""

Photos = Annotated[list[Path], typer.Argument(help="Photographs.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
ConfigFolder = Annotated[
    Path | None, typer.Option("--configs", help="Folder of the configs.", envvar="PACKSHOT_CONFIGS", file_okay=False)
]
ClientOption = Annotated[str, typer.Option(help="Whose style guide applies.")]
CategoryOption = Annotated[str, typer.Option(help="The product's category, where no file name or metadata says it.")]
Engine = Annotated[str, typer.Option(help="What runs the network: auto, onnxruntime, openvino or rembg.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the results; made where it is missing.", file_okay=False)]

SegmenterSource = Callable[[str], Any]
"""Takes an engine's name ("auto", "onnxruntime", "openvino", "rembg") and returns (segmenter, findings about it)."""


def configs_in(folder: Path | None) -> Configs:
    """Return the configs in a folder; None means the folder that comes with Packshot.

    A client whose own style guide is wrong is listed in `Configs.broken_clients`, and stops no command for other
    clients.

    Raises:
        ConfigError: a file that all clients share is wrong.
    """
    return load_for_the_line(folder or default_folder())


def mastered(
    path: Path, configs: Configs, *, client: str, category: str = "", platforms: Sequence[str] = ()
) -> Mastered:
    """Return a local photograph after stage 1 (pre-processing): its master, facts and plan, as a `Mastered`.

    A fact is something that is known of the product, such as its SKU. The plan is what the configs order for this
    photograph. The command line's options take the place of a manifest row.

    Args:
        path: the photograph. An XMP file beside it is read too.
        configs: all configs.
        client: name of the client whose style guide applies.
        category: the product's category; empty if no option names it.
        platforms: names of the platforms; empty for the client's own.

    Raises:
        RefusedInputError: the file is not accepted.
        ConfigError: no plan can be resolved, for example because no platform takes the view.
    """
    from packshot import pipeline

    row = {"category": category, "platforms": ",".join(platforms)}
    return pipeline.master(
        bytes_of(path),
        path=path.name,
        shot=path.stem,
        row={name: value for name, value in row.items() if value},
        client=client,
        configs=configs,
        sidecar=_beside(path),
    )


def bytes_of(path: Path) -> bytes:
    """Return a local file's bytes.

    Raises:
        UnreadableError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            "this file cannot be read",
            str(path),
            found=error.strerror or str(error),
            next_step="Check the file's name, and that you may read it.",
        ) from error


def alone(path: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the result of work on one of several photographs, so that an error stops only this photograph.

    The result is what `work` returns. If `work` raises an error, it is ``{"file": ..., "refused": ...}``: the
    photograph's path, and why it was refused, in words.

    Args:
        path: the photograph.
        work: called without arguments; does the work and returns its result: name of a field -> value, for
            `print_json`.
    """
    try:
        return work()
    except Exception as error:  # noqa: BLE001  the edge of a batch
        return {"file": str(path), "refused": refusal_of(error)}


def refusal_of(error: Exception) -> str:
    """Return why a file was refused, in words.

    The text is the message of an error that Packshot raises on purpose (a `PackshotError`). For any other error it has
    the error's class and message, and the traceback goes to standard error.
    """
    if isinstance(error, PackshotError):
        return str(error)
    traceback.print_exception(error)
    return f"an error that nobody foresaw: {type(error).__name__}: {error}. Please report it with the file."


def watch_of(done: Mastered, configs: Configs) -> Watch | None:
    """Return the check that can stop the machine from approving an edit: the routing model with its promise (`Watch`).

    The model estimates how probable it is that a person refuses the edit. The promise is the greatest share of approved
    edits that people may refuse. The model is the one that comes with Packshot. The result is None if the config uses
    no routing model.

    Args:
        done: the photograph after stage 1, from `mastered`.
        configs: all configs.
    """
    from packshot.routing.approve import Watch, ruled_out
    from packshot.routing.model import shipped_model

    if not done.plan.routing.model:
        return None
    without = ruled_out(done.plan.category, configs.categories.values())
    category, config = done.plan.category.name if done.plan.category else "", done.plan.routing
    risk = done.plan.approve_unproven_kinds
    return Watch(shipped_model(), done.features, config.approve, without, category, config.real_only, risk)


def route_of(done: Mastered, watch: Watch | None) -> RouteDecision:
    """Return the route of a photograph: who edits it, the machine or a person, with the reason.

    Args:
        done: the photograph after stage 1, from `mastered`.
        watch: the routing model, from `watch_of`. If it is None, the limits in the config decide alone.
    """
    from packshot import pipeline

    return pipeline.route(
        done.features,
        done.plan,
        category_source=done.category_source,
        model=watch.model if watch else None,
        ruled_out=watch.ruled_out if watch else (),
        looks=done.looks,
    )


def _beside(path: Path) -> bytes:
    """Return the XMP file beside a photograph; empty if there is none."""
    names = {other.name: other for other in path.parent.iterdir()} if path.parent.is_dir() else {}
    found = sidecars_of([path.name], names).get(path.name, "")
    return names[found].read_bytes() if found else b""


def platform_of(configs: Configs, name: str) -> Platform:
    """Return a platform of the configs by its name.

    Args:
        configs: all configs.
        name: the platform's name, such as ``amazon_main``.

    Raises:
        ConfigError: there is no platform of this name; the message lists those that exist.
    """
    if name not in configs.platforms:
        raise ConfigError("no such platform", name, allowed=listed(name, configs.platforms))
    return configs.platforms[name]


def require_known(configs: Configs, *, client: str, category: str) -> None:
    """Raise an error if a client has no style guide, or a category does not exist.

    In a batch neither is an error: a client without a style guide gets the one of ``default``, and an unknown
    category counts as none. On the command line both are more likely a typing mistake.

    Args:
        configs: all configs.
        client: the client's name.
        category: name or synonym of the category; empty for none.

    Raises:
        ConfigError: client or category is not known; the message lists those that are. Or the client's style guide is
            wrong; the message says where.
    """
    if client in configs.broken_clients:
        style_guide(configs, client)
    if client not in configs.clients:
        raise ConfigError("no such client", client, allowed=listed(client, configs.clients))
    if category and find_category(configs.categories, category) is None:
        words = {word: name for name, one in configs.categories.items() for word in (name, *one.synonyms)}
        near = nearest(category, configs.categories) or nearest(category, words)
        meant = f" (did you mean {near}?)" if near else ""
        raise ConfigError("no such category", category, allowed=f"{', '.join(sorted(configs.categories))}{meant}")


def require_enabled(platform: Platform) -> None:
    """Raise an error if a platform is disabled.

    Raises:
        ConfigError: the platform is disabled; the message has the platform's notes.
    """
    if not platform.enabled:
        raise ConfigError("this platform is disabled", platform.name, next_step=platform.notes)


def require_places(photos: Sequence[Path], out: Path, *, kinds: Sequence[str]) -> None:
    """Raise an error, before a command starts, if one of its results would overwrite a photograph or another result.

    Results that an earlier command left in the folder are no reason for an error.

    Args:
        photos: the photographs to work on. Their names are compared without extension and case.
        out: folder for the results.
        kinds: words that results' names add to the photograph's name, for example ``matte`` in ``a.matte.png``.

    Raises:
        NamingError: two photographs' results would have the same names, or a result would overwrite a photograph.
    """
    wanted: dict[str, Path] = {}
    for photo in photos:
        other = wanted.setdefault(photo.stem.casefold(), photo)
        if other is not photo:
            raise NamingError(
                "two photographs would be written under the same names",
                photo.stem,
                found=f"{other} and {photo}",
                next_step="Give one of them another name, or another folder with --out.",
            )
    here = [photo for photo in photos if photo.resolve().parent == out.resolve()]
    for photo in here:
        stem, _, kind = photo.stem.casefold().rpartition(".")
        if stem in wanted and kind in kinds:
            raise NamingError(
                "a result would be written over a photograph",
                str(photo),
                found=f"the {kind} of {wanted[stem].name} goes there",
                next_step="Choose another folder with --out.",
            )
