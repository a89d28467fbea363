"""What a conformance test says: each check with state, points, finding and advice; the whole with its score. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from huodang.exchange.connect.said import Said


class State(StrEnum):
    """How a check came out."""

    PASS = "pass"  # noqa: S105  (a result, no password)
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        points: what it counts; half of it is earned with a warning.
        must: without it the gateway isn't ready, whatever the score.
        detail: what was found; no personal data.
        advice: what to do, where something is to be done.
    """

    name: str
    title: Said
    points: float
    must: bool
    state: State
    detail: Said
    advice: Said | None = None

    @property
    def earned(self) -> float:
        """Points earned."""
        return {State.PASS: 1.0, State.WARN: 0.5}.get(self.state, 0.0) * self.points

    def to_payload(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {
            "name": self.name,
            "title": self.title.to_payload(),
            "state": self.state.value,
            "points": self.points,
            "earned": self.earned,
            "must": self.must,
            "detail": self.detail.to_payload(),
            "advice": self.advice.to_payload() if self.advice else None,
        }


@dataclass(frozen=True)
class ConformanceResult:
    """The result for one gateway; `tested_at` is the instant in ISO."""

    department: str
    file: str
    tested_at: str
    checks: tuple[Check, ...]
    pass_mark: int

    @property
    def score(self) -> int:
        """Points out of 100; what doesn't apply counts on neither side. Rounded down."""
        counted = [one for one in self.checks if one.state is not State.SKIP]
        whole = sum(one.points for one in counted)
        return int(100 * sum(one.earned for one in counted) / whole) if whole else 0

    @property
    def passed(self) -> bool:
        """Whether the mark is reached and everything holds that must."""
        return self.score >= self.pass_mark and not any(one.must and one.state is State.FAIL for one in self.checks)

    def to_payload(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {
            "department": self.department,
            "file": self.file,
            "tested_at": self.tested_at,
            "score": self.score,
            "pass_mark": self.pass_mark,
            "passed": self.passed,
            "checks": [one.to_payload() for one in self.checks],
        }


# Name, title in both languages, points, and whether it must hold. The points add up to 100.
CHECKS: tuple[tuple[str, Said, float, bool], ...] = (
    ("opens", Said("配置与来源相符，可以启动", "the file fits the source and opens"), 8, True),
    ("keys", Said("密钥齐备，权限正确", "keys are there, and nobody else may read them"), 8, True),
    ("trust", Said("信任列表含本部门与枢纽的现行密钥", "the trust list holds this department and the hub"), 8, True),
    ("tls", Said("双向 TLS 证书有效", "certificates for mutual TLS are valid"), 6, False),
    ("agreements", Said("协议双方签署、在有效期内", "agreements are signed by both and in force"), 8, False),
    ("clock", Said("时钟一致", "clocks agree"), 4, False),
    ("nobody", Said("查无此人时每个资源都有签名答复", "every resource answers about nobody, signed"), 12, True),
    ("malformed", Said("残缺的授权被拒绝", "a malformed grant is refused"), 3, True),
    ("forged", Said("伪造签名的授权被拒绝", "a forged grant is refused"), 4, True),
    ("expired", Said("过期的授权被拒绝", "an expired grant is refused"), 3, True),
    ("replayed", Said("重放的授权被拒绝", "a replayed grant is refused"), 4, True),
    ("purpose", Said("超出用途的授权被拒绝", "a grant for another purpose is refused"), 3, True),
    ("element", Said("超出协议数据元的授权被拒绝", "an element outside the agreement is refused"), 3, True),
    ("field", Said("超出协议回传字段的授权被拒绝", "a field outside the agreement is refused"), 3, True),
    ("revocation", Said("撤销立即生效", "a revocation takes effect at once"), 5, True),
    ("log", Said("每次问答都记入日志，不含证件号码", "every answer is in the log, without the number"), 4, True),
    ("latency", Said("答复及时", "answers come in time"), 4, False),
    (
        "modes",
        Said("批次、事件、比对等接口在双向 TLS 上应答", "lots, events and matches answer over mutual TLS"),
        4,
        False,
    ),
    ("coverage", Said("数据元与目录相符", "elements cover the catalogue entry"), 3, False),
    ("quality", Said("数据质量", "quality of the data"), 3, False),
)
