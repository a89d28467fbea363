"""What a gateway refuses, each refusal signed by it, with nothing read."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from exchange_province import LI, POLICE, WANG, Province

from huodang.exchange import GRANT, Gateway, Refusal, Verdict, revoke_envelope
from huodang.trust import SignedEnvelope, Signer, sign_envelope


@dataclass
class Bad:
    """A grant that must be refused: what is changed in it, who signs it, and the code."""

    code: str
    grant: dict[str, Any] = field(default_factory=dict)
    signer: str = "hub"
    agreement: dict[str, Any] = field(default_factory=dict)


PAST, LONG = timedelta(minutes=-10), timedelta(hours=2)

SCENARIOS = {
    "for another department": Bad("wrong_provider", {"provider": "health"}),
    "of another resource than the agreement": Bad(
        "not_in_agreement", {"resource": "police.alive", "agreement_id": "XY-police-household"}
    ),
    "of another kind": Bad("not_in_agreement", {"kind": "action"}),
    "in another consumer's name": Bad("not_in_agreement", {"consumer": "justice"}),
    "for another purpose": Bad("purpose_not_in_agreement", {"purpose": "curiosity"}),
    "for an element outside the agreement": Bad(
        "element_not_in_agreement", {"elements": ("name", "birth_date", "nationality")}
    ),
    "claiming an element that it doesn't name": Bad("element_not_in_agreement", {"claims": {"phone": "1"}}),
    "for a raw field outside the agreement": Bad("field_not_in_agreement", {"fields": ("birth_date",)}),
    "with too few elements for the check": Bad(
        "elements_insufficient", {"elements": ("name",), "claims": {"name": "王建国"}}
    ),
    "without the claim the check needs": Bad("claim_missing", {"claims": {}}),
    "under no agreement": Bad("no_agreement", {"agreement_id": "XY-other"}),
    "under a version nobody signed": Bad("no_agreement", {"agreement_version": 2}),
    "under an agreement that is over": Bad("agreement_not_in_force", agreement={"valid_to": date(2025, 3, 2)}),
    "under an agreement that is not yet": Bad("agreement_not_in_force", agreement={"valid_from": date(2025, 3, 4)}),
    "signed by one who may not grant": Bad("not_grant_signer", signer="social_insurance"),
    "about no valid number": Bad("subject_invalid", {"subject": "130102196503010012"}),
    "whose claim names another person": Bad("subject_mismatch", {"claims": {"name": "王建国", "identity_number": LI}}),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_grant_is_refused(province: Province, police: Gateway, name: str) -> None:
    bad = SCENARIOS[name]
    if bad.agreement:
        province.lay(province.agreement(**bad.agreement))
    grant = province.grant(**bad.grant)
    answer = province.read(police.answer([province.sign(grant, bad.signer)])[0])
    assert isinstance(answer, Refusal), name
    assert (answer.code, answer.grant_id) == (bad.code, grant.grant_id)
    assert answer.chinese
    assert WANG not in answer.chinese + answer.english


@pytest.mark.parametrize(
    ("issued", "life", "code"),
    [
        (timedelta(minutes=-10), timedelta(minutes=5), "expired"),
        (timedelta(minutes=10), timedelta(minutes=5), "not_yet_valid"),
        (timedelta(0), timedelta(hours=2), "lives_too_long"),
        (timedelta(0), timedelta(0), "lives_too_long"),
    ],
)
def test_a_grant_out_of_its_time_is_refused(
    province: Province, police: Gateway, issued: timedelta, life: timedelta, code: str
) -> None:
    at = province.clock.now() + issued
    answer = province.ask(police, province.grant(issued_at=at, expires_at=at + life))
    assert isinstance(answer, Refusal)
    assert answer.code == code


def test_clocks_may_differ_by_a_little(province: Province, police: Gateway) -> None:
    late = province.clock.now() - timedelta(minutes=5, seconds=50)
    assert isinstance(
        province.ask(police, province.grant(issued_at=late, expires_at=late + timedelta(minutes=5))), Verdict
    )


def altered(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_grant_altered_to_another_person_is_forged(province: Province, police: Gateway) -> None:
    text = altered(province.sign(province.grant()), WANG, LI)
    answer = province.read(police.answer([text])[0])
    assert isinstance(answer, Refusal)
    assert answer.code == "forged"


def test_a_grant_signed_by_a_stranger_in_the_hubs_name_is_forged(province: Province, police: Gateway) -> None:
    stranger = Signer.generate("hub")
    answer = province.read(police.answer([sign_envelope(GRANT, province.grant().to_payload(), stranger).to_json()])[0])
    assert isinstance(answer, Refusal)
    assert answer.code == "forged"


@pytest.mark.parametrize("garbage", ["", "{}", "[]", "null", "\0", "🀄", '{"payload": 1}'])
def test_garbage_is_refused_as_malformed_and_signed(province: Province, police: Gateway, garbage: str) -> None:
    answer = province.read(police.answer([garbage])[0])
    assert isinstance(answer, Refusal)
    assert answer.code == "malformed"


def test_a_signed_grant_with_an_unknown_field_is_malformed(province: Province, police: Gateway) -> None:
    payload = province.grant().to_payload() | {"hurry": "yes"}
    answer = province.read(police.answer([sign_envelope(GRANT, payload, province.signer("hub")).to_json()])[0])
    assert isinstance(answer, Refusal)
    assert answer.code == "malformed"


def test_another_kind_of_envelope_is_no_grant(province: Province, police: Gateway) -> None:
    agreement = province.signed(province.agreement()).to_json()
    answer = province.read(police.answer([agreement])[0])
    assert isinstance(answer, Refusal)
    assert answer.code == "malformed"


def test_the_same_grant_again_is_refused_as_replayed_also_after_a_restart(province: Province, police: Gateway) -> None:
    text = province.sign(province.grant())
    assert police.answer([text])[0].kind == "verdict"
    again = province.read(police.answer([text])[0])
    assert isinstance(again, Refusal)
    assert again.code == "replayed"
    restarted = province.gateway(POLICE)
    after = province.read(restarted.answer([text])[0])
    assert isinstance(after, Refusal)
    assert after.code == "replayed"


def test_the_same_grant_twice_in_one_request_is_answered_once(province: Province, police: Gateway) -> None:
    text = province.sign(province.grant())
    answers = [province.read(one) for one in police.answer([text, text])]
    assert isinstance(answers[0], Verdict)
    assert isinstance(answers[1], Refusal)
    assert answers[1].code == "replayed"
    assert [line.outcome for line in police.memory.lines()] == ["refusal", "clear"]


def test_nonces_are_forgotten_only_when_their_grants_are_refused_for_age(province: Province, police: Gateway) -> None:
    text = province.sign(province.grant())
    police.answer([text])
    province.clock.advance(timedelta(minutes=5, seconds=30))
    police.memory.forget(province.clock.now())
    again = province.read(police.answer([text])[0])
    assert isinstance(again, Refusal)
    assert again.code == "replayed"
    province.clock.advance(timedelta(minutes=5))
    police.memory.forget(province.clock.now())
    late = province.read(police.answer([text])[0])
    assert isinstance(late, Refusal)
    assert late.code == "expired"


@pytest.mark.parametrize("holders", [("police",), ("social_insurance",), ("police", "justice")])
def test_an_agreement_counts_only_with_both_signatures(
    province: Province, police: Gateway, holders: tuple[str, ...]
) -> None:
    province.lay(province.agreement(), *holders)
    answer = province.ask(police, province.grant())
    assert isinstance(answer, Refusal)
    assert answer.code == "no_agreement"
    assert len(police.conformance()["agreement_problems"]) == 1
    assert police.conformance()["resources"][0]["ready"] is False


def test_an_altered_agreement_does_not_count(province: Province, police: Gateway) -> None:
    path = province.lay(province.agreement())
    path.write_text(altered(path.read_text(encoding="utf-8"), "retirement_prefill", "curiosity_prefill"), "utf-8")
    answer = province.ask(police, province.grant())
    assert isinstance(answer, Refusal)
    assert answer.code == "no_agreement"


def test_a_broken_file_among_the_agreements_stops_no_other(province: Province, police: Gateway) -> None:
    (province.folder("police") / "agreements" / "broken.json").write_text("{", encoding="utf-8")
    assert isinstance(province.ask(police, province.grant()), Verdict)
    assert "broken.json" in police.conformance()["agreement_problems"][0]


def test_a_newer_version_takes_the_place_of_the_older_at_once(province: Province, police: Gateway) -> None:
    assert isinstance(province.ask(police, province.grant()), Verdict)
    province.lay(province.agreement(version=2, fields=()))
    old = province.ask(police, province.grant())
    assert isinstance(old, Refusal)
    assert old.code == "agreement_superseded"
    assert isinstance(province.ask(police, province.grant(agreement_version=2, fields=())), Verdict)


@pytest.mark.parametrize("side", ["police", "social_insurance"])
def test_either_side_revokes_an_agreement_at_once(province: Province, police: Gateway, side: str) -> None:
    assert isinstance(province.ask(police, province.grant()), Verdict)
    lay_revocation(
        province, revoke_envelope(province.agreement(), "数据用途变更", province.signer(side), province.clock)
    )
    answer = province.ask(police, province.grant())
    assert isinstance(answer, Refusal)
    assert answer.code == "agreement_revoked"


def test_a_third_party_can_not_revoke(province: Province, police: Gateway) -> None:
    lay_revocation(province, revoke_envelope(province.agreement(), "x", province.signer("justice"), province.clock))
    assert isinstance(province.ask(police, province.grant()), Verdict)


def lay_revocation(province: Province, envelope: SignedEnvelope) -> None:
    path = province.folder("police") / "agreements" / "revoked.json"
    path.write_text(envelope.to_json(), encoding="utf-8")
