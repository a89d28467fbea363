"""The conformance test (上线自测) that a department runs before going live: a score out of 100, and what to do."""

import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from huodang.exchange.catalogue import product_catalogue
from huodang.exchange.connect import conformance_probes as probes
from huodang.exchange.connect.conformance_bed import TestBed
from huodang.exchange.connect.conformance_probes import Probed
from huodang.exchange.connect.conformance_values import CHECKS, Check, ConformanceResult, State
from huodang.exchange.connect.coverage import TableQuality, measure_rows
from huodang.exchange.connect.facts import SourceFacts, TableFacts
from huodang.exchange.connect.folder import read_folder
from huodang.exchange.connect.mapping import SUBJECT, TableMapping
from huodang.exchange.connect.opening import Limits, OpenSource
from huodang.exchange.connect.profile import profile_table
from huodang.exchange.connect.reading import Progress, read_database
from huodang.exchange.connect.said import Said
from huodang.exchange.gateway.config import GatewayFile, fill_variables, process_environment, read_gateway_file
from huodang.exchange.gateway.conversion import plain
from huodang.exchange.gateway.service import department_signer
from huodang.exchange.gateway.steward import Steward
from huodang.standards import BadValue, HuodangError, Place
from huodang.store import utc_text
from huodang.trust import TrustedKeys

_SOON_DAYS: Final = 30
_GOOD: Final = 0.98
_BEARABLE: Final = 0.9
_PROBES: Final[dict[str, Callable[[TestBed], Probed]]] = {
    "nobody": probes.nobody,
    "malformed": probes.malformed,
    "forged": probes.forged,
    "expired": probes.expired,
    "replayed": probes.replayed,
    "purpose": probes.purpose,
    "element": probes.element,
    "field": probes.field,
}
_LAST: Final[dict[str, Callable[[TestBed], Probed]]] = {"log": probes.log, "revocation": probes.revocation}
_NOT_TESTED: Final = Said("前面的项目没有通过，未测", "not tested: an earlier check failed")


def check_conformance(
    config: Path,
    *,
    pass_mark: int = 80,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> ConformanceResult:
    """Test a gateway from its file, in this process, with keys and agreements of the test alone.

    Args:
        config: the gateway's file.
        pass_mark: points that are needed.
        environment: where `${NAME}` of the source's URL comes from; None for that of this process.
        progress: told each check, how many are done, how many there are.

    Raises:
        GatewayConfigError: the file itself can't be read.
    """
    file = read_gateway_file(config)
    variables = process_environment() if environment is None else environment
    told: dict[str, Probed] = {}
    show = progress or (lambda *_: None)

    def note(name: str, probed: Probed) -> None:
        told[name] = probed
        show(name, len(told), len(CHECKS))

    note("keys", _guarded(lambda: _keys(file)))
    note("trust", _guarded(lambda: _trust(file)))
    note("tls", _guarded(lambda: _tls(file)))
    with tempfile.TemporaryDirectory(prefix="huodang-conformance-") as folder:
        try:
            bed = TestBed(file, Path(folder), variables)
        except HuodangError as problem:
            advice = Said(
                "先用 huodang serve gateway --check 改到能启动", "first make `huodang serve gateway --check` pass"
            )
            note("opens", (State.FAIL, Said(problem.sentence("zh"), problem.sentence("en")), advice))
        else:
            try:
                _with_bed(file, bed, variables, note)
            finally:
                bed.close()
    checks = [_check(name, title, points, must, told.get(name)) for name, title, points, must in CHECKS]
    return ConformanceResult(file.spec.department, config.name, utc_text(_now()), tuple(checks), pass_mark)


def _with_bed(
    file: GatewayFile, bed: TestBed, variables: Mapping[str, str], note: Callable[[str, Probed], None]
) -> None:
    note("opens", _opens(bed))
    note("agreements", _guarded(lambda: _agreements(file, bed)))
    if bed.asked:
        for name, probe in _PROBES.items():
            note(name, _guarded(lambda probe=probe: probe(bed)))  # type: ignore[misc]
        latency, modes = probes.over_tls(bed, variables)
        note("latency", latency)
        note("modes", modes)
        for name, probe in _LAST.items():
            note(name, _guarded(lambda probe=probe: probe(bed)))  # type: ignore[misc]
    else:
        nothing = Said("没有核验或名单可试", "there is no check or list to try")
        for name in (*_PROBES, *_LAST, "latency", "modes"):
            note(name, (State.SKIP, nothing, None))
    note("coverage", _coverage(file))
    facts: SourceFacts | None = None
    try:
        facts = _facts(file, variables)
    except HuodangError as problem:
        note("quality", (State.FAIL, Said(problem.sentence("zh"), problem.sentence("en")), None))
    else:
        note("quality", _quality(file, facts, bed))
    note("clock", _clock(file, facts))


def _check(name: str, title: Said, points: float, must: bool, told: Probed | None) -> Check:  # noqa: FBT001  (a row of CHECKS)
    if told is None:
        return Check(name, title, points, must, State.FAIL, _NOT_TESTED)
    state, detail, advice = told
    return Check(name, title, points, must, state, detail, advice)


def _guarded(probe: Callable[[], Probed]) -> Probed:
    try:
        return probe()
    except HuodangError as problem:
        return State.FAIL, Said(problem.sentence("zh"), problem.sentence("en")), None
    except OSError as problem:
        return State.FAIL, Said(f"文件读不了（{type(problem).__name__}）", "a file can't be read"), None


def _opens(bed: TestBed) -> Probed:
    if bed.gateway.warnings:
        return (
            State.WARN,
            Said(
                f"可以启动；{'；'.join(bed.gateway.warnings)}",
                f"it opens; {len(bed.gateway.warnings)} columns hold unmapped codes",
            ),
            Said("把没有对照的代码补入 crosswalk", "complete the crosswalks"),
        )
    return State.PASS, Said("可以启动，没有未对照的代码", "it opens; every code is mapped"), None


def _keys(file: GatewayFile) -> Probed:
    signer = department_signer(file)
    folder = file.beside(file.spec.keys)
    open_to_others = [
        path.name
        for path in sorted(folder.glob("*.key"))
        if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if open_to_others:
        named = "、".join(open_to_others)
        return (
            State.FAIL,
            Said(f"其他用户可读：{named}", f"others may read: {named}"),
            Said("chmod 600 该文件", "chmod 600 the file"),
        )
    return (
        State.PASS,
        Said(f"套件 {signer.suite.name if hasattr(signer.suite, 'name') else signer.suite}", "loaded"),
        None,
    )


def _trust(file: GatewayFile) -> Probed:
    trusted = TrustedKeys.load(file.beside(file.spec.trust))
    signer = department_signer(file)
    now = _now()
    held = {one.holder for one in trusted if one.revoked_at is None and (one.valid_to is None or one.valid_to > now)}
    own = {one.key_id for one in trusted.of_holder(file.spec.department)}
    if signer.key_id not in own:
        return (
            State.FAIL,
            Said("信任列表中没有本部门这把密钥", "the trust list doesn't hold this department's key"),
            Said("请枢纽管理员把公钥加入 trust.json 并重新分发", "have the hub's administrator add it to trust.json"),
        )
    if "hub" not in held:
        return (
            State.FAIL,
            Said("信任列表中没有枢纽的现行密钥", "the trust list holds no key of the hub in force"),
            Said("取回最新的 trust.json", "fetch the newest trust.json"),
        )
    return State.PASS, Said(f"含 {len(held)} 个持有者的现行密钥", f"keys of {len(held)} holders in force"), None


def _tls(file: GatewayFile) -> Probed:
    tls = file.spec.tls
    if tls is None:
        return (
            State.WARN,
            Said("没有 tls，只能监听本机", "no `tls`: only loopback is listened on"),
            Said("上线前请配置双向 TLS", "configure mutual TLS before going live"),
        )
    left: list[int] = []
    for name in (tls.certificate, tls.authority):
        try:
            certificate = x509.load_pem_x509_certificate(file.beside(name).read_bytes())
        except (OSError, ValueError):
            return (
                State.FAIL,
                Said(f"证书 {Path(name).name} 读不了", f"the certificate {Path(name).name} can't be read"),
                None,
            )
        left.append((certificate.not_valid_after_utc - _now()).days)
    if not file.beside(tls.key).is_file():
        return State.FAIL, Said("TLS 私钥不存在", "the TLS key isn't there"), None
    soonest = min(left)
    told = Said(f"还有 {soonest} 天到期", f"{soonest} days left")
    if soonest < 0:
        return State.FAIL, told, Said("请换发证书", "renew the certificate")
    return (
        (State.PASS, told, None) if soonest >= _SOON_DAYS else (State.WARN, told, Said("请尽快换发证书", "renew soon"))
    )


def _agreements(file: GatewayFile, bed: TestBed) -> Probed:
    steward = Steward(file)
    listed = steward.agreements()
    problems = steward.problems()
    if problems:
        return (
            State.FAIL,
            Said(f"{len(problems)} 个协议文件无效：{problems[0]}", f"{len(problems)} agreement files don't count"),
            Said("用 huodang steward show 查看并更正", "see `huodang steward show`"),
        )
    held = {one.agreement.resource for one in listed if one.in_force}
    without = sorted(set(bed.gateway.resources) - held)
    if without:
        return (
            State.WARN,
            Said(f"尚无有效协议：{'、'.join(without)}", f"no agreement in force: {', '.join(without)}"),
            Said("上线前与使用方签署协议", "sign agreements before going live"),
        )
    return State.PASS, Said(f"{len(held)} 项资源有有效协议", f"{len(held)} resources are agreed"), None


def _coverage(file: GatewayFile) -> Probed:
    lacking: list[str] = []
    unknown: list[str] = []
    for one in file.spec.resources:
        entry = product_catalogue().get(one.resource)
        if entry is None:
            unknown.append(one.resource)
        elif missing := sorted(set(entry.elements) - set(one.elements) - {SUBJECT}):
            lacking.append(f"{one.resource}（{'、'.join(missing)}）")
    if lacking or unknown:
        texts = ([f"比目录少：{'；'.join(lacking)}"] if lacking else []) + (
            [f"产品目录中没有：{'、'.join(unknown)}"] if unknown else []
        )
        return (
            State.WARN,
            Said("；".join(texts), f"{len(lacking)} resources hold less than their entry; {len(unknown)} have none"),
            Said("补充映射，或修改并发布目录条目", "map more, or change and publish the entry"),
        )
    return State.PASS, Said("与目录条目相符", "as the entries say"), None


def _facts(file: GatewayFile, variables: Mapping[str, str]) -> SourceFacts:
    spec = file.spec
    tables = tuple(dict.fromkeys(one.table or one.file or "" for one in spec.resources))
    quiet: Progress = lambda *_: None  # noqa: E731  (progress of no interest)
    if spec.source.files is not None:
        return read_folder(file.beside(spec.source.files.folder), progress=quiet)
    address = fill_variables(spec.source.url or "", variables, Place(element="source"))
    if address.startswith("sqlite:///"):
        address = f"sqlite:///{file.beside(address.removeprefix('sqlite:///'))}"
    source = OpenSource(address, Limits(total_seconds=60))
    try:
        found: list[TableFacts] = []
        whole: SourceFacts | None = None
        for table in tables:
            schema, _, name = table.rpartition(".")
            whole = read_database(source, tables=(name,), schema=schema or None, progress=quiet)
            found += whole.tables
        if whole is None:
            return SourceFacts(source.shown, source.kind, ())
        return replace(whole, tables=tuple(found))
    finally:
        source.close()


def _quality(file: GatewayFile, facts: SourceFacts, bed: TestBed) -> Probed:
    by_name = {one.name.lower(): one for one in facts.tables}
    lines: list[str] = []
    worst = 1.0
    for one in file.spec.resources:
        table = by_name.get((one.table or one.file or "").lower())
        if table is None or not table.sample:
            continue
        rows = [row for row in table.sample if _counts(row, one.only)]
        sampled = replace(table, sample=rows)
        mapping = TableMapping(sampled, profile_table(sampled), {}, ())
        specs = {**one.elements, SUBJECT: one.subject}
        measured = measure_rows(sampled, specs, (SUBJECT,), mapping, bed.gateway.clock.today())
        if measured is not None and measured.rows:
            worst = min(worst, measured.taken_share)
            lines.append(_told(one.resource, measured))
    if not lines:
        return State.SKIP, Said("没有可抽样的数据", "there is nothing to sample"), None
    told = Said("；".join(lines), f"worst resource: {worst:.1%} of the sampled rows are sound")
    if worst >= _GOOD:
        return State.PASS, told, None
    advice = Said(
        "用 huodang connect 查看原因，先在源头更正", "see why with `huodang connect`, and correct at the source"
    )
    return (State.WARN if worst >= _BEARABLE else State.FAIL), told, advice


def _counts(row: Mapping[str, object], only: Mapping[str, str | tuple[str, ...]]) -> bool:
    for column, wanted in only.items():
        values = (wanted,) if isinstance(wanted, str) else wanted
        try:
            if plain(row.get(column)) not in values:
                return False
        except (BadValue, ValueError):
            return False
    return True


def _told(resource: str, measured: TableQuality) -> str:
    reasons = sorted({text.split("|")[0] for text in measured.report.by_reason})
    why = f"（{'、'.join(reasons[:4])}）" if reasons else ""
    return f"{resource} 抽样 {measured.rows} 行，{measured.taken_share:.1%} 合格{why}"


def _clock(file: GatewayFile, facts: SourceFacts | None) -> Probed:
    if file.spec.clock_offset_file is not None:
        return (
            State.WARN,
            Said("配置了 clock_offset_file，只应用于演示", "`clock_offset_file` is set: for demonstrations only"),
            Said("上线前删除该项", "remove it before going live"),
        )
    skew = facts.clock_skew_seconds if facts is not None else None
    if skew is None:
        return State.SKIP, Said("来源没有自己的时钟可比", "the source has no clock to compare with"), None
    told = Said(f"与数据库时钟相差 {skew:+.1f} 秒", f"{skew:+.1f} s from the database's clock")
    if abs(skew) <= file.spec.limits.clock_skew_seconds:
        return State.PASS, told, None
    return State.FAIL, told, Said("请校准两台机器的时钟（NTP）", "set both clocks by NTP")


def _now() -> datetime:
    return datetime.now(UTC)
