"""Lists (名单): who falls into a span of days, as far as the agreement lets a gateway tell."""

from typing import Any

import pytest
from exchange_province import LI, POLICE, STRANGER, WANG, Province, fill_police

from huodang.exchange import (
    Actor,
    AgreementRecord,
    AgreementState,
    Gateway,
    GatewayConfigError,
    Grant,
    Kind,
    Outcome,
    PreparedGrant,
    Refusal,
    Verdict,
)
from huodang.exchange.answers import judge
from huodang.exchange.questions import Question, permit
from huodang.exchange.values import VERDICT
from huodang.trust import SignedEnvelope, sign_envelope

RESOURCE = "police.born"
FIELDS = ("identity_number", "name", "birth_date")
LIST: dict[str, Any] = {
    "resource": RESOURCE,
    "table": "T_CZRK_JBXX",
    "within": {"column": "CSRQ", "lower": "birth_from", "upper": "birth_to", "format": "yyyymmdd"},
    "elements": {
        "identity_number": "GMSFHM",
        "name": "XM",
        "sex": {"column": "XB", "crosswalk": {"1": "1", "2": "2"}},
        "birth_date": {"column": "CSRQ", "format": "yyyymmdd"},
    },
}


def terms(**changes: Any) -> dict[str, Any]:
    named = {"kind": Kind.LIST, "purposes": ("retirement_due",), "elements": FIELDS, "fields": FIELDS}
    return {**named, **changes}


def opened(province: Province, **changes: Any) -> Gateway:
    fill_police(province.folder("police") / "police.db")
    province.lay(province.agreement(RESOURCE, **terms()))
    return province.gateway({**POLICE, "lists": [{**LIST, **changes}]})


def grant(province: Province, first: str = "1965-03-01", last: str = "1970-12-31", **changes: Any) -> Grant:
    asked = {
        "kind": Kind.LIST,
        "subject": "",
        "claims": {},
        "purpose": "retirement_due",
        "parameters": {"birth_from": first, "birth_to": last},
        "elements": FIELDS,
        "fields": FIELDS,
    }
    return province.grant(RESOURCE, **{**asked, **changes})


def test_a_list_holds_who_falls_into_the_days_and_only_the_fields_agreed(province: Province) -> None:
    gateway = opened(province)
    verdict = province.ask(gateway, grant(province))
    assert isinstance(verdict, Verdict)
    assert (verdict.outcome, verdict.reason) == (Outcome.CLEAR, "listed")
    assert verdict.rows == (
        {"identity_number": WANG, "name": "王建国", "birth_date": "1965-03-01"},
        {"identity_number": LI.lower(), "name": "李红梅", "birth_date": "1970-05-15"},
    )
    assert verdict.fields == {}
    assert len(verdict.evidence_hash) == 64


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        ("1965-03-01", "1965-03-01", ["王建国"]),
        ("1965-03-02", "1970-05-14", []),
        ("1970-05-15", "1970-05-15", ["李红梅"]),
        ("1980-01-01", "1960-01-01", []),
    ],
)
def test_both_days_belong_to_the_span(province: Province, first: str, last: str, names: list[str]) -> None:
    verdict = province.ask(opened(province), grant(province, first, last))
    assert isinstance(verdict, Verdict)
    assert [row["name"] for row in verdict.rows] == names


def test_a_grant_may_ask_for_less_than_the_agreement(province: Province) -> None:
    verdict = province.ask(opened(province), grant(province, fields=("name",)))
    assert isinstance(verdict, Verdict)
    assert {name for row in verdict.rows for name in row} == {"name"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fields": (*FIELDS, "sex")}, "field_not_in_agreement"),
        ({"purpose": "retirement"}, "purpose_not_in_agreement"),
        ({"subject": WANG}, "subject_mismatch"),
        ({"parameters": {"birth_from": "1965-03-01"}}, "parameter_missing"),
        ({"parameters": {"birth_from": "1965-03-01", "birth_to": "soon"}}, "parameter_invalid"),
        ({"kind": Kind.CHECK}, "not_in_agreement"),
    ],
)
def test_what_the_agreement_does_not_cover_is_refused(province: Province, change: dict[str, Any], code: str) -> None:
    refusal = province.ask(opened(province), grant(province, **change))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_check_without_a_person_is_still_refused(province: Province, police: Gateway) -> None:
    refusal = province.ask(police, province.grant(subject=""))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "subject_invalid"


def test_more_people_than_the_file_allows_are_not_handed_over_at_all(province: Province) -> None:
    verdict = province.ask(opened(province, most=1), grant(province))
    assert isinstance(verdict, Verdict)
    assert (verdict.outcome, verdict.reason, verdict.rows) == (Outcome.UNKNOWN, "too_many", ())


def test_a_row_that_cannot_be_read_is_left_out_and_told(province: Province) -> None:
    crosswalk = {**LIST["elements"], "sex": {"column": "XB", "crosswalk": {"1": "1"}}}
    fields = (*FIELDS, "sex")
    province.lay(province.agreement(RESOURCE, **terms(elements=fields, fields=fields)))
    fill_police(province.folder("police") / "police.db")
    gateway = province.gateway({**POLICE, "lists": [{**LIST, "elements": crosswalk}]})
    verdict = province.ask(gateway, grant(province, elements=fields, fields=fields))
    assert isinstance(verdict, Verdict)
    assert verdict.reason == "listed_with_gaps"
    assert [row["name"] for row in verdict.rows] == ["王建国"]


@pytest.mark.parametrize(
    "change",
    [
        {"table": "T_NICHT"},
        {"within": {**LIST["within"], "column": "NIRGENDS"}},
        {"within": {**LIST["within"], "format": "ddmmyyyy"}},
        {"within": {**LIST["within"], "format": "yyyymm"}},
        {"elements": {"name": "NIRGENDS"}},
        {"elements": {"shoe_size": "XM"}},
        {"most": 501},
    ],
)
def test_a_list_that_does_not_fit_the_source_is_told_at_start_up(province: Province, change: dict[str, Any]) -> None:
    with pytest.raises(GatewayConfigError):
        opened(province, **change)


def test_the_hub_asks_for_a_list_about_nobody_and_only_for_who_may_find_people(province: Province) -> None:
    agreement = province.agreement(RESOURCE, **terms())
    record = AgreementRecord(agreement, AgreementState.IN_FORCE, province.signed(agreement))
    clerk = Actor("c1", "王窗口", "window_clerk", "social_insurance", "130100")
    auditor = Actor("a1", "周审计", "auditor", "", "130000")

    def drafted(actor: Actor, number: str = "") -> object:
        question = Question(RESOURCE, "", number, {}, {}, "retirement_due", actor, region="130100")
        signer, now = province.signer("hub"), province.clock.now()
        return permit(question, [record], signer.holder, "social_insurance", now)

    made = drafted(clerk)
    assert getattr(made, "grant").subject == ""  # noqa: B009  (a Permitted; a Failure has no grant)
    assert getattr(drafted(auditor), "code", None) == "not_permitted"
    assert getattr(drafted(clerk, STRANGER), "code", None) == "subject_invalid"


def test_rows_beyond_the_grant_are_not_taken_by_the_hub(province: Province) -> None:
    asked = grant(province, fields=("name",))
    envelope = SignedEnvelope.from_json(province.sign(asked))
    prepared = PreparedGrant(asked.grant_id, asked.resource, asked.provider, "", asked, envelope)

    def answered(**rows: str) -> str | None:
        verdict = Verdict(
            grant_id=asked.grant_id,
            grant_digest=envelope.digest,
            resource=RESOURCE,
            provider="police",
            outcome=Outcome.CLEAR,
            reason="listed",
            as_of=province.clock.now(),
            evidence_hash="",
            answered_at=province.clock.now(),
            rows=(rows,),
        )
        raw = sign_envelope(VERDICT, verdict.to_payload(), province.signer("police")).to_json().encode()
        failure = judge(prepared, raw, province.trusted, province.clock.now()).failure
        return None if failure is None else failure.code.value

    assert answered(name="王建国") is None
    assert answered(name="王建国", identity_number=WANG) == "not_allowed"
