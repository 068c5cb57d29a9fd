"""Children that open outside bytes: what they give back, how they die, and that nothing gets out of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from packshot.errors import DecoderCrashedError, RefusedInputError, TooSmallError
from packshot.ingest.master import read_master
from packshot.pipeline import opening
from packshot.returned.read import read_returned
from packshot.specs.models import ApartLimits, IngestConfig
from tasks.processing.children import Children
from tests.configs import shipped_configs
from tests.tasks import bad_decoders
from tests.tasks.shots import photograph

WITHIN = ApartLimits(memory_bytes=1_500_000_000, deadline_s=60, processor_s=60)
SHORT = WITHIN.model_copy(update={"deadline_s": 1})
BUSY = WITHIN.model_copy(update={"processor_s": 1})
SECRET = "PACKSHOT_S3_SECRET_KEY"


@pytest.fixture(scope="module")
def apart() -> Iterator[Children]:
    os.environ[SECRET] = "not for decoders"
    pool = Children(packages=("packshot", "tests", "tests.tasks"))
    yield pool
    pool.close()
    del os.environ[SECRET]


def bad(name: str) -> str:
    return f"{bad_decoders.NAME}:{name}"


def process(apart: Children) -> int:
    answer = apart.call(bad("echo"), b"abc", about="a.jpg", within=WITHIN)
    assert (answer.value["length"], answer.parts["data"]) == (3, b"abc")
    return int(answer.value["process"])


def test_a_child_serves_one_file_after_the_other(apart: Children) -> None:
    first = process(apart)
    assert first != os.getpid()
    assert process(apart) == first


def test_a_refusal_comes_back_as_it_was_raised(apart: Children) -> None:
    before = process(apart)
    with pytest.raises(TooSmallError, match=r"a\.jpg: the picture is too small; found 1 x 1; allowed more\. Send more"):
        apart.call(bad("refuse"), b"", about="a.jpg", within=WITHIN)
    assert process(apart) == before


def test_any_other_error_comes_back_in_words(apart: Children) -> None:
    with pytest.raises(RuntimeError, match="LookupError: nothing there"):
        apart.call(bad("go_wrong"), b"", about="a.jpg", within=WITHIN)


@pytest.mark.parametrize(
    ("decoder", "within", "found"),
    [
        ("crash", WITHIN, "it ended by SIGSEGV"),
        ("hang", SHORT, "it did not end within its time"),
        ("spin", BUSY, "it took more than its processor time"),
        ("swallow", WITHIN, "it needs more than 1,500,000,000 bytes of memory"),
        ("lie", SHORT, "it answered what no decoder answers"),
    ],
)
def test_a_file_that_ends_two_children_is_refused(
    apart: Children, decoder: str, within: ApartLimits, found: str
) -> None:
    with pytest.raises(DecoderCrashedError, match=found) as caught:
        apart.call(bad(decoder), b"", about="a.jpg", within=within)
    assert isinstance(caught.value, RefusedInputError)
    assert caught.value.code == "decoder_crashed"
    assert caught.value.subject == "a.jpg"
    assert process(apart)


def test_a_master_is_the_same_as_without_a_child(apart: Children) -> None:
    configs = shipped_configs()
    known = {"path": "A1_MAIN.jpg", "shot": "A1_MAIN", "row": {}, "client": "acme", "configs": configs}
    data = photograph()
    answer = apart.call(opening.MASTER, data, about="A1_MAIN.jpg", within=WITHIN, **known)
    value, parts = opening.send_master(data, **known)
    assert opening.MasteredFile.model_validate(answer.value) == opening.MasteredFile.model_validate(value)
    assert answer.parts == parts
    assert read_master(answer.parts["master.tif"]).shape == (1000, 1000, 3)


def test_returned_work_is_the_same_as_without_a_child(apart: Children) -> None:
    limits = IngestConfig()
    data = photograph()
    answer = apart.call(opening.RETURNED, data, about="a.jpg", within=WITHIN, name="a.jpg", limits=limits)
    there, here = (
        opening.received_returned(answer.value, answer.parts),
        read_returned(data, name="a.jpg", limits=limits),
    )
    assert np.array_equal(there.pixels16, here.pixels16)
    assert (there.matte is None) == (here.matte is None)
    assert (there.source, there.kind, there.findings, there.path) == (here.source, here.kind, here.findings, here.path)


@pytest.mark.skipif(sys.platform != "linux", reason="these layers are Linux's")
def test_every_layer_holds_or_says_why_not(apart: Children) -> None:
    layers = apart.layers(WITHIN)
    assert set(layers) >= {"namespaces", "capabilities", "files", "calls", "memory", "no network", "no other files"}
    if os.geteuid() == 0:
        assert not {name: why for name, why in layers.items() if why and name != "namespaces"}


@pytest.mark.skipif(sys.platform != "linux", reason="these layers are Linux's")
def test_a_decoder_that_tries_to_get_out_gets_nothing(apart: Children, tmp_path: Path) -> None:
    layers = apart.layers(WITHIN)
    if layers["files"] or layers["calls"]:
        pytest.skip(f"not all layers hold here: {layers}")
    secret = tmp_path / "secret"
    secret.write_text("the key")
    free = tmp_path / "new"
    answer = apart.call(
        bad("get_out"), b"", about="a.jpg", within=WITHIN, secret=str(secret), parent=os.getpid(), free=str(free)
    )
    assert {name: came for name, came in answer.value["tries"].items() if came.startswith("got in")} == {}
    assert len(answer.value["tries"]) == 18
    assert SECRET not in answer.value["environment"]
    assert not [name for name in answer.value["environment"] if "KEY" in name or "PACKSHOT" in name or "AWS" in name]
    assert not free.exists()
    assert Path(bad_decoders.__file__).stat().st_size > 0
