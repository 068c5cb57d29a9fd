"""A storage in memory that speaks as boto3's client does, with its own clock, and dies or loses answers when told to.

`tasks.storage.bucket.Storage` works on it unchanged, so conditional writes, write ids and checks are those of the line.
It is for what a real server cannot be told: to stop before its 137th request, or to let two clients take turns by a
seed.
"""

from __future__ import annotations

import hashlib
import io
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from tests.patience import PATIENCE_S

PAGE = 20
"""Objects in one page of a listing."""
BEGAN = datetime(2026, 3, 1, 2, tzinfo=UTC)


class Died(BaseException):
    """The process was killed: nothing of it runs any more, not even what cleans up."""


@dataclass(frozen=True)
class Stored:
    """One object."""

    data: bytes
    metadata: Mapping[str, str]
    content_type: str
    modified: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'  # of the content, as S3's is


@dataclass
class Actor:
    """A process that uses the storage.

    Attributes:
        run: id of the flow run it works on.
        skew: of its clock against the storage's.
        dies_at: number of its write at which it dies; it is carried out if `dies_after`.
        loses_answer_at: number of its first write whose answer never comes, so that it is sent again; then of every
            `loses_every` more.
        sleeps_at: number of its write before which the process stands still for minutes.
        suspended_s: how long its machine has been suspended so far.
        away_at: number of its request at which the storage goes away from it, for `away_for` requests.
    """

    run: str
    skew: timedelta = timedelta(0)
    dies_at: int = -1
    dies_after: bool = False
    loses_answer_at: int = -1
    loses_every: int = 1_000_000
    sleeps_at: int = -1
    away_at: int = -1
    away_for: int = 0
    requests: int = 0
    writes: int = 0
    dead: bool = False
    suspended_s: float = 0.0


@dataclass
class World:
    """What all processes share: the objects, the time, and whose turn it is.

    Attributes:
        history: the objects and the time after each write, where it is kept.
    """

    objects: dict[str, Stored] = field(default_factory=dict)
    seconds: float = 0.0
    actors: dict[int, Actor] = field(default_factory=dict)
    random: random.Random = field(default_factory=lambda: random.Random(0))
    history: list[tuple[dict[str, Stored], float]] | None = None

    def __post_init__(self) -> None:
        self._turn = threading.Condition()
        self._racing: list[int] = []
        self._next = 0

    @property
    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    @property
    def me(self) -> Actor:
        return self.actors[threading.get_ident()]

    def act(self, actor: Actor, work: Callable[[], Any]) -> bool:
        """Do something as a process; return whether it lived to the end."""
        self.actors[threading.get_ident()] = actor
        try:
            work()
        except Died:
            return False
        return True

    def race(self, *parts: tuple[Actor, Callable[[], Any]]) -> None:
        """Do several things at once; between two requests the world's own random numbers say who goes on."""
        errors: list[Exception] = []
        begun = threading.Barrier(len(parts))

        def run(actor: Actor, work: Callable[[], Any]) -> None:
            me = threading.get_ident()
            self._racing.append(me)
            begun.wait()
            self._pass_on()
            try:
                self._await_turn()
                self.act(actor, work)
            except Exception as error:  # noqa: BLE001  (raised again by the thread that waits for this one)
                errors.append(error)
            finally:
                self._racing.remove(me)
                self._pass_on()

        threads = [threading.Thread(target=run, args=part) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._racing.clear()
        if errors:
            raise errors[0]

    def _pass_on(self) -> None:
        with self._turn:
            if self._racing:
                order = sorted(self._racing, key=lambda one: self.actors[one].run if one in self.actors else "")
                self._next = self.random.choice(order)
            self._turn.notify_all()

    def _await_turn(self) -> None:
        me = threading.get_ident()
        with self._turn:
            assert self._turn.wait_for(lambda: self._next == me, timeout=PATIENCE_S)

    def step(self) -> None:
        """Let another go on, perhaps, before the next request; the time goes on a little."""
        if threading.get_ident() in self._racing:
            self._pass_on()
            self._await_turn()
        self.seconds += 0.05

    def stand_still(self, seconds: float) -> None:
        """Let the others go on for so long."""
        until = self.seconds + seconds
        while self.seconds < until:
            if len(self._racing) < 2:
                self.seconds = until
            self.step()

    # --- what `time` is to the code under test ---

    def monotonic(self) -> float:
        """Return what Linux does: this clock stands still while the machine is suspended."""
        return self.clock_gettime(0) - self.me.suspended_s

    def clock_gettime(self, clock: int) -> float:
        """Return the time of a clock that goes on while the machine is suspended; no other is asked for."""
        return self.seconds + self.me.skew.total_seconds()  # begins anywhere

    def suspend(self, seconds: float) -> None:
        """Suspend this process together with its machine; nobody else is."""
        self.stand_still(seconds)
        self.me.suspended_s += seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.step()


class SimulatedS3:
    """The requests that `tasks.storage.bucket` sends."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _request(self) -> None:
        actor = self._world.me
        if actor.dead:
            raise Died
        self._world.step()
        number, actor.requests = actor.requests, actor.requests + 1
        if actor.away_at <= number < actor.away_at + actor.away_for:
            raise EndpointConnectionError(endpoint_url="the simulated storage")

    def _write(self, change: Callable[[], Any]) -> Any:
        actor = self._world.me
        self._request()  # where the storage is away, nothing is written
        number, actor.writes = actor.writes, actor.writes + 1
        if number == actor.sleeps_at:
            self._world.stand_still(200)
        if number == actor.dies_at:
            actor.dead = True
            if actor.dies_after:
                change()
            raise Died
        if number >= actor.loses_answer_at >= 0 and (number - actor.loses_answer_at) % actor.loses_every == 0:
            change()  # boto3 hears nothing and sends it again
        answer = change()
        if self._world.history is not None:
            self._world.history.append((dict(self._world.objects), self._world.seconds))
        return answer

    def put_object(
        self, *, Key: str, Body: bytes, ContentType: str, Metadata: Mapping[str, str], **conditions: str
    ) -> Any:
        def put() -> Any:
            present = self._world.objects.get(Key)
            if "IfNoneMatch" in conditions and present is not None:
                raise _error("PreconditionFailed", 412)
            if "IfMatch" in conditions and present is None:
                raise _error("NoSuchKey", 404)
            if "IfMatch" in conditions and present is not None and present.etag != conditions["IfMatch"]:
                raise _error("PreconditionFailed", 412)
            self._world.objects[Key] = Stored(Body, dict(Metadata), ContentType, self._world.now)
            return {"ETag": self._world.objects[Key].etag}

        return self._write(put)

    def download_fileobj(self, bucket: str, key: str, file: Any, *, Config: Any) -> None:
        file.write(self._found(key).data)

    def upload_fileobj(self, file: Any, bucket: str, key: str, *, ExtraArgs: Mapping[str, Any], Config: Any) -> None:
        self.put_object(Key=key, Body=file.read(), ContentType=ExtraArgs["ContentType"], Metadata=ExtraArgs["Metadata"])

    def copy_object(
        self,
        *,
        Key: str,
        CopySource: Mapping[str, str],
        MetadataDirective: str,
        Metadata: Mapping[str, str] | None = None,
        ContentType: str = "",
        CopySourceIfMatch: str = "",
        **_: str,
    ) -> None:
        def copy() -> None:
            source = self._world.objects.get(CopySource["Key"])
            if source is None:
                raise _error("NoSuchKey", 404)
            if CopySourceIfMatch and source.etag != CopySourceIfMatch:
                raise _error("PreconditionFailed", 412)
            if MetadataDirective == "COPY":
                self._world.objects[Key] = replace(source, modified=self._world.now)
            else:
                self._world.objects[Key] = Stored(source.data, dict(Metadata or {}), ContentType, self._world.now)

        self._write(copy)

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self._write(lambda: self._world.objects.pop(Key, None))

    def get_object(self, *, Bucket: str, Key: str) -> Any:
        data = self._found(Key).data
        return {"Body": io.BytesIO(data), "ContentLength": len(data), **self._answer(Key)}

    def head_object(self, *, Bucket: str, Key: str) -> Any:
        return {"ContentLength": len(self._found(Key).data), **self._answer(Key)}

    def _found(self, key: str) -> Stored:
        self._request()
        if key not in self._world.objects:
            raise _error("NoSuchKey", 404)
        return self._world.objects[key]

    def _answer(self, key: str) -> dict[str, Any]:
        found = self._world.objects[key]
        date = format_datetime(self._world.now.replace(microsecond=0), usegmt=True)
        return {
            "ETag": found.etag,
            "Metadata": found.metadata,
            "ContentType": found.content_type,
            "LastModified": found.modified.replace(microsecond=0),
            "ResponseMetadata": {"HTTPHeaders": {"date": date}},
        }

    def head_bucket(self, *, Bucket: str) -> None:
        self._request()

    def list_objects_v2(
        self, *, Bucket: str, Prefix: str, MaxKeys: int = PAGE, Delimiter: str = "", ContinuationToken: str = ""
    ) -> Any:
        self._request()
        keys = [key for key in sorted(self._world.objects) if key.startswith(Prefix)]
        if Delimiter:
            below = (key.removeprefix(Prefix).partition(Delimiter) for key in keys)
            folders = dict.fromkeys(head for head, slash, _ in below if slash)
            return {"CommonPrefixes": [{"Prefix": f"{Prefix}{name}{Delimiter}"} for name in folders]}
        rest = [key for key in keys if key > ContinuationToken]
        found = [(key, self._world.objects[key]) for key in rest[:MaxKeys]]
        page = {
            "Contents": [
                {"Key": key, "Size": len(one.data), "ETag": one.etag, "LastModified": one.modified}
                for key, one in found
            ]
        }
        return page if len(rest) <= MaxKeys else {**page, "IsTruncated": True, "NextContinuationToken": found[-1][0]}


def _error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "request")  # type: ignore[typeddict-item]
