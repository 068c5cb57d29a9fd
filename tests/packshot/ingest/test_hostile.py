"""Every file of the hostile corpus opens or is refused: no other error, no crash, no hanging."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from packshot.errors import RefusedInputError
from packshot.ingest.decode import open_photo
from packshot.ingest.inspect_file import inspect
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig
from tests.shared_data import shared_data

# Run apart, so that a crash of the interpreter is seen as the failure of one file. Warnings are errors there too.
WORKER = """
import json, sys, time
from pathlib import Path
from packshot.errors import RefusedInputError
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig
limits = IngestConfig(min_px=1)
for line in sys.stdin:
    path, started = Path(line.rstrip("\\n")), time.monotonic()
    try:
        develop(open_photo(path.read_bytes(), name=path.name, limits=limits))
        outcome = "opened"
    except RefusedInputError as error:
        outcome = type(error).__name__
    except BaseException as error:
        outcome = f"ESCAPED {type(error).__name__}: {error}"
    print(json.dumps([str(path), outcome, time.monotonic() - started]), flush=True)
"""
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
LONGEST_S = 10
DEADLINE_S = 120


def run_apart(paths: list[Path]) -> dict[str, tuple[str, float]]:
    worker = subprocess.run(
        [sys.executable, "-W", "error", "-c", WORKER],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    done = {path: (outcome, seconds) for path, outcome, seconds in map(json.loads, worker.stdout.splitlines())}
    missing = [str(path) for path in paths if str(path) not in done]
    assert not missing, f"the interpreter ended ({worker.returncode}) at {missing[0]}: {worker.stderr[-500:]}"
    return done


@pytest.mark.parametrize(
    ("folder", "least_opened"),
    [
        ("hostile", 280),
        ("icc/pictures", 44),
        ("raw", 2),
        ("editor_returns", 100),
        ("colour_targets", 5),
        ("icc/profiles", 0),
    ],
)
def test_every_file_opens_or_is_refused(folder, least_opened):
    paths = [path for path in sorted(shared_data(*folder.split("/")).rglob("*")) if path.is_file()]
    done = run_apart(paths)
    escaped = {path: outcome for path, (outcome, _) in done.items() if outcome.startswith("ESCAPED")}
    slow = {path: seconds for path, (_, seconds) in done.items() if seconds > LONGEST_S}
    assert not escaped
    assert not slow
    assert sum(outcome == "opened" for outcome, _ in done.values()) >= least_opened


@pytest.mark.slow  # 280 real photographs
def test_every_product_photograph_opens():
    folder = shared_data("products")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURE_SUFFIXES]
    assert len(paths) >= 280
    assert {outcome for outcome, _ in run_apart(paths).values()} == {"opened"}


def test_hostile_metadata_never_stops_a_picture():
    limits = IngestConfig(min_px=1)
    for path in sorted(shared_data("hostile", "metadata-trouble").rglob("*")):
        if path.is_file():
            inspection = inspect(path.read_bytes(), path.name, limits)
            assert inspection.accepted or inspection.refusal
            assert inspection.model_dump_json()


def test_the_reallybig_bitmap_is_refused_by_its_header():
    path = shared_data("hostile", "bmp-suite", "Pillow", "reallybig.bmp")
    with contextlib.suppress(RefusedInputError):
        develop(open_photo(path.read_bytes(), name=path.name, limits=IngestConfig(min_px=1)))
        pytest.fail("six million megapixels were opened")
