"""Options and arguments that several commands share, and what is checked about them before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from packshot.errors import ConfigError, NamingError, RefusedInputError
from packshot.ingest.stock import sidecar_of
from packshot.specs.load import Configs, default_folder, load_configs
from packshot.specs.nearest import listed, nearest
from packshot.specs.resolve import find_category

NOT_THIS_FILE = (RefusedInputError, ConfigError)
"""What one photograph among several may meet: it is not accepted, or nothing in the configs takes its view."""

Photos = Annotated[list[Path], typer.Argument(help="Photographs.", exists=True, dir_okay=False, readable=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
ConfigFolder = Annotated[
    Path | None, typer.Option("--configs", help="Folder of the configs.", envvar="PACKSHOT_CONFIGS", file_okay=False)
]
ClientOption = Annotated[str, typer.Option(help="Whose style guide applies.")]
CategoryOption = Annotated[str, typer.Option(help="The product's category, where no file name or metadata says it.")]
Engine = Annotated[str, typer.Option(help="What runs the network: auto, onnxruntime or openvino.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the results; made where it is missing.", file_okay=False)]

SegmenterSource = Callable[[str], Any]
"""Given an engine's name ("auto", "onnxruntime", "openvino"), return (segmenter, findings about it)."""


def configs_in(folder: Path | None) -> Configs:
    """Return the configs in a folder; None: the folder that comes with Packshot."""
    return load_configs(folder or default_folder())


def mastered(path: Path, configs: Configs, *, client: str, category: str = "", platforms: Sequence[str] = ()) -> Any:
    """Bring a photograph in, with what was said on the command line in place of a manifest's row."""
    from packshot import pipeline

    row = {"category": category, "platforms": ",".join(platforms)}
    return pipeline.master(
        path.read_bytes(),
        path=path.name,
        shot=path.stem,
        row={name: value for name, value in row.items() if value},
        client=client,
        configs=configs,
        sidecar=_beside(path),
    )


def watch_of(done: Any, configs: Configs) -> Any:
    """Return what looks over the machine's shoulder: the model that comes with Packshot, for no storage has another.

    None where the config goes by the limits alone.
    """
    from packshot.routing.approve import Watch, ruled_out
    from packshot.routing.model import shipped_model

    if not done.plan.routing.model:
        return None
    without = ruled_out(done.plan.category, configs.categories.values())
    category, config = done.plan.category.name if done.plan.category else "", done.plan.routing
    return Watch(shipped_model(), done.features, config.approve, without, category, config.real_only)


def route_of(done: Any, watch: Any) -> Any:
    """Return who edits a photograph, by the same model."""
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
    """The XMP file beside a photograph; empty without one."""
    names = {other.name: other for other in path.parent.iterdir()} if path.parent.is_dir() else {}
    found = sidecar_of(path.name, names)
    return names[found].read_bytes() if found else b""


def platform_of(configs: Configs, name: str) -> Any:
    """Return a platform by name; raises ConfigError that names those there are."""
    if name not in configs.platforms:
        raise ConfigError("no such platform", name, allowed=listed(name, configs.platforms))
    return configs.platforms[name]


def require_known(configs: Configs, *, client: str, category: str) -> None:
    """Raise ConfigError for a client without a style guide, or a category that no word means.

    In a batch both are allowed: the style guide of ``default`` applies, and the category stays open. On the command
    line somebody typed them.
    """
    if client not in configs.clients:
        raise ConfigError("no such client", client, allowed=listed(client, configs.clients))
    if category and find_category(configs.categories, category) is None:
        words = {word: name for name, one in configs.categories.items() for word in (name, *one.synonyms)}
        near = nearest(category, configs.categories) or nearest(category, words)
        meant = f" (did you mean {near}?)" if near else ""
        raise ConfigError("no such category", category, allowed=f"{', '.join(sorted(configs.categories))}{meant}")


def require_enabled(platform: Any) -> None:
    """Raise ConfigError for a platform that is switched off."""
    if not platform.enabled:
        raise ConfigError("this platform is disabled", platform.name, next_step=platform.notes)


def require_places(photos: Sequence[Path], out: Path, *, kinds: Sequence[str]) -> None:
    """Check, before anything is done, that no result would be written over another one or over a photograph."""
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
