"""Keep the shoot groups of batches in memory: which shots were taken in the same light.

A shot's page shows some of its neighbours in the group. The groups are in the batch's record, which is long, because
it lists every photograph of the batch. So the record is not read for each page.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping

from packshot.errors import RecordDamagedError
from packshot.naming import BatchId, ShotId
from tasks.records.stored import find_batch

KEPT_S = 60.0
"""Groups are made once, when a batch is processed; a batch that is processed again gets others."""
MOST_KEPT = 16
"""Batches that are remembered; the one that was read first is forgotten first."""

_Groups = Mapping[str, tuple[tuple[ShotId, ...], int]]
"""Name of a shot -> all shots of its group in the batch's order, and its own place among them."""


class ShootGroups:
    """The shoot groups of the batches that people look at. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin empty.

        Args:
            clock: seconds that only go forward.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._known: OrderedDict[BatchId, tuple[float, _Groups]] = OrderedDict()

    def nearest(self, shot: ShotId, many: int) -> list[ShotId]:
        """Return the shots of a shot's shoot group that stand nearest to it in the group's order, the nearest first.

        The order of a group is that of the batch's record: by name. The result is empty if the shot has no group, or
        the batch's record can't be read.

        Args:
            shot: a shot; it is not in the result.
            many: the largest number of shots to return.
        """
        group, at = self._groups_of(shot.in_batch).get(shot.shot, ((), 0))
        around = range(max(0, at - many), min(len(group), at + many + 1))
        return [group[one] for one in sorted(around, key=lambda one: abs(one - at))[1 : many + 1]]

    def _groups_of(self, batch: BatchId) -> _Groups:
        with self._lock:
            read_at, groups = self._known.get(batch, (float("-inf"), {}))
        if self._clock() - read_at < KEPT_S:
            return groups
        read_at, groups = self._clock(), _read(batch)
        with self._lock:
            self._known.pop(batch, None)
            self._known[batch] = (read_at, groups)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return groups


def _read(batch: BatchId) -> _Groups:
    try:
        record = find_batch(batch)
    except RecordDamagedError:
        return {}
    if record is None:
        return {}
    members = defaultdict[str, list[ShotId]](list)
    for ref in record.shots:
        members[record.groups.get(ref.shot.shot, "")].append(ref.shot)
    groups = [tuple(shots) for name, shots in members.items() if name]
    return {one.shot: (group, at) for group in groups for at, one in enumerate(group)}
