"""Write the certificate of a delivery: each file's measurements, the software's versions, and who approved it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from packshot.errors import VerificationError
from packshot.export.delivery import DeliveredFile, DeliverySummary, ShotSummary
from packshot.export.sets import ProductSet
from packshot.figures import counted
from packshot.types import Finding, Status

SCHEMA = "packshot-certificate/1"
_MEANING = {
    "background": "Every decoded pixel farther from the product than ring_distance_px was compared with exact white; "
    "checked_px of them, off_white_px differed.",
    "fill_ratio": "Share of the canvas that the product takes along the side where it takes most, from decoded pixels.",
    "colour": "Delta E 2000 (D50) between the framed master and the decoded file, over the product.",
    "correction": "What the pixels of every shot of shoot_group were changed by, in linear light: gains of red, green "
    "and blue, then the coefficients of a colour target's fit. Nothing else changed the product's colours.",
    "colour_reference": "Whether the product's colours were also held against a colour target or a swatch.",
    "corrects": "Number of the delivery whose files of this shot these replace.",
    "products": "Whether each product has all the views that the style guide asks for: in this delivery, delivered "
    "before, or approved in another batch (elsewhere: view and batch). lacks names the others with the reason.",
    "left_out": "Platforms that get nothing of a shot, or not all, with the reason.",
    "sha256": "Of the file as delivered.",
}


def certificate_json(delivery: DeliverySummary) -> bytes:
    """Return the content of a delivery's ``certificate.json``, UTF-8. The same delivery always gives the same bytes.

    It lists each file with its hash and measurements, each photograph with its history, and what is not in the
    delivery, with the reason.

    Args:
        delivery: the delivery to certify.
    """
    certificate = {
        "schema": SCHEMA,
        "client": delivery.batch.client,
        "batch": delivery.batch.batch,
        "delivery": delivery.number,
        "at": delivery.at.isoformat(),
        "code_version": delivery.code_version,
        "pipeline_version": delivery.pipeline_version,
        "meaning": _MEANING,
        "photographs": {"received": len(delivery.shots)} | {str(kind): n for kind, n in delivery.counts.items()},
        "files": [_file(shot, file) for shot, file in delivery.files],
        "shots": [_shot(shot) for shot in delivery.shots if shot.files],
        **({"products": [_product(one) for one in delivery.products]} if delivery.products else {}),
        "not_in_this_delivery": [
            {
                "shot": shot.shot,
                "file": shot.file,
                "fate": shot.kind,
                "state": shot.state.value,
                "why": shot.why,
                **({"left_out": dict(shot.left_out)} if shot.left_out else {}),
            }
            for shot in delivery.shots
            if not shot.files
        ],
    }
    return (json.dumps(certificate, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _product(product: ProductSet) -> dict[str, Any]:
    return {
        "product": product.product,
        "views": list(product.views),
        "complete": product.complete,
        **({"lacks": dict(product.lacks)} if product.lacks else {}),
        **({"elsewhere": dict(product.elsewhere)} if product.elsewhere else {}),
    }


def check_files(certificate: bytes, files: Mapping[str, bytes]) -> None:
    """Check that a delivery's pictures are exactly those in its certificate, unchanged. Nothing comes back.

    Args:
        certificate: content of ``certificate.json``.
        files: path of a picture below the delivery's folder, such as ``amazon_main/BTL201.jpg``, -> its content. Give
            all pictures of the delivery, but not its tables, its report and the certificate: they are not certified.
    Raises:
        VerificationError: a file is missing, not certified, or changed; the error names up to ten of them.
    """
    certified = {one["path"]: one["sha256"] for one in json.loads(certificate)["files"]}
    problems = [f"{path} is missing" for path in sorted(certified.keys() - files.keys())]
    problems += [f"{path} is not certified" for path in sorted(files.keys() - certified.keys())]
    problems += [
        f"{path} was changed"
        for path in sorted(certified.keys() & files.keys())
        if hashlib.sha256(files[path]).hexdigest() != certified[path]
    ]
    if problems:
        raise VerificationError(
            "the files differ from those in the certificate",
            counted(len(problems), "file"),
            found="; ".join(problems[:10]),
            allowed="the delivered files, unchanged",
            next_step="Fetch the delivery again.",
        )


def _file(shot: ShotSummary, file: DeliveredFile) -> dict[str, Any]:
    """Return a file's entry in the certificate."""
    said = file.model_dump(mode="json", exclude={"findings", "passed"})
    return {
        **said,
        "shot": shot.shot,
        "plan_fingerprint": shot.plan_fingerprint,
        "colour_reference": shot.colour_reference,
        "checks_passed": sorted({one.code for one in file.findings if one.status is Status.PASSED}),
        "findings": [_finding(one) for one in file.remarks],
    }


def _shot(shot: ShotSummary) -> dict[str, Any]:
    """Return a shot's entry in the certificate."""
    said = shot.model_dump(mode="json", exclude={"findings", "files", "facts", "kind", "state"})
    if shot.corrects is None:
        del said["corrects"]
    return {
        **said,
        "facts": {name: fact.model_dump() for name, fact in sorted(shot.facts.items())},
        "findings": [_finding(one) for one in shot.remarks],
        "files": [file.path for file in shot.files],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values, without empty fields."""
    return finding.model_dump(mode="json", exclude_none=True)
