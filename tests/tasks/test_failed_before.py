"""Every task that the code has about a shot or a batch works on a shot whose record says that it has failed.

An error can come after a task has begun and before it has ended: then the record says *failed*, and the task is tried
again. The second try must end as it would have ended without the first. The tasks are found in the code, so a new one
is tried, too.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from prefect import Task

import tasks
from packshot.decision import Choice
from packshot.errors import StorageUnavailableError
from packshot.keys import delivery_key, jobs_prefix, shots_prefix
from packshot.naming import BatchId
from packshot.record import State
from packshot.types import Verdict
from tasks.environment.configs import configs_in_force, fingerprint
from tasks.records.bookkeeping import living
from tasks.records.stored import load_batch, load_record
from tasks.results.handovers import ApprovedShot, EditedShot
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage.bucket import Storage, open_storage
from tests.tasks.by_people import answer
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import edited, photograph, submitted


def all_tasks() -> Iterator[tuple[str, Task[..., Any]]]:
    for module in pkgutil.walk_packages(tasks.__path__, "tasks."):
        if ".migrations" in module.name:  # they run in a program of their own
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Task) and value.fn.__module__ == module.name:
                yield f"{module.name.removeprefix('tasks.')}.{name}", value


def first_parameter(task: Task[..., Any]) -> str:
    return next((str(one.annotation) for one in inspect.signature(task.fn).parameters.values()), "")


ABOUT_A_SHOT = ("ShotId", "ShotRef", "MasteredShot", "RoutedShot", "EditedShot", "ApprovedShot")
TASKS = {name: one for name, one in all_tasks() if first_parameter(one) in (*ABOUT_A_SHOT, "BatchId")}


class Template:
    """A batch of one photograph at several places of the line, and what its stages have handed over."""

    def __init__(self, storage: Storage, batch: BatchId) -> None:
        self.storage, self.batch, self.shot = storage, batch, batch.shot("A1")
        self._kept: dict[State, dict[str, bytes]] = {}
        row = 'A1.jpg,A1,B0PACK1,boxes,MAIN,"shopify"\n'
        stock = submitted(batch, {"A1.jpg": photograph(radius_ratio=0.3)}, rows=row)
        self._keep()
        self.mastered = master_shot.fn(stock.shots[0], configs_fingerprint=stock.configs_fingerprint)
        self.group = group_shots.fn(batch, [self.mastered])["A1"]
        self.routed = route_shot.fn(self.mastered, group=self.group)
        self._keep()
        for verdict in (Verdict.HUMAN_REVIEW, Verdict.AUTO_APPROVE):
            self.put_back(State.ROUTED)
            edited(self.shot, verdict=verdict)
            self._keep()
        self.states = tuple(self._kept)
        self.approved = ApprovedShot.of(load_record(self.shot), generation=0)

    def _objects(self) -> dict[str, bytes]:
        prefixes = (
            shots_prefix(self.batch).removesuffix("shots/"),
            jobs_prefix(self.batch.client, self.batch.batch),
            delivery_key(self.batch, 1, "").removesuffix("1/"),
        )
        return {info.key: self.storage.get(info.key) for prefix in prefixes for info in self.storage.list(prefix)}

    def _keep(self) -> None:
        self._kept[load_record(self.shot).state] = self._objects()

    def put_back(self, state: State) -> None:
        """Bring the batch's objects back as they were when the shot was in this state."""
        for key in self._objects().keys() - self._kept[state].keys():
            self.storage._client.delete_object(Bucket=self.storage.bucket, Key=key)
        for key, data in self._kept[state].items():
            kind = "application/json" if key.endswith(".json") else "application/octet-stream"
            self.storage.put(key, data, content_type=kind, replaces=True)

    def made(self, name: str, annotation: str) -> Any:
        """What a task gets for one of its parameters."""
        of_its_name: dict[str, Callable[[], Any]] = {
            "configs_fingerprint": lambda: fingerprint(configs_in_force(), client=self.shot.client),
            "person": lambda: "Ada",
            "reason": lambda: "another crop",
            "question": lambda: "run-1",
            "answer": lambda: answer(self.shot, Choice.REJECT, picture="0" * 8),
            "waiting": lambda: ["A1"],
            "only": lambda: ["A1"],
        }
        of_its_type: dict[str, Callable[[], Any]] = {
            "ShotId": lambda: self.shot,
            "BatchId": lambda: self.batch,
            "ShotRef": lambda: load_batch(self.batch).ref("A1"),
            "MasteredShot": lambda: self.mastered,
            "RoutedShot": lambda: self.routed,
            "EditedShot": self._edited,
            "ApprovedShot": lambda: self.approved,
            "GroupDecision": lambda: self.group,
            "Sequence[RoutedShot]": lambda: [self.routed],
            "list[MasteredShot]": lambda: [self.mastered],
        }
        make = of_its_name.get(name) or of_its_type.get(annotation)
        assert make is not None, f"say above what a task gets for {name}: {annotation}"
        return make()

    def _edited(self) -> EditedShot:
        passed_on = {name: getattr(self.routed, name) for name in ("shot", "source_sha256", "plan_fingerprint")}
        said = {"verdict": Verdict.HUMAN_REVIEW, "score": 80, "reason": "score 80", "needs_person": True}
        return EditedShot(**passed_on, **said, group="g", category="boxes")


class Ended(NamedTuple):
    """How a task has ended.

    Attributes:
        what: its result (of a task about a batch, the type of it), or the type of its error.
        state: of the shot, afterwards.
        wrote: whether the shot's record was written.
        findings: codes of the findings in the shot's record, sorted.
        objects: hash of each of the shot's objects that its record names.
    """

    what: str
    state: State
    wrote: bool
    findings: tuple[str, ...]
    objects: dict[str, str]


def ended(template: Template, task: Task[..., Any]) -> Ended:
    wanted = inspect.signature(task.fn).parameters.values()
    given = {one.name: template.made(one.name, str(one.annotation)) for one in wanted if one.default is one.empty}
    before = load_record(template.shot)
    try:
        result = in_a_run(lambda: task.fn(**given))
        # What a task about a batch returns says how its shots stand: it may say that one has failed.
        what = repr(result) if first_parameter(task) in ABOUT_A_SHOT else type(result).__name__
    except Exception as error:  # noqa: BLE001  whatever it is, the second try must end so, too
        what = f"error {type(error).__name__}"
    after = load_record(template.shot)
    findings = tuple(sorted(finding.code for finding in after.findings))
    return Ended(what, after.state, after != before, findings, dict(after.objects))


@pytest.fixture(scope="module")
def template(nobody_takes_runs: None) -> Template:
    return Template(open_storage(), BatchId(client="acme", batch="failed-before"))


@pytest.mark.slow  # 90 s of processor time; `open_review` and the reviving of records have quick tests of their own
@pytest.mark.parametrize("name", TASKS)
def test_a_second_try_ends_as_if_the_first_had_not_failed(template: Template, name: str) -> None:
    """In each state until the task works. Where it works in none, both tries end with the same error."""
    task = TASKS[name]
    for state in template.states:
        template.put_back(state)
        undisturbed = ended(template, task)
        template.put_back(state)
        with suppress(StorageUnavailableError), living(template.shot):
            raise StorageUnavailableError("it did not answer")
        assert load_record(template.shot).failed_from is state
        again = ended(template, task)
        assert again.what == undisturbed.what, state
        if first_parameter(task) in ABOUT_A_SHOT and undisturbed.wrote:
            assert again[1:] == undisturbed[1:], state
        if first_parameter(task) in ABOUT_A_SHOT and not undisturbed.what.startswith("error"):
            return


def test_the_tasks_are_found_in_the_code() -> None:
    assert {"people.jobs.open_review", "stages.shot_stages.master_shot", "deliveries.delivering.deliver"} <= set(TASKS)
