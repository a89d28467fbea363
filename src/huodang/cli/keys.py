"""`huodang keys`: make and list the keys of one deployment."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="密钥与证书 / keys and certificates", no_args_is_help=True)

_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="部署目录 / the folder of the deployment")]


@app.command("init")
def init(folder: _Folder) -> None:
    """建立证书机构和空的受信任公钥清单 / make the TLS authority and an empty list of trusted keys.

    已有的内容保持不变。What is there already stays as it is.

    \b
    例 / example:
      huodang keys init var/hebei
    """
    from huodang.trust import Provisioner

    provisioner = Provisioner(folder)
    provisioner.init()
    typer.echo(f"已就绪 / ready: {provisioner.trust_file}, {provisioner.tls_folder / 'authority.crt'}")


@app.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="hub、portal 或部门代码 / hub, portal or a department's code")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="部署目录 / the folder of the deployment")],
    suite: Annotated[
        str, typer.Option(help="national（国密）或 international / national or international; hub gets both")
    ] = "national",
    host: Annotated[
        list[str] | None,
        typer.Option(help="主机名或 IP，可重复；默认本机 / host name or address, repeatable; default: this machine"),
    ] = None,
) -> None:
    """为一方签发签名密钥和 TLS 证书，并登记公钥；绝不覆盖 / issue signing keys and a TLS pair; never overwrites.

    中心（hub）同时得到两种套件的密钥和字段加密密钥。The hub gets keys of both suites and the secret that seals fields.

    \b
    例 / examples:
      huodang keys issue hub --dir var/hebei --host hub.hebei.example
      huodang keys issue police --dir var/hebei --host 10.1.2.3 --host gateway.police.example
      huodang keys issue health --dir var/hebei --suite international
    """
    from huodang.trust import LOOPBACK, Provisioner

    issued = Provisioner(folder).issue(name, suites=(suite,), hosts=tuple(host or LOOPBACK))
    for signer in issued.signers:
        typer.echo(f"{signer.holder}  {signer.suite}  {signer.key_id}")
    typer.echo(f"私钥 / private keys: {issued.keys}")
    typer.echo(f"TLS: {issued.tls.certificate}, {issued.tls.key}")


@app.command("revoke")
def revoke(
    holder: Annotated[str, typer.Argument(help="持有者 / the holder")],
    key_id: Annotated[str, typer.Argument(help="密钥编号，见 keys list / the key id, see keys list")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="部署目录 / the folder of the deployment")],
    replaced: Annotated[  # noqa: FBT002  (a flag)
        bool,
        typer.Option("--replaced", help="正常更换：此前的签名仍有效 / replaced in order: earlier signatures count"),
    ] = False,
) -> None:
    """停用一把密钥 / end a key.

    默认视为可能外泄：其一切签名不再有效。By default it may have leaked: none of its signatures counts any more.

    \b
    例 / examples:
      huodang keys revoke police 1f0c…e2 --dir var/hebei
      huodang keys revoke police 1f0c…e2 --dir var/hebei --replaced
    """
    from huodang.store import SystemClock
    from huodang.trust import Provisioner

    Provisioner(folder).revoke(holder, key_id, SystemClock().now(), replaced=replaced)
    typer.echo(f"已停用 / ended: {holder} {key_id}")


@app.command("list")
def list_keys(folder: _Folder) -> None:
    """列出受信任的公钥 / list the trusted public keys.

    \b
    例 / example:
      huodang keys list var/hebei
    """
    from huodang.trust import Provisioner

    for key in Provisioner(folder).trusted():
        state = "有效 / in force"
        if key.revoked_at is not None:
            state = f"已作废 / revoked {key.revoked_at:%Y-%m-%d}"
        elif key.valid_to is not None:
            state = f"有效至 / valid until {key.valid_to:%Y-%m-%d}"
        typer.echo(f"{key.holder:<20} {key.suite:<14} {key.key_id}  {state}")
