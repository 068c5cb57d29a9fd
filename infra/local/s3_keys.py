"""Create the certificates and keys by which the parts of the embedded S3 server authenticate each other.

SeaweedFS is several servers in one process: master, volumes, filer and the S3 gateway. Only the gateway asks for an S3
key. Here the others get mutual TLS (gRPC and HTTP) and signed tokens. So no request without the certificate reaches
them, neither from another user of the machine nor from a web page.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import secrets
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=3650)
RENEWED_BEFORE_END = timedelta(days=365)
AUTHORITY = "packshot-storage-authority"
TOKENS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
GRPC = ("master", "volume", "filer", "s3", "client", "msg_broker", "msg_agent", "admin", "worker", "mq")
HTTPS = ("master", "volume", "filer", "admin")


@dataclasses.dataclass(frozen=True)
class InnerKeys:
    """Files of the TLS certificate by which the parts of the S3 server know each other.

    Each part shows this certificate, and accepts only connections that show one of the same authority.

    Attributes:
        authority: certificate of the authority that has signed it, in PEM.
        certificate, key: the certificate and its private key, in PEM.
    """

    authority: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return the TLS context for a client of the inner servers.

        With it the client shows the certificate, and accepts only servers whose certificate the same authority has
        signed.
        """
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.certificate, self.key)
        return context


def draw(folder: Path) -> InnerKeys:
    """Return the keys for the parts of the embedded S3 server, from a folder.

    They are created at the first start, and again when the certificate has less than a year left. Only this user can
    read them. The authority's private key is never written, so nobody can sign another certificate.

    Args:
        folder: the folder, which exists.
    """
    keys = InnerKeys(folder / "authority.pem", folder / "inner.pem", folder / "inner.key")
    if not _is_good(keys):
        _draw_certificate(keys)
    for name in TOKENS:
        if not _token(folder, name).exists():
            write_secret(_token(folder, name), secrets.token_hex(32).encode())
    return keys


def security_toml(folder: Path, keys: InnerKeys) -> str:
    """Return the text of SeaweedFS's config file ``security.toml``, so that its inner servers answer only each other.

    It demands mutual TLS for every service, and tokens for writing and reading. The text contains the tokens
    themselves. Of the certificate and its key it contains only the files' paths.

    Args:
        folder: the folder for which `draw` was called; its token files, such as ``jwt.signing.key``, are read.
        keys: paths of the certificate's files, as `draw` returned them. The files are not read.

    Raises:
        FileNotFoundError: `draw` was not called for this folder, so a token file is missing.
    """
    pair = f'cert = "{_quoted(keys.certificate)}"\nkey = "{_quoted(keys.key)}"\n'
    authority = f'ca = "{_quoted(keys.authority)}"\n'
    parts = [f'[{name}]\nkey = "{_token(folder, name).read_text()}"\n' for name in TOKENS]
    parts += ["[access]\nui = false\n", "[filer.expose_directory_metadata]\nenabled = false\n", f"[grpc]\n{authority}"]
    parts += [f"[grpc.{name}]\n{pair}" for name in GRPC]
    parts += [f"[https.{name}]\n{pair}{authority}" for name in HTTPS]
    parts.append(f"[https.client]\nenabled = true\n{pair}{authority}")
    return "\n".join(parts)


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, from the first moment on. An existing file is replaced.

    Args:
        path: the file.
        content: its bytes.
    """
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        file.write(content)


def _token(folder: Path, name: str) -> Path:
    return folder / f"{name}.key"


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _is_good(keys: InnerKeys) -> bool:
    if not (keys.authority.exists() and keys.certificate.exists() and keys.key.exists()):
        return False
    end = x509.load_pem_x509_certificate(keys.certificate.read_bytes()).not_valid_after_utc
    return end - datetime.now(UTC) > RENEWED_BEFORE_END


def _draw_certificate(keys: InnerKeys) -> None:
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(AUTHORITY, signer.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    inner = (
        _certificate("packshot-storage", key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secret(keys.key, private)
    for path, unsigned in ((keys.authority, authority), (keys.certificate, inner)):
        write_secret(path, unsigned.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _certificate(name: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """Return the builder of a certificate that the authority has yet to sign."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
    )
