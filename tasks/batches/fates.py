"""Say what became of each file of a batch, and sum it up as sentences and table rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from packshot.export import sets
from packshot.export.left_out import LeftOut, in_words
from packshot.export.warned import Warned
from packshot.figures import counted
from packshot.naming import BatchId
from packshot.record import State
from packshot.types import Finding, Value

AT_WORK = "at work"
"""`Fate.kind` of a shot that a live run has not finished yet."""


class Fate(Value):
    """What became of one photograph of a batch.

    Attributes:
        shot: name of the shot.
        file: path of the photograph in its batch.
        kind: ``delivered``, ``waiting``, ``refused`` or ``failed``. A shot that is none of the first three counts as
            failed, also if its run has only stopped. While a run is at work, an unfinished shot is ``at work``.
        state: the state in the shot's record.
        why: the reason for its state, in words.
        category: product category, such as ``bottle``; empty if it is not known.
        score: of the edit, 0 to 100; None if the shot has no edit, or if its reviewer must not see the score yet.
        files: number of its renditions that passed the check after export.
        with_whom: who has to act on a waiting shot: a role such as ``a reviewer``, or a person's name. Empty for all
            other shots.
        since, due: since when the shot waits, and until when somebody has to act (both UTC). None for all other shots;
            `due` is also None if nobody has to act by a time.
        left_out: name of a platform that gets no file of the photograph, or path in the delivery of a missing file ->
            the reason in words.
        product: SKU, else ASIN or GTIN, of the product that the photograph shows; empty unless the client asks for
            certain views of each product.
        lacks: the missing views of that product with the reasons, as one text: ``PT02 (not received), NECK (waits for a
            reviewer)``; empty if none is missing.
        from_elsewhere: the views of that product that came in other batches, as one text: ``PT01 in spring-24``; empty
            if none did.
        unreadable: True if the shot has no record, or its record can't be read.
        passing: True if the shot failed, and another try may help. Its run has stopped in the middle, or the cause may
            pass by itself: the storage or a server was away, or a disk was full.
    """

    shot: str
    file: str
    kind: str
    state: State
    why: str
    category: str = ""
    score: float | None = None
    files: int = 0
    with_whom: str = ""
    since: datetime | None = None
    due: datetime | None = None
    left_out: Mapping[str, str] = Field(default_factory=dict)
    product: str = ""
    lacks: str = ""
    from_elsewhere: str = ""
    unreadable: bool = False
    passing: bool = False

    @property
    def on_hold(self) -> bool:
        """True if the shot waits for something that the client must send or answer."""
        return self.state is State.ON_HOLD

    @property
    def why_beside_its_name(self) -> str:
        """The reason for the photograph's state, for a table that has the file's name in another column.

        It is `why` without the file's name at the beginning."""
        return self.why.removeprefix(f"{self.file.rpartition('/')[2]}: ")


class Summary(Value):
    """What became of every photograph of a batch. `survey` makes it.

    Attributes:
        batch: the batch.
        fates: one for each photograph, in the order of the batch's record, which is by name.
        findings: what was noticed about the batch and its manifest.
        warnings: warnings about its photographs, the one that most of them have first. Each has a code, a message, and
            the names of its photographs. Messages that differ only in their numbers are one warning.
        products: one for each product that must have certain views, with the views that it lacks. It is empty if the
            client asks for none.
        stands: words for a batch that is cancelled or not begun, or that a run works on: "A run is at work on it now".
            Otherwise empty.
    """

    batch: BatchId
    fates: tuple[Fate, ...]
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Warned, ...] = ()
    products: tuple[sets.ProductSet, ...] = ()
    stands: str = ""

    def of(self, kind: str) -> tuple[Fate, ...]:
        """Return the photographs whose `Fate.kind` is this one; empty if there are none. Example: ``of("failed")``."""
        return tuple(fate for fate in self.fates if fate.kind == kind)

    @property
    def failed(self) -> tuple[Fate, ...]:
        """The photographs that failed."""
        return self.of("failed")

    @property
    def passing(self) -> tuple[Fate, ...]:
        """The failed photographs that may succeed if they are tried once more in the same run (`Fate.passing`)."""
        return tuple(fate for fate in self.failed if fate.passing)

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of photographs by `Fate.kind`, such as ``{"delivered": 48, "waiting": 2, "refused": 0, "failed": 0}``.

        The numbers add up to all photographs. ``at work`` is only there if it is not 0.
        """
        found = Counter(fate.kind for fate in self.fates)
        kinds = ("delivered", "waiting", "refused", "failed", *([AT_WORK] if found[AT_WORK] else []))
        return {kind: found[kind] for kind in kinds}

    @property
    def sentence(self) -> str:
        """The whole batch in words: "50 photographs: 48 delivered, 2 waiting (1 of them on hold), 0 refused, 0 failed".

        After that come incomplete products, and what platforms did not get.
        """
        held = sum(fate.on_hold for fate in self.fates)
        words = {"waiting": f" ({held} of them on hold)"} if held else {}
        counts = ", ".join(f"{n} {kind}{words.get(kind, '')}" for kind, n in self.counts.items())
        told = f"{counted(len(self.fates), 'photograph')}: {counts}" if self.fates or not self.stands else ""
        return "; ".join(filter(None, (self.stands, told, sets.in_words(self.products), in_words(self.left_out))))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was not delivered, and why: one entry for each photograph and each platform that gets nothing of it.

        If a platform gets only some files of the photograph, there is one entry for each missing file.
        """
        return tuple(
            LeftOut(shot=fate.shot, name=name, why=why) for fate in self.fates for name, why in fate.left_out.items()
        )

    @property
    def rows(self) -> list[dict[str, object]]:
        """One table row for each photograph: column heading -> cell, for `table_artifact`.

        The columns are shot, became, waits for, due, why, since, score, files, product (only if products must have
        certain views), left out, and file. Important ones come first, because pages cut off wide tables.
        """
        return [
            {
                "shot": fate.shot,
                "became": "on hold" if fate.on_hold else fate.kind,
                "waits for": fate.with_whom,
                "due": f"{fate.due:%Y-%m-%d %H:%M}" if fate.due else "",
                "why": fate.why_beside_its_name,
                "since": f"{fate.since:%Y-%m-%d %H:%M}" if fate.since else "",
                "score": fate.score,
                "files": fate.files,
                **({"product": _product_cell(fate)} if self.products else {}),
                "left out": "; ".join(f"{name}: {why}" for name, why in fate.left_out.items()),
                "file": fate.file,
            }
            for fate in self.fates
        ]

    @property
    def failure_sentence(self) -> str:
        """How many shots failed, with the reasons of the first five: "1 of 50 shots failed: BTL201: the disk is full".

        After that it says which platforms get nothing of shots that did not fail. Use it only if a shot failed.
        """
        named = "; ".join(f"{fate.shot}: {fate.why}" for fate in self.failed[:5])
        failed = f"{len(self.failed)} of {counted(len(self.fates), 'shot')} failed: {named}"
        named_already = {fate.shot for fate in self.failed}
        others = in_words(one for one in self.left_out if one.shot not in named_already)
        return "; ".join(filter(None, (failed, others)))


def _product_cell(fate: Fate) -> str:
    """Return a product with what it lacks, for a table, such as "KTL301 complete (PT01 in spring-24)"."""
    if not fate.product:
        return ""
    elsewhere = f" ({fate.from_elsewhere})" if fate.from_elsewhere else ""
    return f"{fate.product} lacks {fate.lacks}" if fate.lacks else f"{fate.product} complete{elsewhere}"
