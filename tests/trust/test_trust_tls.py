"""The local authority, and real TLS between two sides that both show a certificate."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from huodang.trust import KeyExistsError, TlsAuthority, TlsPair, UnusableKeyError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls")
    authority = TlsAuthority.create(path)
    authority.issue("hub", ["127.0.0.1", "::1", "localhost"])
    authority.issue("police", ["127.0.0.1"])
    authority.issue("elsewhere", ["elsewhere.example"])
    return path


def talk(server: ssl.SSLContext, client: ssl.SSLContext, name: str = "127.0.0.1") -> tuple[str, str]:
    """Say one word over TLS; return what arrived and the client's name as the server saw it."""
    heard: list[str] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, server.wrap_socket(connection, server_side=True) as secured:
            certificate = secured.getpeercert() or {}
            subject = dict(pair for part in certificate["subject"] for pair in part)
            heard.append(secured.recv(100).decode())
            secured.sendall(str(subject["commonName"]).encode())

    def quietly(listener: socket.socket) -> None:
        try:
            serve(listener)
        except (ssl.SSLError, OSError):
            heard.append("refused")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=quietly, args=(listener,))
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname(), timeout=5) as raw,
                client.wrap_socket(raw, server_hostname=name) as secured,
            ):
                secured.sendall(b"hello")
                answer = secured.recv(100).decode()
        finally:
            thread.join(5)
    return heard[0], answer


def test_hub_and_gateway_talk_when_both_show_certificates_of_the_authority(folder: Path) -> None:
    server, client = TlsPair.of(folder, "police").server_context(), TlsPair.of(folder, "hub").client_context()
    assert talk(server, client) == ("hello", "hub")


def test_a_client_without_a_certificate_is_refused(folder: Path) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(folder / "authority.crt")
    bare.maximum_version = ssl.TLSVersion.TLSv1_2  # so that the refusal shows in the handshake itself
    with pytest.raises(ssl.SSLError):
        talk(TlsPair.of(folder, "police").server_context(), bare)


def test_a_client_of_another_authority_is_refused(folder: Path, tmp_path: Path) -> None:
    TlsAuthority.create(tmp_path).issue("hub", ["127.0.0.1"])
    stranger = TlsPair(tmp_path / "hub.crt", tmp_path / "hub.key", folder / "authority.crt").client_context()
    stranger.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        talk(TlsPair.of(folder, "police").server_context(), stranger)


def test_a_server_under_another_name_or_of_another_authority_is_refused(folder: Path, tmp_path: Path) -> None:
    client = TlsPair.of(folder, "hub").client_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        talk(TlsPair.of(folder, "elsewhere").server_context(), client)
    TlsAuthority.create(tmp_path).issue("police", ["127.0.0.1"])
    with pytest.raises(ssl.SSLCertVerificationError):
        talk(TlsPair.of(tmp_path, "police").server_context(), client)


def test_old_protocol_versions_are_refused(folder: Path) -> None:
    for context in (TlsPair.of(folder, "hub").client_context(), TlsPair.of(folder, "hub").server_context()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED


def test_issuing_again_for_the_same_hosts_keeps_the_certificate(folder: Path) -> None:
    before = (folder / "police.crt").read_bytes()
    TlsAuthority.load(folder).issue("police", ["127.0.0.1"])
    assert (folder / "police.crt").read_bytes() == before


def test_issuing_again_for_other_hosts_is_refused(folder: Path) -> None:
    with pytest.raises(KeyExistsError):
        TlsAuthority.load(folder).issue("police", ["127.0.0.2"])


def test_a_certificate_near_its_end_is_renewed_with_the_same_key(tmp_path: Path) -> None:
    authority = TlsAuthority.create(tmp_path)
    pair = authority.issue("hub", ["127.0.0.1"], now=datetime.now(UTC) - timedelta(days=810))
    old_key, old = pair.key.read_bytes(), x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    authority.issue("hub", ["127.0.0.1"])
    new = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    assert pair.key.read_bytes() == old_key
    assert new.not_valid_after_utc - old.not_valid_after_utc > timedelta(days=800)


def test_an_issue_interrupted_between_key_and_certificate_is_completed(tmp_path: Path) -> None:
    authority = TlsAuthority.create(tmp_path)
    pair = authority.issue("hub", ["127.0.0.1"])
    key = pair.key.read_bytes()
    pair.certificate.unlink()
    authority.issue("hub", ["127.0.0.1"])
    assert pair.key.read_bytes() == key
    pair.server_context()


def test_the_authority_is_made_once(tmp_path: Path) -> None:
    TlsAuthority.create(tmp_path)
    before = (tmp_path / "authority.crt").read_bytes()
    TlsAuthority.create(tmp_path)
    assert (tmp_path / "authority.crt").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "hosts"),
    [("hub", []), ("hub", ["a host"]), ("hub", ["公安"]), ("../hub", ["127.0.0.1"]), ("authority", ["127.0.0.1"])],
)
def test_a_name_or_host_that_is_none_is_refused(folder: Path, name: str, hosts: list[str]) -> None:
    with pytest.raises(UnusableKeyError):
        TlsAuthority.load(folder).issue(name, hosts)


def test_missing_and_foreign_files_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableKeyError):
        TlsAuthority.load(tmp_path)
    with pytest.raises(UnusableKeyError) as caught:
        TlsPair.of(tmp_path, "hub").server_context()
    assert caught.value.place.file == "hub.crt"
    TlsAuthority.create(tmp_path)
    for suffix in ("crt", "key"):
        (tmp_path / f"police.{suffix}").write_bytes((folder / f"police.{suffix}").read_bytes())
    with pytest.raises(UnusableKeyError):
        TlsAuthority.load(tmp_path).issue("police", ["127.0.0.1"])
