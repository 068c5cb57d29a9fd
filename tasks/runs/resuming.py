"""Find the suspended runs that wait for people, and resume them; used by the command line and the hot folder.

Prefect accepts one answer to a question. The second person to answer gets an error, as in the UI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Cancelled

from packshot.errors import DecisionRefusedError
from packshot.naming import ShotId
from tasks.runs.suspended import run_name

HUMAN_FLOW = "human-edit"
_PAGE = 200
_WAITING = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))


def shot_of_run(run: FlowRun) -> ShotId:
    """Return the shot that a run of the flow `human-edit` asks people about. Its id is in the run's parameters.

    Raises:
        KeyError: it is a run of another flow, without the parameters client, batch and shot.
    """
    return ShotId(**{name: str(run.parameters[name]) for name in ("client", "batch", "shot")})


def waiting_runs(tags: Sequence[str] = ()) -> Iterator[FlowRun]:
    """Yield the runs that wait for people now, sorted by name, which is by client, batch and shot.

    They are read page by page. A caller that resumes or cancels runs meanwhile must first make a list.

    Args:
        tags: only runs that have all these tags, for example ``client:acme``; empty means all runs.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    wanted = FlowRunFilter(state=_WAITING, tags=FlowRunFilterTags(all_=list(tags)) if tags else None)
    with get_client(sync_client=True) as client:
        yield from human_edits(client, wanted)


def human_edits(client: SyncPrefectClient, wanted: FlowRunFilter) -> Iterator[FlowRun]:
    """Yield the runs of the flow `human-edit`, which ask people about a shot, that match a filter; sorted by name.

    They are read page by page. A caller that resumes or cancels runs meanwhile must first make a list.

    Args:
        client: Prefect's client.
        wanted: Prefect's filter of flow runs.
    """
    return runs_of(client, wanted, flow=HUMAN_FLOW)


def runs_of(client: SyncPrefectClient, wanted: FlowRunFilter, *, flow: str | Sequence[str] = "") -> Iterator[FlowRun]:
    """Yield all flow runs that match a filter, sorted by name.

    They are read page by page. If the caller changes runs so that they no longer match, some are skipped. Such a caller
    must first make a list.

    Args:
        client: Prefect's client.
        wanted: Prefect's filter of flow runs.
        flow: only runs of the flow of this name, or of these names; empty means any.
    """
    names = [flow] if isinstance(flow, str) else list(flow)
    offset, of_flow = 0, FlowFilter(name=FlowFilterName(any_=names)) if flow else None
    while True:
        page = client.read_flow_runs(
            flow_filter=of_flow,
            flow_run_filter=wanted,
            sort=FlowRunSort.NAME_ASC,
            limit=_PAGE,
            offset=offset,
        )
        yield from page
        if len(page) < _PAGE:
            return
        offset += _PAGE


def how_many_wait() -> tuple[int, str]:
    """Return (number of runs that wait for people, id of the one with the latest expected start).

    If both are the same as at an earlier call, most likely nothing has changed. The id is empty if no run waits. The
    call costs two requests to Prefect, however many runs there are.
    """
    of_people, wanted = FlowFilter(name=FlowFilterName(any_=[HUMAN_FLOW])), FlowRunFilter(state=_WAITING)
    with get_client(sync_client=True) as client:
        count = client.request(
            "POST",
            "/flow_runs/count",
            json={
                "flows": of_people.model_dump(mode="json", exclude_unset=True),
                "flow_runs": wanted.model_dump(mode="json", exclude_unset=True),
            },
        ).json()
        newest = client.read_flow_runs(
            flow_filter=of_people, flow_run_filter=wanted, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1
        )
    return int(count), str(newest[0].id) if newest else ""


def waiting_run_of(shot: ShotId) -> FlowRun | None:
    """Return the suspended run that waits for people's answer about a shot; None if there is none.

    If there are several, it is the one that was created last.

    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    wanted = FlowRunFilter(state=_WAITING, name=FlowRunFilterName(any_=[run_name(shot)]))
    with get_client(sync_client=True) as client:
        return max(human_edits(client, wanted), key=lambda run: run.created or run.id, default=None)


def resume(run: FlowRun, answer: Mapping[str, Any]) -> None:
    """Send a person's answer to a suspended run, so that the run goes on.

    Args:
        run: a suspended run of the flow `human-edit`.
        answer: the form's fields, as JSON: field name -> value.
    Raises:
        DecisionRefusedError: somebody else answered first, or the form does not accept this answer.
        PrefectHTTPStatusError: Prefect's server answered with an error, and the run still waits.
    """
    shot = str(shot_of_run(run))
    with get_client(sync_client=True) as client:
        try:
            reply = client.resume_flow_run(run.id, run_input=dict(answer))
        except PrefectHTTPStatusError:
            if _waits(client, run.id):
                raise
            raise _too_late(shot) from None
        if reply.status.value == "ACCEPT":
            return
        if not _waits(client, run.id):
            raise _too_late(shot)
    raise DecisionRefusedError(
        "the form does not accept this answer",
        shot,
        found=str(getattr(reply.details, "reason", "") or reply.status.value).rstrip("."),
        next_step="Open the form again and answer what it asks for.",
    )


def form_fields(run: FlowRun) -> frozenset[str]:
    """Return the names of the fields in the form of a suspended run; empty if the run has no form.

    A run that an earlier version of Packshot has created may have fewer fields than today's form.

    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    keyset = run.state.state_details.run_input_keyset if run.state else None
    if not keyset:
        return frozenset()
    with get_client(sync_client=True) as client:
        schema = json.loads(client.read_flow_run_input(run.id, keyset["schema"]))
    return frozenset(schema.get("properties", {}))


def _waits(client: SyncPrefectClient, run_id: UUID) -> bool:
    state = client.read_flow_run(run_id).state
    return state is not None and state.is_paused()


def _too_late(shot: str) -> DecisionRefusedError:
    return DecisionRefusedError(
        "somebody else answered first",
        shot,
        next_step="Your answer was not accepted. Look at the shot in a moment: packshot job show.",
    )


def cancel_waiting(shot: ShotId, *, why: str) -> int:
    """Cancel all runs that wait for people about a shot; return how many there were.

    Args:
        why: the reason, in words; Prefect shows it.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    wanted = FlowRunFilter(state=_WAITING, name=FlowRunFilterName(any_=[run_name(shot)]))
    with get_client(sync_client=True) as client:
        found = list(human_edits(client, wanted))
        for run in found:
            client.set_flow_run_state(run.id, Cancelled(message=why), force=True)
    return len(found)
