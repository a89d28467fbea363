"""What a gateway refuses of its events section, and of requests."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import urllib3
from exchange_events import SPEC, Register, event_agreement, gateway_settings, running
from exchange_province import Province

from huodang.exchange import EventSteward, GatewayConfigError, Kind, read_gateway_file
from huodang.exchange.events.part import EventsPart

Change = dict[str, Any]


def open_part(province: Province, *specs: dict[str, Any]) -> EventsPart:
    gateway = province.gateway(gateway_settings(*specs))
    assert gateway.file.spec.events is not None
    return EventsPart(gateway, gateway.file.spec.events)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"table": "NOWHERE"}, "NOWHERE"),
        ({"cursor": "NOPE"}, "NOPE"),
        ({"key": ["BH", "NOPE"]}, "NOPE"),
        ({"only": {"NOPE": "1"}}, "NOPE"),
        ({"type": "Death!"}, "type"),
        ({"coursor": "GXSJ"}, "coursor"),
        ({"notify": "deaths"}, "notify"),
        ({"file": "*.csv"}, "table"),
        ({"take": "latest"}, "take"),
        ({"resource": "health.death_registered"}, "department"),
        ({"elements": {"shoe_size": "XM"}}, "shoe_size"),
        ({"elements": {"identity_number": "GMSFHM"}}, "subject"),
        ({"sweep_seconds": -1}, "sweep_seconds"),
    ],
)
def test_a_section_that_does_not_fit_is_refused_by_name(province: Province, change: Change, told: str) -> None:
    Register(province.folder("police") / "police.db").make()
    with pytest.raises(GatewayConfigError) as refused:
        open_part(province, {**SPEC, **change})
    assert told in refused.value.sentence("en")


def test_two_entries_of_one_name_are_refused(province: Province) -> None:
    Register(province.folder("police") / "police.db").make()
    with pytest.raises(GatewayConfigError):
        open_part(province, SPEC, SPEC)


def test_a_steward_of_a_gateway_without_events_is_told_so(province: Province) -> None:
    Register(province.folder("police") / "police.db").make()
    with pytest.raises(GatewayConfigError):
        EventSteward(read_gateway_file(province.write(gateway_settings(SPEC))))


BODIES = [
    b"",
    b"[]",
    b"{}",
    b'{"grants": []}',
    b'{"grants": [1], "wait": "x"}',
    b'{"grants": [{}], "other": 1}',
    b"\xff",
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_none_is_refused(province: Province, body: bytes) -> None:
    Register(province.folder("police") / "police.db").make()
    with running(province.gateway(gateway_settings(SPEC)), watch=False) as (url, _):
        assert urllib3.request("POST", f"{url}/v1/events", body=body).status == 400


Grantor = Callable[[Province], str]


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        (lambda _: "{}", "malformed"),
        (lambda p: p.sign(event_grant(p), "justice"), "forged"),
        (lambda p: p.sign(event_grant(p, parameters={"cursor": "-1"})), "parameter_invalid"),
        (lambda p: p.sign(event_grant(p, parameters={})), "parameter_invalid"),
        (lambda p: p.sign(event_grant(p, kind=Kind.LIST)), "not_in_agreement"),
        (lambda p: p.sign(event_grant(p, purpose="curiosity")), "purpose_not_in_agreement"),
        (lambda p: p.sign(event_grant(p, fields=("identity_number", "phone"))), "field_not_in_agreement"),
        (lambda p: p.sign(event_grant(p, agreement_id="XY-other")), "no_agreement"),
    ],
)
def test_a_grant_that_does_not_hold_is_refused_with_a_signed_code(
    province: Province, grant: Grantor, code: str
) -> None:
    Register(province.folder("police") / "police.db").make()
    province.lay(event_agreement(province))
    with running(province.gateway(gateway_settings(SPEC)), watch=False) as (_, part):
        [page] = part.desk.answer([grant(province)], 0.0)
        payload = json.loads(json.loads(bytes(page["refusal"]))["payload"])
        assert payload["code"] in (code, "not_grant_signer" if code == "forged" else code)


def test_a_grant_is_taken_once(province: Province) -> None:
    Register(province.folder("police") / "police.db").make()
    province.lay(event_agreement(province))
    with running(province.gateway(gateway_settings(SPEC)), watch=False) as (_, part):
        raw = province.sign(event_grant(province))
        assert "refusal" not in part.desk.answer([raw], 0.0)[0]
        assert b"replayed" in bytes(part.desk.answer([raw], 0.0)[0]["refusal"])


def event_grant(province: Province, **changes: Any) -> Any:
    agreement = event_agreement(province)
    terms = {
        "agreement_id": agreement.agreement_id,
        "kind": Kind.EVENT,
        "purpose": "supervision",
        "subject": "",
        "case_id": "",
        "claims": {},
        "parameters": {"cursor": "0", "epoch": ""},
        "elements": (),
        "fields": agreement.fields,
    }
    grant = province.grant("police.household")
    return msgspec.structs.replace(grant, resource=agreement.resource, **{**terms, **changes})
