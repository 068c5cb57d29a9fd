"""People in tests of the running line: forms as the UI shows them, answers as it sends them."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple
from uuid import UUID

from PIL import Image, ImageDraw
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from deployments.demo import SAMPLES
from packshot.decision import REASONS, Choice
from tests.drawn_products import SRGB
from tests.flows.line import Line, poll


class Form(NamedTuple):
    """What the UI shows of a waiting run."""

    schema: dict[str, Any]
    description: str


def form_of(run: FlowRun) -> Form:
    assert run.state
    keyset = run.state.state_details.run_input_keyset
    assert keyset, "the run shows no form"
    with get_client(sync_client=True) as client:
        answers = {
            what: client.request("GET", f"/flow_runs/{run.id}/input/{keyset[what]}").json()  # type: ignore[arg-type]
            for what in ("schema", "description")
        }
    schema = answers["schema"]
    return Form(schema if isinstance(schema, dict) else json.loads(schema), str(answers["description"]))


def as_the_ui_sends(run: FlowRun, choice: Choice, **values: Any) -> dict[str, Any]:
    """The form's proposals with some fields filled in."""
    proposed = {
        name: field["default"] for name, field in form_of(run).schema["properties"].items() if "default" in field
    }
    return {**proposed, "decision": choice.value, "reason": REASONS[choice][0].value, **values}


def answered(line: Line, run_id: UUID, choice: Choice, **values: Any) -> FlowRun:
    """Answer the form as the UI does, and return the run once it has ended or waits again."""
    before = line.read(run_id)
    with get_client(sync_client=True) as client:
        accepted = client.resume_flow_run(run_id, run_input=as_the_ui_sends(before, choice, **values))
    assert accepted.status.value == "ACCEPT", accepted
    return settled(line, before)


def settled(line: Line, before: FlowRun) -> FlowRun:
    """Return a run once it has ended or waits again."""

    with get_client(sync_client=True) as client:

        def done() -> FlowRun | None:
            run = client.read_flow_run(before.id)
            assert run.state
            at_rest = run.state.is_final() or run.state.is_paused()
            return run if at_rest and run.state_id != before.state_id else None

        return poll(done, until="the answer has been dealt with")


def returned_picture(sample: str = "GLS501_MAIN.jpg") -> bytes:
    """An editor's work: the photograph as large as it was, everything but the product transparent."""
    with Image.open(SAMPLES / sample) as photograph:
        work = photograph.convert("RGB")
        profile = photograph.info.get("icc_profile", SRGB)
    matte = Image.new("L", (work.width * 2, work.height * 2))
    ImageDraw.Draw(matte).ellipse([side * 0.6 for side in work.size] + [side * 1.4 for side in work.size], fill=255)
    work.putalpha(matte.resize(work.size, Image.Resampling.BOX))
    file = io.BytesIO()
    work.save(file, "PNG", icc_profile=profile, compress_level=1)
    return file.getvalue()
