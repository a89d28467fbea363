"""The probes of a conformance test against a gateway in this process: what must be answered, and what refused."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import msgspec
import urllib3
import uvicorn

from huodang.exchange.connect.conformance_bed import CONSUMER, NOBODY, OTHER_PURPOSE, TestBed
from huodang.exchange.connect.conformance_values import State
from huodang.exchange.connect.said import Said
from huodang.exchange.gateway.application import gateway_application
from huodang.exchange.gateway.parts import GatewayPart, build_parts
from huodang.exchange.values import Grant, Refusal, Verdict
from huodang.standards import HuodangError

Probed = tuple[State, Said, Said | None]
_TIMED: Final = 40
_GOOD_SECONDS: Final = 0.2
_BAD_SECONDS: Final = 1.0
_START_SECONDS: Final = 10.0
_REPORT_IT: Final = Said(
    "这是前置机程序的问题，请停止上线并报告", "the gateway itself is at fault: don't go live, report it"
)


def nobody(bed: TestBed) -> Probed:
    """Ask every check and list about nobody: a signed verdict, and no person found."""
    wrong: list[str] = []
    found: list[str] = []
    for name in bed.asked:
        told = bed.ask(bed.grant(name))
        if isinstance(told, Refusal):
            wrong.append(f"{name}({told.code})")
        elif told.reason in ("source_unreachable", "too_many"):
            wrong.append(f"{name}({told.reason})")
        elif told.fields or told.rows:
            found.append(name)
    if wrong:
        return (
            State.FAIL,
            Said(f"没有正常答复：{'、'.join(wrong)}", f"not answered: {', '.join(wrong)}"),
            Said("核对该资源的表、列、参数与账号权限", "check the resource's table, columns, parameters and account"),
        )
    if found:
        return (
            State.WARN,
            Said(f"对不存在的人给出了数据：{'、'.join(found)}", f"data were given about nobody: {', '.join(found)}"),
            Said("核对 subject 列与表中的虚假号码", "check the subject column, and the source for made-up numbers"),
        )
    told_actions = f"；办理类 {len(bed.actions)} 项不试" if bed.actions else ""
    return (
        State.PASS,
        Said(
            f"{len(bed.asked)} 个资源都有签名答复{told_actions}",
            f"{len(bed.asked)} resources answered; actions aren't tried",
        ),
        None,
    )


def malformed(bed: TestBed) -> Probed:
    """Send garbage and a grant without its fields."""
    answers = bed.gateway.answer([b"{", b'{"kind": "grant"}', b"[]", "授权".encode()])
    told = [bed.read(one) for one in answers]
    return _refused([one for one in told if not (isinstance(one, Refusal) and one.code == "malformed")])


def forged(bed: TestBed) -> Probed:
    """Sign as the hub with a key that nobody trusts."""
    return _each(bed, lambda name: bed.ask(bed.grant(name), forged=True), "forged")


def expired(bed: TestBed) -> Probed:
    """Send grants of yesterday."""
    then = bed.now().replace(microsecond=0) - timedelta(days=1)
    changes = {"issued_at": then, "expires_at": then + timedelta(minutes=5)}
    return _each(bed, lambda name: bed.ask(bed.grant(name, **changes)), "expired")


def replayed(bed: TestBed) -> Probed:
    """Send the same grant twice."""

    def twice(name: str) -> Verdict | Refusal:
        grant = bed.grant(name)
        bed.ask(grant)
        return bed.ask(grant)

    return _each(bed, twice, "replayed")


def purpose(bed: TestBed) -> Probed:
    """Ask for a purpose that the agreement doesn't name."""
    return _each(bed, lambda name: bed.ask(bed.grant(name, purpose=OTHER_PURPOSE)), "purpose_not_in_agreement")


def element(bed: TestBed) -> Probed:
    """Ask to look at an element that the agreement doesn't name."""
    return _each(bed, lambda name: bed.ask(_with(bed, name, "elements")), "element_not_in_agreement")


def field(bed: TestBed) -> Probed:
    """Ask for a raw field that the agreement doesn't name."""
    return _each(bed, lambda name: bed.ask(_with(bed, name, "fields")), "field_not_in_agreement")


def revocation(bed: TestBed) -> Probed:
    """Revoke a test agreement and ask again at once."""
    name = bed.asked[-1]
    bed.revoke(name)
    began = time.monotonic()
    told = bed.ask(bed.grant(name))
    seconds = time.monotonic() - began
    if isinstance(told, Refusal) and told.code == "agreement_revoked":
        return State.PASS, Said(f"{seconds:.2f} 秒内生效", f"within {seconds:.2f} s"), None
    return State.FAIL, Said("撤销后仍答复", "it answered in spite of the revocation"), _REPORT_IT


def log(bed: TestBed) -> Probed:
    """Look for an answer in the log, by the mark of the person; the number itself may not stand there."""
    checks = [name for name in bed.asked if bed.grant(name).subject]
    if checks:
        bed.ask(bed.grant(checks[0]))
    lines = bed.gateway.memory.lines(limit=1000)
    marked = bed.gateway.memory.lines(limit=10, subject_mark=bed.gateway.subject_mark(NOBODY))
    if not lines or (checks and not marked):
        return State.FAIL, Said("日志没有记录", "the log holds no line"), _REPORT_IT
    if any(NOBODY in repr(line) for line in lines):
        return State.FAIL, Said("日志中有证件号码原文", "the number itself stands in the log"), _REPORT_IT
    return State.PASS, Said(f"记有 {len(lines)} 条", f"{len(lines)} lines"), None


def over_tls(bed: TestBed, environment: Any) -> tuple[Probed, Probed]:  # noqa: ANN401  (a mapping)
    """Serve the gateway with mutual TLS on loopback: how fast it answers, and whether every mode responds.

    Returns:
        Latency, then modes.
    """
    try:
        parts = build_parts(bed.gateway, environment)
    except HuodangError as problem:
        told = Said(problem.sentence("zh"), problem.sentence("en"))
        advice = Said("按提示修改该节", "change that section as told")
        return (State.SKIP, Said("未测", "not tested"), None), (State.FAIL, told, advice)
    try:
        with _serving(bed, parts) as (address, pool):
            return _latency(bed, address, pool), _modes(address, pool, parts)
    except (OSError, urllib3.exceptions.HTTPError) as problem:
        told = Said(
            f"本机 TLS 服务没有应答（{type(problem).__name__}）", f"no answer over TLS ({type(problem).__name__})"
        )
        return (State.FAIL, told, _REPORT_IT), (State.FAIL, told, _REPORT_IT)
    finally:
        for part in parts:
            part.stop()


@contextmanager
def _serving(bed: TestBed, parts: list[GatewayPart]) -> Iterator[tuple[str, urllib3.PoolManager]]:
    pair = bed.tls(bed.department)
    config = uvicorn.Config(
        gateway_application(bed.gateway, parts),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        ws="none",
        lifespan="off",  # the parts' background work would watch the source
        ssl_certfile=str(pair.certificate),
        ssl_keyfile=str(pair.key),
        ssl_ca_certs=str(pair.authority),
        ssl_cert_reqs=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="conformance", daemon=True)
    thread.start()
    until = time.monotonic() + _START_SECONDS
    while not server.started:
        if time.monotonic() > until or not thread.is_alive():
            raise OSError("not started")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    pool = urllib3.PoolManager(
        ssl_context=bed.tls(CONSUMER).client_context(), timeout=urllib3.Timeout(10.0), retries=False
    )
    try:
        yield f"https://127.0.0.1:{port}", pool
    finally:
        pool.clear()
        server.should_exit = True
        thread.join(_START_SECONDS)


def _latency(bed: TestBed, address: str, pool: urllib3.PoolManager) -> Probed:
    taken: list[float] = []
    for number in range(_TIMED):
        grant = bed.sign(bed.grant(bed.asked[number % len(bed.asked)]))
        body = b'{"grants":[' + grant.encode() + b"]}"
        began = time.monotonic()
        pool.request("POST", f"{address}/v1/answers", body=body, headers={"Content-Type": "application/json"})
        taken.append(time.monotonic() - began)
    taken.sort()
    middle, slow = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
    told = Said(
        f"{_TIMED} 次：中位 {middle * 1000:.0f} 毫秒，95% 在 {slow * 1000:.0f} 毫秒内",
        f"{_TIMED} calls: median {middle * 1000:.0f} ms, 95% within {slow * 1000:.0f} ms",
    )
    if slow <= _GOOD_SECONDS:
        return State.PASS, told, None
    advice = Said(
        "给证件号码列加索引，或改用物化视图", "index the column of identity numbers, or use a materialised view"
    )
    return (State.WARN if slow <= _BAD_SECONDS else State.FAIL), told, advice


def _modes(address: str, pool: urllib3.PoolManager, parts: list[GatewayPart]) -> Probed:
    told = pool.request("GET", f"{address}/v1/resources")
    listed = {one["resource"]: one for one in msgspec.json.decode(told.data)["resources"]} if told.status == 200 else {}
    offered = [one["resource"] for part in parts for one in part.offers()]
    missing = [name for name in offered if name not in listed]
    broken: list[str] = []
    for route in ("/v1/answers", "/v1/batches", "/v1/lots", "/v1/events", "/v1/matches", "/v1/agreements"):
        # Nonsense must be refused as such; a route that isn't there answers 404.
        answered = pool.request("POST", f"{address}{route}", body=b"{", headers={"Content-Type": "application/json"})
        if not 400 <= answered.status < 500:
            broken.append(f"{route}({answered.status})")
    if told.status != 200 or missing or broken:
        named = "、".join([*missing, *broken]) or f"/v1/resources({told.status})"
        return State.FAIL, Said(f"没有正常应答：{named}", f"not as it must be: {named}"), _REPORT_IT
    return (
        State.PASS,
        Said(f"接口正常，另列出 {len(offered)} 项交付资源", f"all answer; {len(offered)} deliveries listed"),
        None,
    )


def _with(bed: TestBed, name: str, what: str) -> Grant:
    grant = bed.grant(name)
    permitted = set(getattr(bed.agreements[name], what))
    outside = next(one for one in ("remark", "home_address", "bank_account", "agent_name") if one not in permitted)
    return msgspec.structs.replace(grant, **{what: (*getattr(grant, what), outside)})


def _each(bed: TestBed, ask: Callable[[str], Verdict | Refusal], code: str) -> Probed:
    told = [ask(name) for name in bed.asked]
    return _refused([one for one in told if not (isinstance(one, Refusal) and one.code == code)], len(told))


def _refused(wrong: list[Verdict | Refusal], tried: int = 4) -> Probed:
    if not wrong:
        return State.PASS, Said(f"{tried} 次都被拒绝", f"refused {tried} of {tried} times"), None
    named = "、".join(
        sorted({one.code if isinstance(one, Refusal) else f"{one.resource}:{one.outcome.value}" for one in wrong})
    )
    return State.FAIL, Said(f"没有按规定拒绝：{named}", f"not refused as it must be: {named}"), _REPORT_IT
