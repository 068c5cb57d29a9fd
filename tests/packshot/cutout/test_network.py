from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from packshot.cutout import load_segmenter
from packshot.cutout.network import to_size
from packshot.errors import ModelError
from tasks.environment.settings import Settings


@pytest.fixture(scope="module")
def u2netp() -> Path:
    found = sorted(Settings().models_dir.glob("u2netp-*.onnx"))
    if not found:
        pytest.skip("the model u2netp is not fetched: run `packshot models fetch`")
    return found[0]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_prediction_says_where_the_product_is_in_the_network_s_cells(u2netp: Path) -> None:
    y, x = np.mgrid[0:700, 0:900]
    picture = np.full((700, 900, 3), 205, np.uint8)
    picture[np.hypot(y - 350, x - 450) < 220] = (150, 40, 30)
    segmenter = load_segmenter("u2netp", u2netp, sha256=digest(u2netp))
    prediction = segmenter.predict(picture)
    assert prediction.shape == (320, 320)
    assert prediction.dtype == np.float32
    assert 0 <= prediction.min() <= prediction.max() <= 1
    found = to_size(prediction, (900, 700)) > 0.5
    true = np.hypot(y - 350, x - 450) < 220
    assert (found & true).sum() / (found | true).sum() > 0.9


def test_what_is_empty_stays_empty(u2netp: Path) -> None:
    """rembg's own reading stretches whatever there is to the full range."""
    segmenter = load_segmenter("u2netp", u2netp, sha256=digest(u2netp))
    assert segmenter.predict(np.full((400, 400, 3), 200, np.uint8)).max() < 0.5


def test_another_file_than_expected_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "u2netp.onnx"
    file.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="packshot models fetch") as refused:
        load_segmenter("u2netp", file, sha256="0" * 64)
    assert digest(file) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gone"):
        load_segmenter("u2netp", tmp_path / "gone.onnx", sha256="0" * 64)


def test_sessions_that_send_pictures_away_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not allowed"):
        load_segmenter("bria-rmbg", tmp_path / "any.onnx", sha256="0" * 64)


@pytest.mark.parametrize("engine", ["onnx", "", "OpenVINO"])
def test_an_unknown_engine_is_refused_and_no_other_is_taken(u2netp: Path, engine: str) -> None:
    with pytest.raises(ModelError, match="auto, onnxruntime, openvino, rembg"):
        load_segmenter("u2netp", u2netp, sha256=digest(u2netp), engine=engine)


WITH_OPENVINO = find_spec("openvino") is not None


@pytest.mark.skipif(WITH_OPENVINO, reason="openvino is installed")
def test_an_engine_that_is_not_installed_is_said_to_be_and_how_to_get_it(u2netp: Path) -> None:
    with pytest.raises(ModelError, match=r"packshot\[openvino\]"):
        load_segmenter("u2netp", u2netp, sha256=digest(u2netp), engine="openvino")
    assert load_segmenter("u2netp", u2netp, sha256=digest(u2netp)).engine == "onnxruntime"


@pytest.mark.skipif(not WITH_OPENVINO, reason="openvino is not installed: pip install packshot[openvino]")
def test_both_engines_see_the_same(u2netp: Path) -> None:
    y, x = np.mgrid[0:700, 0:900]
    picture = np.full((700, 900, 3), 205, np.uint8)
    picture[np.hypot(y - 350, x - 450) < 220] = (150, 40, 30)
    one, other = (
        load_segmenter("u2netp", u2netp, sha256=digest(u2netp), engine=engine) for engine in ("onnxruntime", "openvino")
    )
    assert (one.engine, one.precision) == ("onnxruntime", "float32")
    assert other.engine == "openvino"
    assert other.precision in ("float32", "bfloat16")
    apart = np.abs(one.predict(picture) - other.predict(picture))
    assert float(apart.mean()) < 0.01


@pytest.mark.slow  # rembg compiles pymatting's kernels first
def test_a_rembg_session_gives_the_same_bits_where_it_is_asked_for(u2netp: Path) -> None:
    picture = np.random.default_rng(5).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    direct, by_rembg = (
        load_segmenter("u2netp", u2netp, sha256=digest(u2netp), engine=engine) for engine in ("onnxruntime", "rembg")
    )
    assert (direct.engine, by_rembg.engine) == ("onnxruntime", "rembg")
    assert np.array_equal(direct.predict(picture), by_rembg.predict(picture))


USED = """
import sys
from pathlib import Path
import numpy as np
from packshot.cutout import load_segmenter
import flows.batch
load_segmenter("u2netp", Path(sys.argv[1]), sha256=sys.argv[2], engine="onnxruntime")
print(*sorted(name for name in sys.argv[3:] if name in sys.modules))
"""
SLOW_TO_IMPORT = (
    "rembg",
    "pymatting",
    "numba",
    "skimage",
    "sklearn",
    "scipy.stats",
    "scipy.ndimage",
    "pandas.core.frame",
)


def test_a_process_that_loads_a_network_imports_nothing_slow_that_it_may_not_need(u2netp: Path) -> None:
    command = [sys.executable, "-c", USED, str(u2netp), digest(u2netp), *SLOW_TO_IMPORT]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
