"""TLS between hub and gateways: a local authority for tests and small sites; both sides show a certificate.

The certificates are EC P-256. National TLCP (GB/T 38636) is not offered: Python's TLS does not speak it; a site that
needs it puts a certified gateway in front.
"""

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from huodang.standards import Place
from huodang.trust.errors import KeyExistsError, UnusableKeyError
from huodang.trust.files import write_new_secret, write_whole
from huodang.trust.keys import check_holder

AUTHORITY = "authority"
AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 825
_RENEW_BEFORE = timedelta(days=30)
_CLOCK_SKEW = timedelta(hours=24)  # departments' clocks differ


@dataclass(frozen=True)
class TlsPair:
    """Where one party's certificate and key stand, and whom it trusts.

    Attributes:
        certificate: PEM file with the certificate.
        key: PEM file with the private key, mode 0600.
        authority: PEM file with the authority's certificate.
    """

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def of(cls, folder: Path | str, name: str) -> "TlsPair":
        """The pair of this name in a `tls/` folder; the files need not exist yet."""
        base = Path(folder)
        return cls(base / f"{name}.crt", base / f"{name}.key", base / f"{AUTHORITY}.crt")

    def server_context(self) -> ssl.SSLContext:
        """TLS 1.2 or later for a server that serves only clients with a certificate of the authority.

        Raises:
            UnusableKeyError: A file is missing or broken.
        """
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self) -> ssl.SSLContext:
        """TLS 1.2 or later for a client that shows its certificate and checks the server's name.

        Raises:
            UnusableKeyError: A file is missing or broken.
        """
        return self._context(ssl.PROTOCOL_TLS_CLIENT)  # checks name and certificate by default

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(self.authority)
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise UnusableKeyError(
                "TLS 证书或私钥读不到或不成对",
                "TLS certificate or key cannot be read or do not fit",
                advice_chinese="请用 huodang keys issue 签发。",
                advice_english="Issue them with `huodang keys issue`.",
                place=Place(file=self.certificate.name),
            ) from error
        return context


class TlsAuthority:
    """A local certificate authority: `authority.crt`, `authority.key` and the pairs it issued, in one folder."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.folder = folder
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(cls, folder: Path | str, *, now: datetime | None = None) -> "TlsAuthority":
        """Make the authority, or load it if the folder holds one already."""
        base = Path(folder)
        if (base / f"{AUTHORITY}.key").exists():
            return cls.load(base)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Huodang"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Huodang local authority"),
            ]
        )
        usage = _usage(certificates=True)
        builder = _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_new_secret(base / f"{AUTHORITY}.key", _pem(key))
        write_whole(base / f"{AUTHORITY}.crt", certificate.public_bytes(serialization.Encoding.PEM))
        return cls(base, certificate, key)

    @classmethod
    def load(cls, folder: Path | str) -> "TlsAuthority":
        """Load the authority of this folder.

        Raises:
            UnusableKeyError: It has none, or a broken one.
        """
        base = Path(folder)
        try:
            certificate = x509.load_pem_x509_certificate((base / f"{AUTHORITY}.crt").read_bytes())
            key = serialization.load_pem_private_key((base / f"{AUTHORITY}.key").read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise _no_authority() from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise _no_authority()
        return cls(base, certificate, key)

    def issue(self, name: str, hosts: Sequence[str], *, now: datetime | None = None) -> TlsPair:
        """Issue a certificate for both sides of TLS, or return the present one if it still serves.

        Args:
            name: The party: `hub` or a department's code; also the certificate's common name.
            hosts: Host names and addresses under which it is reached, at least one.
            now: The instant of issue; None for the system's clock.

        Returns:
            Where certificate and key stand. A certificate of this authority for the same hosts that has 30 days left
            is kept; one with fewer days left is renewed with the same key.

        Raises:
            KeyExistsError: There is a certificate of this name for other hosts.
            UnusableKeyError: No host is given, a host is none, or the present files are broken.
        """
        if check_holder(name) == AUTHORITY:
            raise _bad_host()
        pair = TlsPair.of(self.folder, name)
        names = _alternative_names(hosts)
        instant = now or datetime.now(UTC)
        if pair.key.exists():
            key, certificate = self._present(pair)
            if certificate is not None:
                if _names_of(certificate) != frozenset(names):
                    raise KeyExistsError(
                        "已有同名证书，但主机名不同，不会覆盖",
                        "There is a certificate of this name for other hosts; it is not overwritten",
                        advice_chinese="请先移走旧证书和私钥。",
                        advice_english="Move the old certificate and key away first.",
                        place=Place(file=pair.certificate.name),
                    )
                if certificate.not_valid_after_utc - instant > _RENEW_BEFORE:
                    return pair
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            write_new_secret(pair.key, _pem(key))
        write_whole(pair.certificate, self._sign(name, names, key.public_key(), instant))
        return pair

    def _present(self, pair: TlsPair) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate | None]:
        """Read what was issued before; a key without certificate is what an interrupted issue leaves."""
        try:
            key = serialization.load_pem_private_key(pair.key.read_bytes(), password=None)
            certificate = (
                x509.load_pem_x509_certificate(pair.certificate.read_bytes()) if pair.certificate.exists() else None
            )
            if certificate is not None:
                certificate.verify_directly_issued_by(self._certificate)
        except Exception as error:
            raise _no_authority() from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise _no_authority()
        return key, certificate

    def _sign(
        self, name: str, names: list[x509.GeneralName], public: ec.EllipticCurvePublicKey, instant: datetime
    ) -> bytes:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Huodang"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        own_identifier = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _builder(subject, self._certificate.subject, public, instant, CERTIFICATE_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own_identifier), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime | None, days: int
) -> x509.CertificateBuilder:
    instant = now or datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(instant - _CLOCK_SKEW)
        .not_valid_after(instant + timedelta(days=days))
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            try:
                names.append(x509.DNSName(host))
            except ValueError as error:
                raise _bad_host() from error
            if not host or any(letter.isspace() or letter == "/" for letter in host):
                raise _bad_host() from None
    if not names:
        raise _bad_host()
    return names


def _names_of(certificate: x509.Certificate) -> frozenset[x509.GeneralName]:
    return frozenset(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _bad_host() -> UnusableKeyError:
    return UnusableKeyError(
        "证书的名称或主机名不合规",
        "The name or a host of the certificate is not one",
        advice_chinese="请至少给出一个主机名或 IP 地址。",
        advice_english="Give at least one host name or IP address.",
    )


def _no_authority() -> UnusableKeyError:
    return UnusableKeyError(
        "读不到可用的 TLS 证书机构或证书",
        "There is no usable TLS authority or certificate",
        advice_chinese="请先用 huodang keys init 建立。",
        advice_english="Make one with `huodang keys init` first.",
        place=Place(file=f"{AUTHORITY}.crt"),
    )
