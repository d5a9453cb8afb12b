"""An admin port behind somebody who speaks TLS."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from larder_client import Client, Options, Purge, Unreachable

from .support import Handler, Scripted, purged

A = Purge(tags={"a"})


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    new = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    command = ["openssl", *new.split(), "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def test_over_tls(
    scripted: Callable[[Handler], Scripted],
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def handle(plain: socket.socket, _: int) -> None:
        with context.wrap_socket(plain, server_side=True) as connection:
            while (document := server.read(connection)) is not None:
                connection.sendall(purged(document))

    server = scripted(handle)
    url = f"https://localhost:{server.port}"
    with pytest.raises(Unreachable, match="certificate verify failed"):
        Client(Options(url=url)).purge(A)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    client = Client(Options(url=url))
    for _ in range(2):
        assert client.purge(A).number == 1
    with pytest.raises(Unreachable, match="doesn't match|not valid for|IP address mismatch"):
        Client(Options(url=f"https://127.0.0.1:{server.port}")).purge(A)


def test_a_handshake_that_never_ends(scripted: Callable[[Handler], Scripted]) -> None:
    def handle(connection: socket.socket, _: int) -> None:
        while connection.recv(65536):
            pass

    url = f"https://127.0.0.1:{scripted(handle).port}"
    with pytest.raises(Unreachable, match="took longer than 0.3 s"):
        Client(Options(url=url, timeout=0.3)).purge(A)
