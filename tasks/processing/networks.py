"""Find or download the files of segmentation networks, and load one network in each process.

A segmentation network finds the product in a photograph. ``configs/models.yaml`` lists those that may be used.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packshot.errors import ModelError
from packshot.specs.load import load_for_the_line
from packshot.specs.models import Model, ModelSource
from packshot.types import Finding, Status
from tasks.environment.disk import writing_to
from tasks.environment.settings import Settings, get_settings
from tasks.processing.network_sources import SourceError, retrieve

if TYPE_CHECKING:
    from packshot.cutout import Segmenter

Progress = Callable[[str, int, int], None]
"""Called with (where the file comes from, bytes so far, bytes in all)."""

_log = logging.getLogger(__name__)
_loading = threading.Lock()
_loaded: dict[tuple[str, str, str, int], LoadedModel] = {}


class ModelFile(NamedTuple):
    """A network's file on this machine. Its hash was checked.

    Attributes:
        path: where the file is.
        sha256: hash of the file, 64 hex digits. The sources of one model may offer different files, for example with
            other precisions.
    """

    path: Path
    sha256: str


class LoadedModel(NamedTuple):
    """A segmentation network that is loaded and can be used. `load_model` makes it.

    Attributes:
        name: the model's name in ``configs/models.yaml``.
        segmenter: the network itself; it returns a matte for a picture.
        findings: added to every shot that is cut out with it. One warning if this is the fallback model, else empty.
    """

    name: str
    segmenter: Segmenter
    findings: tuple[Finding, ...]


def ignore_progress(label: str, done: int, total: int) -> None:
    """Do nothing. Pass this function as `on_progress` if nobody wants to know how far a download is.

    Args:
        label: where the file comes from.
        done, total: bytes so far, and bytes in all.
    """


def fetch_model(
    name: str,
    *,
    settings: Settings | None = None,
    on_progress: Progress = ignore_progress,
) -> ModelFile:
    """Return a network's file. If it is not on this machine, it is downloaded from the first source that works.

    Several processes may call this at once: one downloads, and the others wait and use its file.

    Args:
        name: a model in ``configs/models.yaml``, such as ``isnet-general-use``.
        settings: None means the settings that the environment variables give.
        on_progress: called while the file arrives, with (where it comes from, bytes so far, bytes in all).
    Raises:
        ModelError: the model is not listed, or no source has it; the message gives the reason for each source.
        DiskFullError: there is no room for the file.
    """
    chosen = settings or get_settings()
    model = _listed(name, load_for_the_line(chosen.configs).models)
    chosen.models_dir.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(chosen.models_dir / f"{name}.lock"):
        return cached_model(model, folder=chosen.models_dir) or _fetch(
            model, folder=chosen.models_dir, on_progress=on_progress
        )


def cached_model(model: Model, *, folder: Path) -> ModelFile | None:
    """Return a network's file if the folder has it undamaged; None otherwise. Nothing is downloaded.

    If the folder has files of several sources, that of the first source in the config is returned.

    Args:
        model: the network, as ``configs/models.yaml`` describes it.
        folder: where files of networks are kept on this machine.
    """
    for source in model.sources:
        path = model_path(model, source, folder=folder)
        if path.is_file() and _sha256_of(path) == source.sha256:
            return ModelFile(path, source.sha256)
    return None


def model_path(model: Model, source: ModelSource, *, folder: Path) -> Path:
    """Return where the file from one source is kept: ``<model>-<first 8 digits of its SHA-256>.onnx`` in the folder.

    Whether the file is there is not checked.

    Args:
        model: the network, as ``configs/models.yaml`` describes it.
        source: one of the model's sources.
        folder: where files of networks are kept on this machine.
    """
    return folder / f"{model.name}-{source.sha256[:8]}.onnx"


def load_model(settings: Settings | None = None) -> LoadedModel:
    """Return the segmentation network that the settings name, ready to be used. The network is loaded once per process.

    If no source has it, the model that ``configs/models.yaml`` marks as the fallback is returned; every shot that is
    cut out with it gets a warning.

    Args:
        settings: None means the settings that the environment variables give.
    Raises:
        ModelError: the model is not listed, or neither it nor a fallback is available.
        DiskFullError: there is no room for the file.
    """
    chosen = settings or get_settings()
    key = (chosen.segmenter, chosen.engine, str(chosen.models_dir), chosen.segmenter_threads)
    with _loading:
        if key not in _loaded:
            _loaded[key] = _load(chosen)
        return _loaded[key]


def network_in_use() -> str:
    """Return a text that identifies the segmentation network in use: its name, file hash, engine and precision.

    The text is part of cache keys: with another network, shots are edited again. The network is loaded if it is not
    yet.

    Raises:
        ModelError: neither the network nor a fallback is available.
    """
    network = load_model().segmenter
    return f"{network.model} {network.fingerprint} {network.engine} {network.precision}"


def _load(settings: Settings) -> LoadedModel:
    models = load_for_the_line(settings.configs).models
    try:
        return _load_named(_listed(settings.segmenter, models), settings, ())
    except ModelError as error:
        fallback = next((model for model in models.values() if model.fallback), None)
        if fallback is None or fallback.name == settings.segmenter or settings.segmenter not in models:
            raise
        _log.warning("falling back on %s: %s", fallback.name, error)
        finding = Finding(
            code="fallback_model",
            status=Status.WARNING,
            message=f"Cut out with {fallback.title}, because {models[settings.segmenter].title} was not available.",
        )
        return _load_named(fallback, settings, (finding,))


def _load_named(model: Model, settings: Settings, findings: tuple[Finding, ...]) -> LoadedModel:
    from packshot.cutout import load_segmenter  # the import takes seconds, and most callers only fetch

    file = fetch_model(model.name, settings=settings)
    segmenter = load_segmenter(
        model.session, file.path, sha256=file.sha256, engine=settings.engine, threads=settings.segmenter_threads
    )
    return LoadedModel(model.name, segmenter, findings)


def _listed(name: str, models: Mapping[str, Model]) -> Model:
    if name not in models:
        raise ModelError(
            "this model is not on the list of allowed models",
            name,
            allowed=", ".join(sorted(models)),
            next_step="Correct PACKSHOT_SEGMENTER, or add the model to configs/models.yaml if its licence allows.",
        )
    return models[name]


def _fetch(model: Model, *, folder: Path, on_progress: Progress) -> ModelFile:
    """Try the sources in order. A file gets its final name only after its hash was checked."""
    reasons = []
    for source in model.sources:
        label = f"{source.kind} {source.ref}"
        path = model_path(model, source, folder=folder)
        with writing_to(folder, label), tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
            part, workplace = Path(temporary) / "file", Path(temporary) / "package"
            workplace.mkdir()
            try:
                retrieve(source, into=part, workplace=workplace, on_progress=_labelled(on_progress, label))
            except SourceError as error:
                reasons.append(f"{label}: {error}")
                _log.warning("%s: %s: %s", model.name, label, error)
                continue
            part.replace(path)
        _log.info("%s: from %s. %s", model.name, label, source.note)
        return ModelFile(path, source.sha256)
    first = model.sources[0]
    raise ModelError(
        "this model could not be fetched from any source",
        model.name,
        found="; ".join(reasons),
        next_step=f"Fetch {first.ref} elsewhere and put it at {model_path(model, first, folder=folder)}.",
    )


def _labelled(on_progress: Progress, label: str) -> Callable[[int, int], None]:
    return lambda done, total: on_progress(label, done, total)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a file lock; other processes and other threads of this one wait for it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
