"""Train the routing model on people's decisions, and measure how often its approvals were wrong.

The routing model predicts whether a person would refuse the machine's edit. By this it is decided which photographs the
machine edits, and which edits need no person.
"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.parameters import PersonName, Reason
from flows.presence import present
from tasks.learning.audits import measure_escapes
from tasks.learning.training import promote, roll_back, train_candidate


@flow(name="train-router", flow_run_name="train router", persist_result=False)
@present
def train_router() -> State[Any]:
    """Train a routing model on people's verdicts, and use it only if it is better on products kept for comparing.

    The run is completed in both cases. It fails if there are too few examples.
    """
    trained = train_candidate()
    promote(trained)
    return Completed(message=trained.sentence)


@flow(name="roll-back-router", flow_run_name="roll back router", persist_result=False)
@present
def roll_back_router(person: PersonName, reason: Reason) -> State[Any]:
    """Put the previous routing model into use again. The run fails if there is none. Your name and reason are kept."""
    return Completed(message=f"{roll_back(person=person, reason=reason)} serves")


@flow(name="audit-escapes", flow_run_name="audit escapes", persist_result=False)
@present
def audit_escapes() -> State[Any]:
    """Measure from audits how often the machine's approval was wrong. A broken promise makes routing stricter.

    In an audit a person judges a picture that the machine had approved. The promise is the share of wrong approvals
    that is allowed. The run fails if the promise was just found broken, so that people see it.
    """
    audited = measure_escapes()
    return Failed(message=audited.sentence) if audited.alarm else Completed(message=audited.sentence)
