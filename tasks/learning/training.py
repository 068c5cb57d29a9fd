"""Train a routing model on people's decisions, and decide which model is used afterwards.

The routing model estimates how likely it is that a person refuses the machine's edit of a shot.
"""

from __future__ import annotations

from prefect import task

from packshot.escaping import markdown
from packshot.figures import counted
from packshot.handoff.deciding import since_restart
from packshot.learning.comparing import Comparison, compare
from packshot.learning.evidence import example_of, is_held_out, truth_examples
from packshot.learning.training import train
from packshot.routing.model import Example, RoutingModel
from packshot.types import Value
from tasks.learning.routing_model import change_service, load_version, service, store_model
from tasks.queries.asking import judged_records, repair
from tasks.records.bookkeeping import ALWAYS, actor, now
from tasks.telling.artifacts import page_artifact

ARTIFACT = "routing-model"


class Trained(Value):
    """The version of a newly trained routing model, and its comparison with the model in use.

    A routing model predicts whether a person would refuse the machine's edit.

    Attributes:
        version: version of the new model.
        serving: version of the model in use when they were compared.
        learnt_from: number of shots judged by people that it has learnt from, besides scenes whose right result is
            known.
        comparison: measurements of both models on the same products, and whether the new one is better.
    """

    version: str
    serving: str
    learnt_from: int
    comparison: Comparison

    @property
    def sentence(self) -> str:
        """In words: what the new model has learnt from, whether it is used now, and why.

        Example of its beginning: ``2026-03-01-1a2b3c4d, from 1,200 judged shots besides truth, serves now``.
        """
        done = "serves now" if self.comparison.better else f"does not serve, {self.serving} goes on"
        learnt = counted(self.learnt_from, "judged shot")
        return f"{self.version}, from {learnt} besides truth, {done}: {self.comparison.why}"


@task(name="train a candidate", task_run_name="train a candidate", **ALWAYS)
def train_candidate() -> Trained:
    """Train a new routing model and store it; return its version, and its comparison with the model in use.

    A routing model predicts whether a person would refuse the machine's edit.

    The model learns from scenes whose right result is known and from all shots that people have judged. About 30 % of
    the products are kept out: their shots are used only for the comparison. A hash of the product decides, so they are
    the same products each time. The new model is not used before `promote`.

    Raises:
        TrainingError: there are too few examples to learn from.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    repair()
    found = (example_of(record, since_restart(record)) for record in judged_records())
    judged = [one for one in found if one is not None]
    held_out = [one for one in judged if is_held_out(one)]
    learnt = [one for one in judged if not is_held_out(one)]
    with_truth = counted(len(truth_examples()), "photograph")
    said = f"{with_truth} with truth, {counted(len(learnt), 'shot')} of the line that people judged"
    candidate = train([*truth_examples(), *learnt], at=now(), data=said)
    store_model(candidate)
    return _compared(candidate, held_out, learnt=len(learnt))


def _compared(candidate: RoutingModel, held_out: list[Example], *, learnt: int) -> Trained:
    serving = load_version(service().version)
    comparison = compare(candidate, serving, held_out)
    return Trained(version=candidate.version, serving=serving.version, learnt_from=learnt, comparison=comparison)


@task(name="promote", task_run_name="promote · {trained.version}", **ALWAYS)
def promote(trained: Trained) -> None:
    """Put a new routing model (which predicts whether a person would refuse the machine's edit) into use if it is
    better than the present one. Nothing is returned.

    The comparison is shown in Prefect's UI in both cases.

    Args:
        trained: the new model, from `train_candidate`.
    """
    if trained.comparison.better:
        change_service(lambda one: one.promote(trained.version, at=now(), by=actor(), why=trained.comparison.why))
    page_artifact(_page(trained), key=ARTIFACT, description=trained.sentence)


@task(name="roll back", task_run_name="roll back", **ALWAYS)
def roll_back(*, person: str, reason: str) -> str:
    """Put the previous routing model (which predicts whether a person would refuse the machine's edit) into use again,
    and return the version of this model.

    Args:
        person: name of the person who asks for it.
        reason: why, in words; kept with the name.
    Raises:
        ModelError: there is no previous model.
    """
    after = change_service(lambda one: one.roll_back(at=now(), by=f"{person} ({actor()})", why=reason))
    return after.version


def _page(trained: Trained) -> str:
    rows = [
        f"| {name} | {one.shots} | {'-' if one.auc is None else f'{one.auc:.3f}'} | {one.calibration_error:.3f} | "
        f"{one.log_loss:.4f} |"
        for name, one in (("candidate", trained.comparison.candidate), ("serving", trained.comparison.serving))
    ]
    head = ["| on held-out shots | shots | AUC | calibration error | log loss |", "|---|---:|---:|---:|---:|"]
    return "\n".join([f"# Routing model\n\n{markdown(trained.sentence)}.\n", *head, *rows])
