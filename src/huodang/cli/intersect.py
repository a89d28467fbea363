"""`huodang intersect`: match two files between two departments; neither hands over a row."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

import signal
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from huodang.cli import intersect_report as report

if TYPE_CHECKING:
    from rich.progress import Progress

    from huodang.exchange.matching import Address, MatchResult, Served, Table, ValueSet
    from huodang.trust import TlsPair

app = typer.Typer(
    help="隐私求交：可用不可见 / match two files, hand over neither",
    no_args_is_help=True,
)


class As(StrEnum):
    """How values are compared."""

    IDENTITY_NUMBER = "identity_number"
    TEXT = "text"


class Engine(StrEnum):
    """What does the arithmetic."""

    RISTRETTO = "ristretto"
    SPU = "spu"


class SpuWay(StrEnum):
    """Protocols of the spu engine."""

    ECDH = "ecdh"
    FOURQ = "ecdh-fourq"
    KKRT = "kkrt"
    RR22 = "rr22"


class Encoding(StrEnum):
    """Of text files."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV、Excel 或 Parquet / CSV, Excel or Parquet")]
Column = Annotated[str, typer.Option("--column", help="比对的列名 / the column to match")]
Compared = Annotated[
    As | None, typer.Option("--as", help="按什么比对，缺省按列内容判断 / compare as; by default told by the column")
]
ReadAs = Annotated[
    Encoding | None, typer.Option("--encoding", help="CSV 的编码，缺省自动识别 / of the CSV; found out by default")
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Excel 工作表 / the workbook's sheet")]
TlsFolder = Annotated[
    Path | None,
    typer.Option(
        "--tls-folder", help="双向 TLS 证书文件夹 / certificates for mutual TLS", exists=True, file_okay=False
    ),
]
TlsName = Annotated[str | None, typer.Option("--tls-name", help="其中本方证书的名称 / this side's certificate in it")]
Secret = Annotated[
    Path | None, typer.Option("--secret-file", help="双方共有的口令 / a secret that both sides know", dir_okay=False)
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, max=256, help="线程数，缺省为核数 / one a core")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
EngineOption = Annotated[
    Engine,
    typer.Option("--engine", help="ristretto（缺省）或 spu（见 docs/matching.md）/ spu needs its own environment"),
]

SpuProtocol = Annotated[SpuWay, typer.Option("--spu-protocol", help="仅 spu：协议，双方相同 / both sides the same")]


@app.command()
def serve(
    file: File,
    column: Column,
    *,
    listen: Annotated[str, typer.Option("--listen", help="监听地址 HOST:PORT，端口 0 自选 / port 0 picks one")],
    once: Annotated[bool, typer.Option("--once", help="完成一次比对后退出 / end after one match")] = False,
    size_only: Annotated[
        bool, typer.Option("--size-only", help="只允许对方得知人数 / tell nobody more than a number")
    ] = False,
    minimum_set: Annotated[
        int, typer.Option("--minimum-set", min=1, help="对方集合至少多少个值 / values the querier must have")
    ] = 1,
    maximum_set: Annotated[
        int, typer.Option("--maximum-set", min=1, help="对方集合至多多少个值 / values it may have")
    ] = 20_000_000,
    compared: Compared = None,
    encoding: ReadAs = None,
    sheet: Sheet = None,
    tls_folder: TlsFolder = None,
    tls_name: TlsName = None,
    secret_file: Secret = None,
    threads: Threads = None,
    engine: EngineOption = Engine.RISTRETTO,
    peer: Annotated[
        str | None, typer.Option("--peer", help="仅 spu：对方的地址 / spu only: where the querier listens")
    ] = None,
    spu_protocol: SpuProtocol = SpuWay.ECDH,
    as_json: AsJson = False,
) -> None:
    """提供本方集合：对方只得知交集，本方只得知对方集合的大小 / hold a set for others to match against.

    Serves until stopped (Ctrl+C, SIGTERM). The querier learns which of its values are here, or only how many; this
    side learns how many values the querier has.

    退出码 / exit code: 0 正常 / ended, 2 输入或地址有误 / bad input or address.

    \b
    例 / examples:
      huodang intersect serve 死亡登记.csv --column 身份证号 --listen 127.0.0.1:7100
      huodang intersect serve deaths.parquet --column id --listen 0.0.0.0:7100 --tls-folder tls --minimum-set 1000
    """
    from rich.progress import Progress

    from huodang.exchange.matching import Address, HandHost, HandServer, Lanes, Rules

    address = Address.parse(listen)
    if engine is Engine.SPU:
        _spu_knows_none_of(tls_folder, secret_file, size_only, minimum_set > 1)
        _serve_spu(_Input(file, column, compared, encoding, sheet), address, peer, spu_protocol.value, as_json=as_json)
        return
    tls, secret = _tls(tls_folder, tls_name), _secret(secret_file)
    report.warn(loopback=address.is_loopback, encrypted=tls is not None)
    with Progress(*report.columns(), console=report.console(), transient=True) as progress:
        _, values = _read(_Input(file, column, compared, encoding, sheet), progress)
    told = report.tell_set(values, quiet=as_json)
    stopped = threading.Event()
    workers = Lanes(threads)

    def served(one: "Served") -> None:
        report.tell_served(one, as_json=as_json)
        if once and one.completed:
            stopped.set()

    rules = Rules(smallest=minimum_set, largest=maximum_set, only_size=size_only, secret=secret)
    host = HandHost(values, workers, rules, served)
    server = HandServer(host, address, tls)
    report.tell(
        {"listening": str(server.address), **told}, f"正在监听 / listening on {server.address}", as_json=as_json
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    with Progress(*report.columns(), console=report.console(), transient=True) as progress:
        report.watch(host, stopped, running, progress)
    server.stop()
    running.join(10)
    host.sessions.close()
    workers.close()


@app.command()
def query(
    file: File,
    column: Column,
    *,
    peer: Annotated[str, typer.Option("--peer", help="对方地址 HOST:PORT / where the other side serves")],
    out: Annotated[
        Path | None, typer.Option("--out", help="结果 CSV：本方文件中对方也有的行 / own rows that the peer has too")
    ] = None,
    size_only: Annotated[bool, typer.Option("--size-only", help="只求人数 / learn only how many")] = False,
    values_only: Annotated[
        bool, typer.Option("--values-only", help="结果只写比对的列 / write the matched column alone")
    ] = False,
    out_encoding: Annotated[
        str, typer.Option("--out-encoding", help="结果编码：utf-8、utf-8-sig、gb18030 / of the result")
    ] = "utf-8",
    minimum_set: Annotated[
        int, typer.Option("--minimum-set", min=1, help="对方集合至少多少个值 / values the peer must hold")
    ] = 1,
    compared: Compared = None,
    encoding: ReadAs = None,
    sheet: Sheet = None,
    tls_folder: TlsFolder = None,
    tls_name: TlsName = None,
    secret_file: Secret = None,
    threads: Threads = None,
    engine: EngineOption = Engine.RISTRETTO,
    listen: Annotated[
        str | None, typer.Option("--listen", help="仅 spu：本方的地址 / spu only: where this side listens")
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", min=1, help="对方静默多少秒算中断 / seconds to wait for a silent peer")
    ] = 60.0,
    spu_protocol: SpuProtocol = SpuWay.ECDH,
    as_json: AsJson = False,
) -> None:
    """用本方集合去比对：只得知交集和对方集合的大小 / match a set against one that is served.

    The result holds the first row of each matched value, in the order of the own file. It is written whole or not at
    all; an interrupted match is started again from the beginning.

    退出码 / exit code: 0 完成 / done, 2 输入有误、被拒或连接中断 / bad input, refused, or the connection broke.

    \b
    例 / examples:
      huodang intersect query 待遇发放.csv --column 证件号码 --peer 127.0.0.1:7100 --out 重合.csv
      huodang intersect query payments.xlsx --column id --peer 10.1.2.3:7100 --size-only --json
    """
    from rich.progress import Progress

    from huodang.exchange.matching import (
        Address,
        Lanes,
        MatchFileError,
        check_out,
        hand_holder,
        match,
        write_members,
        write_size,
    )

    if out is None and not size_only:
        raise typer.BadParameter("缺少 --out（或加 --size-only）/ --out is missing (or add --size-only)")
    if out_encoding not in {"utf-8", "utf-8-sig", "gb18030"}:
        raise typer.BadParameter("应为 utf-8、utf-8-sig 或 gb18030 / one of these", param_hint="--out-encoding")
    if out is not None:
        check_out(out)
        if out.exists() and file.exists() and out.samefile(file):
            raise MatchFileError("结果不能覆盖输入文件", "the result can't replace the input")
    if engine is Engine.SPU:
        _spu_knows_none_of(tls_folder, secret_file, size_only, minimum_set > 1)
    address = Address.parse(peer)
    tls, secret = _tls(tls_folder, tls_name), _secret(secret_file)
    if engine is Engine.RISTRETTO:
        report.warn(loopback=address.is_loopback, encrypted=tls is not None)
    holder = hand_holder(address, tls=tls, secret=secret, patience=patience)
    workers = Lanes(threads)
    try:
        with Progress(*report.columns(), console=report.console(), transient=True) as progress:
            table, values = _read(_Input(file, column, compared, encoding, sheet), progress)
            told = report.tell_set(values, quiet=as_json)
            if engine is Engine.SPU:
                result = _query_spu(values, address, listen, spu_protocol.value)
            else:
                result = match(
                    values,
                    holder,
                    workers,
                    size_only=size_only,
                    smallest_held=minimum_set,
                    stage=report.stages(progress),
                )
    finally:
        workers.close()
    written = 0
    if out is not None and size_only:
        write_size(result, out, encoding=out_encoding)
    elif out is not None:
        only = column if values_only else ""
        written = write_members(table, values, result, out, values_only=only, encoding=out_encoding)
    facts: dict[str, Any] = {
        "overlap": result.overlap,
        "queried": result.queried,
        "held": result.held,
        "rows_written": written,
        **told,
        "size_only": size_only,
        "engine": engine.value,
        "seconds": round(result.seconds, 3),
        "bytes_sent": holder.bytes_sent,
        "bytes_received": holder.bytes_received,
    }
    report.tell(
        facts,
        f"交集 / overlap: {result.overlap:,}\n本方 / own set: {result.queried:,}；对方 / peer's set: {result.held:,}\n"
        f"用时 / took: {result.seconds:.1f} s"
        + (f"\n结果 / written: {out}（{written:,} 行 / rows）" if out is not None and not size_only else "")
        + (f"\n结果 / written: {out}" if out is not None and size_only else ""),
        as_json=as_json,
    )


@dataclass(frozen=True)
class _Input:
    """The file as the user tells of it."""

    file: Path
    column: str
    compared: As | None
    encoding: Encoding | None
    sheet: str | None


def _read(told: _Input, progress: "Progress") -> tuple["Table", "ValueSet"]:
    from huodang.exchange.matching import Normalisation, open_table, read_values

    task = progress.add_task("读取 / reading", total=None)
    table = open_table(told.file, encoding=None if told.encoding is None else told.encoding.value, sheet=told.sheet)
    wanted = None if told.compared is None else Normalisation(told.compared.value)
    values = read_values(table, told.column, wanted, lambda rows: progress.update(task, completed=rows))
    progress.update(task, total=progress.tasks[task].completed, visible=False)
    return table, values


def _tls(folder: Path | None, name: str | None) -> "TlsPair | None":
    from huodang.exchange.matching import find_tls

    return None if folder is None else find_tls(folder, name)


def _secret(file: Path | None) -> bytes | None:
    from huodang.exchange.matching import read_secret

    return None if file is None else read_secret(file)


def _serve_spu(told: _Input, address: "Address", peer: str | None, spu_protocol: str, *, as_json: bool) -> None:
    from rich.progress import Progress

    from huodang.exchange.matching import Address, SpuSide

    with Progress(*report.columns(), console=report.console(), transient=True) as progress:
        _, values = _read(told, progress)
    facts = report.tell_set(values, quiet=as_json)
    side = SpuSide(own=address, peer=Address.parse(_needed(peer, "--peer")), protocol=spu_protocol)
    report.warn(loopback=side.is_loopback, encrypted=False)
    report.tell({"listening": str(address), **facts}, f"正在监听 / listening on {address}", as_json=as_json)
    result = side.hold(values)
    report.tell({"queried": result.held}, f"比对完成 / matched: 对方 {result.held:,} 个值 / values", as_json=as_json)


def _query_spu(values: "ValueSet", address: "Address", listen: str | None, spu_protocol: str) -> "MatchResult":
    from huodang.exchange.matching import Address, SpuSide

    side = SpuSide(own=Address.parse(_needed(listen, "--listen")), peer=address, protocol=spu_protocol)
    report.warn(loopback=side.is_loopback, encrypted=False)
    return side.query(values)


def _spu_knows_none_of(*options: object) -> None:
    if any(options):
        told = "--size-only, --minimum-set, --tls-folder, --secret-file"
        raise typer.BadParameter(f"spu 引擎不支持 / the spu engine knows none of: {told}")


def _needed(text: str | None, option: str) -> str:
    if text is None:
        raise typer.BadParameter(f"spu 引擎需要 {option} / the spu engine needs {option}")
    return text
