"""Laying out the keys of a deployment, as `huodang keys` and the demonstration do.

Source of the folders: docs/architecture.md, "Processes and folders of one deployment".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from huodang.standards import Place
from huodang.trust.authority import TlsAuthority, TlsPair
from huodang.trust.errors import KeyExistsError, UnusableKeyError
from huodang.trust.keys import PublicKey, Signer, TrustedKeys, check_holder, editing_trust
from huodang.trust.sealing import FieldSealer
from huodang.trust.suites import suite

HUB = "hub"
PORTAL = "portal"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Issued:
    """What one `issue` made.

    Attributes:
        signers: One for each suite.
        keys: The folder with the private keys.
        tls: Certificate and key for TLS.
    """

    signers: tuple[Signer, ...]
    keys: Path
    tls: TlsPair


class Provisioner:
    """The keys of one deployment folder: authority, trusted keys, and each party's own.

    Args:
        root: The deployment's folder (ROOT of architecture.md).
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.trust_file = self.root / "trust.json"
        self.tls_folder = self.root / "tls"

    def init(self) -> TlsAuthority:
        """Make authority and an empty `trust.json`; what is there already stays."""
        authority = TlsAuthority.create(self.tls_folder)
        with editing_trust(self.trust_file):
            pass
        return authority

    def keys_folder(self, name: str) -> Path:
        """Where the private keys of hub, portal or a department stand."""
        check_holder(name)
        return self.root / name / "keys" if name in {HUB, PORTAL} else self.root / "departments" / name / "keys"

    def issue(self, name: str, *, suites: Sequence[str] = ("national",), hosts: Sequence[str] = LOOPBACK) -> Issued:
        """Make the keys of one party and trust their public halves.

        The hub gets a signer of both suites, as each of the ledger's two trees is signed under its own, and the secret
        that seals fields in its database.

        Args:
            name: `hub`, `portal` or a department's code.
            suites: For which cipher suites to make signers.
            hosts: Names and addresses under which the party is reached by TLS.

        Raises:
            KeyExistsError: The party has a key of such a suite already; nothing is changed.
            UnusableKeyError: The deployment has not been initialised, or name or host is none.
            UnknownSuiteError: There is no such suite.
        """
        folder = self.keys_folder(name)
        if not self.trust_file.exists():
            raise UnusableKeyError(
                "此目录尚未初始化",
                "This folder has not been initialised",
                advice_chinese="请先运行 huodang keys init。",
                advice_english="Run `huodang keys init` first.",
                place=Place(file=self.trust_file.name),
            )
        wanted = tuple(
            suite(one).name for one in (("national", "international") if name == HUB else dict.fromkeys(suites))
        )
        with editing_trust(self.trust_file) as trusted:
            taken = [file for file in (folder / f"{name}.{one}.key" for one in wanted) if file.exists()]
            if taken:
                raise KeyExistsError(
                    "该名称的密钥已存在，不会覆盖",
                    "A key of this name exists already and is not overwritten",
                    advice_chinese="确要更换时，请先用 huodang keys revoke 停用旧密钥并把文件移走。",
                    advice_english="To replace it, end it with `huodang keys revoke` and move its file away first.",
                    place=Place(file=taken[0].name),
                )
            tls = TlsAuthority.load(self.tls_folder).issue(name, hosts)
            signers = tuple(Signer.generate(name, one) for one in wanted)
            for signer in signers:
                signer.save(folder)
                trusted.add(signer.public)
        if name == HUB:
            FieldSealer.create(folder)
        return Issued(signers, folder, tls)

    def revoke(self, holder: str, key_id: str, at: datetime, *, replaced: bool = False) -> PublicKey:
        """End a key: revoke it, or only end its validity if it was replaced in the ordinary course.

        Raises:
            UnusableKeyError: The key is not among the trusted ones, or there is no `trust.json`.
        """
        self.trusted()  # a folder without a list is told as such, and gets none made by the way
        with editing_trust(self.trust_file) as trusted:
            return (trusted.retire if replaced else trusted.revoke)(holder, key_id, at)

    def trusted(self) -> TrustedKeys:
        """The trusted keys of this deployment; raises UnusableKeyError if there are none."""
        return TrustedKeys.load(self.trust_file)
