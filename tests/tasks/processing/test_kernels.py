"""Children read compiled code from a folder that they cannot write; without one, photographs open all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from packshot.pipeline import opening
from packshot.specs.models import ApartLimits
from tasks.processing import children as children_module
from tasks.processing import kernels
from tasks.processing.children import Children
from tests.configs import shipped_configs
from tests.tasks import bad_decoders
from tests.tasks.shots import photograph

WITHIN = ApartLimits(memory_bytes=1_500_000_000, deadline_s=60, processor_s=60)
PACKAGES = ("packshot", "tests", "tests.tasks")


def found_on_disk(pool: Children) -> int:
    answer = pool.call(f"{bad_decoders.NAME}:loops_found_on_disk", b"", about="a.jpg", within=WITHIN)
    return int(answer.value)


def test_a_child_finds_the_compiled_code_on_disk() -> None:
    pool = Children(packages=PACKAGES)
    try:
        assert kernels.kernel_folder() is not None
        assert found_on_disk(pool) == len(kernels._LOOPS)
    finally:
        pool.close()


def test_without_a_folder_a_child_compiles_the_code_and_opens_the_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children_module, "kernel_folder", lambda: None)
    configs = shipped_configs()
    known = {"path": "A1_MAIN.jpg", "shot": "A1_MAIN", "row": {}, "client": "acme", "configs": configs}
    pool = Children(packages=PACKAGES)
    try:
        answer = pool.call(opening.MASTER, photograph(), about="A1_MAIN.jpg", within=WITHIN, **known)
        assert found_on_disk(pool) == 0
    finally:
        pool.close()
    assert not [one.code for one in opening.MasteredFile.model_validate(answer.value).findings if "damage" in one.code]


def test_code_of_another_version_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kernels.kernel_folder()
    assert folder is not None
    copied = tmp_path / "formats_1"
    copied.mkdir()
    for path in folder.glob("jpeg_*.*"):
        shutil.copy(path, copied)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert kernels._kept() == copied
    for loop, source in list(kernels._LOOPS.items()):
        changed = tmp_path / source.name
        changed.write_bytes(source.read_bytes() + b"\n")
        with monkeypatch.context() as patched:
            patched.setitem(kernels._LOOPS, loop, changed)
            assert kernels._kept() is None
        assert kernels._kept() == copied
