"""Connect to the S3 storage, with one boto3 client for each process and address, which all threads share."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tasks.environment.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

ATTEMPTS = 3
"""Kept low because the calling task also retries, and logs it."""

_building = threading.Lock()


def connect(settings: Settings) -> S3Client:
    """Return the boto3 client with which this process asks the storage. The same settings give the same client.

    Nothing is asked yet, so a wrong address or key shows only at the first request.
    """
    with _building:
        return _client(os.getpid(), settings.s3_endpoint_url, settings)


def connect_for_links(settings: Settings) -> S3Client:
    """Return the boto3 client that signs links and forms for browsers.

    Browsers may reach the storage under another address than this process, and the signature covers the address. That
    address is the setting ``PACKSHOT_S3_PUBLIC_ENDPOINT_URL``; if it is not set, the result is the client of `connect`.
    """
    with _building:
        return _client(os.getpid(), settings.s3_public_endpoint_url or settings.s3_endpoint_url, settings)


@lru_cache(maxsize=8)
def _client(process_id: int, endpoint_url: str | None, settings: Settings) -> S3Client:
    """Return a client with its own connection pool. The process id is a cache key: a fork must not share a pool."""
    access_key, secret_key = settings.s3_access_key, settings.s3_secret_key
    checked = settings.s3_checksums == "on"  # else the signature covers the bytes, and the storage verifies that
    style: Literal["path", "auto"] = "path" if endpoint_url else "auto"
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=access_key.get_secret_value() if access_key else None,
        aws_secret_access_key=secret_key.get_secret_value() if secret_key else None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": style} if checked else {"addressing_style": style, "payload_signing_enabled": True},
            request_checksum_calculation="when_supported" if checked else "when_required",
            response_checksum_validation="when_supported" if checked else "when_required",
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=settings.s3_connections,
            connect_timeout=5,
            read_timeout=settings.s3_timeout_s,
            tcp_keepalive=True,
            proxies={} if _on_this_machine(endpoint_url) else None,
        ),
    )


def _on_this_machine(endpoint_url: str | None) -> bool:
    """Return whether the storage is on this machine, so that a proxy must not be used."""
    return urlsplit(endpoint_url or "").hostname in ("127.0.0.1", "localhost", "::1")
