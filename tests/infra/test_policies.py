"""The keys of clients and editors: each tries every operation on every prefix, and does what its policy says."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.stack import running

POLICIES = Path(__file__).resolve().parents[2] / "infra" / "policies"
BUCKET = "policies"
READ, PUT = {"get", "head"}, {"put", "overwrite", "multipart"}
PREFIXES = {
    "inbox/acme/s1/": {"client": PUT},
    "inbox/acme-two/s1/": {},
    "inbox/other/s1/": {},
    "jobs/acme/s1/A1/out/": {"editor": READ},
    "jobs/acme/s1/A1/returned/": {"editor": PUT},
    "jobs/acme/s1/_returned/": {"editor": PUT},
    "jobs/acme/s1/A1/told/": {},
    "batches/acme/s1/": {},
    "deliveries/acme/s1/1/": {},
    "prefect-results/": {},
    "models/routing/": {},
    "leases/": {},
    "": {},
}
"""Prefix -> who may do what there. Nobody may do anything else."""


def statements(name: str) -> list[dict[str, Any]]:
    text = (POLICIES / f"{name}.json").read_text().replace("BUCKET", BUCKET).replace("CLIENT", "acme")
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


def of_all(client: Any, key: str) -> dict[str, Callable[[], Any]]:
    """Every operation on an object that lies there, and one that does not."""
    where = {"Bucket": BUCKET, "Key": key}

    def delete_many() -> None:
        told = client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}]})
        if told.get("Errors"):
            raise ClientError({"Error": {"Code": told["Errors"][0]["Code"]}}, "DeleteObjects")

    def multipart() -> None:
        upload = client.create_multipart_upload(Bucket=BUCKET, Key=f"{key}-parts")
        part = {**where, "Key": f"{key}-parts", "UploadId": upload["UploadId"]}
        etag = client.upload_part(**part, PartNumber=1, Body=b"part")["ETag"]
        client.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})

    def copy(source: str, target: str) -> Any:
        return client.copy_object(Bucket=BUCKET, Key=target, CopySource=f"{BUCKET}/{source}")

    return {
        "put": lambda: client.put_object(Bucket=BUCKET, Key=f"{key}-new", Body=b"new"),
        "overwrite": lambda: client.put_object(**where, Body=b"over"),
        "multipart": multipart,
        "get": lambda: client.get_object(**where),
        "head": lambda: client.head_object(**where),
        "list": lambda: client.list_objects_v2(Bucket=BUCKET, Prefix=key),
        "list parts": lambda: client.list_multipart_uploads(Bucket=BUCKET, Prefix=key),
        "copy from": lambda: client.copy_object(
            Bucket=BUCKET, Key="inbox/acme/s1/copied", CopySource=f"{BUCKET}/{key}"
        ),
        "copy to": lambda: client.copy_object(
            Bucket=BUCKET, Key=f"{key}-copy", CopySource=f"{BUCKET}/batches/acme/s1/x"
        ),
        "tag": lambda: client.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}),
        "read acl": lambda: client.get_object_acl(**where),
        "write acl": lambda: client.put_object_acl(**where, ACL="public-read"),
        "delete": lambda: client.delete_object(**where),
        "delete many": delete_many,
    }


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The embedded server's clients by name; the policies are its bucket's."""
    folder = tmp_path_factory.mktemp("policies")
    names = {"line": ["Admin", "Read", "Write", "List", "Tagging"], "client": [], "editor": [], "nobody": []}
    keys = {name: {"accessKey": name, "secretKey": secrets.token_hex(20)} for name in names}
    identities = [{"name": name, "credentials": [keys[name]], "actions": actions} for name, actions in names.items()]
    (folder / "s3-credentials.json").write_text(json.dumps({"identities": identities}))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("S3_ENDPOINT_URL", raising=False)  # this is about the embedded one
        with running(folder, prefect=False) as stack:
            made = {
                name: boto3.client(
                    "s3",
                    endpoint_url=stack.s3.endpoint_url,
                    region_name="us-east-1",
                    aws_access_key_id=name,
                    aws_secret_access_key=key["secretKey"],
                    config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
                )
                for name, key in keys.items()
            }
            made["line"].create_bucket(Bucket=BUCKET)
            bucket_policy = [
                {**one, "Sid": f"{name}{one['Sid']}", "Principal": {"AWS": [f"arn:aws:iam::000000000000:user/{name}"]}}
                for name in ("client", "editor")
                for one in statements(name)
            ]
            policy = json.dumps({"Version": "2012-10-17", "Statement": bucket_policy})
            made["line"].put_bucket_policy(Bucket=BUCKET, Policy=policy)
            yield made
            for one in made.values():
                one.close()


def allowed(operation: Callable[[], Any]) -> bool:
    try:
        operation()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "403"):
            return False
        raise
    return True


@pytest.mark.parametrize("who", ["client", "editor", "nobody"])
def test_each_key_does_on_every_prefix_what_its_policy_says_and_nothing_else(clients: dict[str, Any], who: str) -> None:
    line, wrong = clients["line"], []
    line.put_object(Bucket=BUCKET, Key="batches/acme/s1/x", Body=b"kept")
    for prefix, rights in PREFIXES.items():
        key = f"{prefix}x"
        line.put_object(Bucket=BUCKET, Key=key, Body=b"kept")
        for name, operation in of_all(clients[who], key).items():
            may = name in rights.get(who, set())
            if allowed(operation) is not may:
                wrong.append((prefix, name, "must" if may else "must not"))
        if not rights.get(who):
            assert line.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"kept"
    assert not wrong


@pytest.mark.parametrize("who", ["client", "editor"])
def test_no_key_changes_the_bucket_or_its_policy(clients: dict[str, Any], who: str) -> None:
    client = clients[who]
    for operation in (
        lambda: client.put_bucket_policy(Bucket=BUCKET, Policy="{}"),
        lambda: client.delete_bucket_policy(Bucket=BUCKET),
        lambda: client.get_bucket_policy(Bucket=BUCKET),
        lambda: client.delete_bucket(Bucket=BUCKET),
        lambda: client.create_bucket(Bucket=f"{BUCKET}-{who}"),
        lambda: client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
    ):
        assert not allowed(operation)


@pytest.mark.parametrize("name", ["client", "editor"])
def test_the_policies_are_documents_that_aws_and_minio_take(name: str) -> None:
    """By schema: the grammar of IAM policies, with actions and resources that both servers know."""
    text = (POLICIES / f"{name}.json").read_text()
    document = json.loads(text)
    assert document["Version"] == "2012-10-17"
    assert set(document) == {"Version", "Statement"}
    for one in document["Statement"]:
        assert set(one) == {"Sid", "Effect", "Action", "Resource"}
        assert one["Effect"] == "Allow"
        assert re.fullmatch(r"[A-Za-z0-9]+", one["Sid"])
        assert set(one["Action"]) <= {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"}
        assert all(re.fullmatch(r"arn:aws:s3:::BUCKET/[\w*/]+/\*", resource) for resource in one["Resource"])
