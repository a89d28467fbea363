"""What departments sign at their own place and hand over: taken once, whole or not at all, within the policies."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from exchange_hub import agree, call
from exchange_province import POLICE, WANG, HubMaker, Province, serving
from exchange_sharing import CONSUMER, PROVIDER, wanted
from typer.testing import CliRunner, Result

from huodang.cli import app
from huodang.exchange import Catalogue, Exchange, Gateway, Looks, MessageError, gateway_application
from huodang.exchange.sharing import (
    DemandTerms,
    SharingGuardError,
    SharingNotPermittedError,
    SharingServices,
    StaleActError,
    build_sharing,
    write_act,
)
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import EnvelopeError, FieldSealer, sign_envelope


@pytest.fixture
def exchange(make_hub: HubMaker, police: Gateway, database: Database, province: Province) -> Iterator[Exchange]:
    with serving(gateway_application(police), province.tls("police")) as url:
        made = make_hub({"police": url})
        agree(made, database, province)
        yield made
        made._directory.close()  # a kept connection would be waited for


@pytest.fixture
def services(exchange: Exchange, province: Province, database: Database, ledger: Ledger) -> SharingServices:
    return build_sharing(
        database,
        agreements=exchange.agreements,
        catalogue=Catalogue(province.clock),
        ledger=ledger,
        signer=province.signer("hub"),
        trusted=province.trusted,
        directory=None,
        sealer=FieldSealer.create(province.keys.keys_folder("hub")),
        looks=Looks(database, ledger, province.clock),
        clock=province.clock,
        forget_answers=exchange.forget_answers,
    )


def steward(province: Province, department: str, *arguments: str, given: str = "") -> Result:
    """Run the steward's command line at a department."""
    offset = int((province.clock.now() - datetime.now(UTC)).total_seconds())
    (province.root / "clock.offset").write_text(str(offset), encoding="ascii")
    base = POLICE | {"department": department, "clock_offset_file": "../../clock.offset"}
    config = province.write(base)
    result = CliRunner().invoke(app, ["steward", *arguments, "--config", str(config)], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_a_demand_goes_all_its_way_by_files(services: SharingServices, province: Province, tmp_path: Path) -> None:
    terms = tmp_path / "demand.yaml"
    plain = {name: value for name, value in json.loads(json.dumps(wanted().to_payload())).items() if name != "consumer"}
    terms.write_text(yaml.safe_dump(plain), encoding="utf-8")
    raised = tmp_path / "D.json"
    steward(province, "social_insurance", "demand", str(terms), "--out", str(raised))
    taken = services.acts.take(raised.read_bytes())
    assert (taken.state, taken.again) == ("review", False)
    assert services.acts.take(raised.read_bytes()).again
    for event in ("accept", "approve"):
        file = tmp_path / f"{event}.json"
        steward(province, "police", "review", taken.matter, event, "--out", str(file))
        services.acts.take(file.read_bytes())
    view = services.sharing.view(PROVIDER, taken.matter)
    assert view.standing.state == "signing"
    assert view.history[1].by == "police:steward"
    text = tmp_path / "terms.yaml"
    agreement = services.sharing.draft(CONSUMER, taken.matter)
    text.write_text(yaml.safe_dump(json.loads(json.dumps(agreement.to_payload()))), encoding="utf-8")
    signed = tmp_path / "XY.json"
    steward(province, "social_insurance", "draft", str(text), "--out", str(signed))
    steward(province, "police", "sign", str(signed), "--yes")
    services.sharing.take_agreement(signed.read_bytes())
    assert services.sharing.view(CONSUMER, taken.matter).standing.state == "in_use"
    ended = tmp_path / "R.json"
    steward(province, "social_insurance", "end-use", str(signed), "--reason", "业务终止", "--out", str(ended))
    services.sharing.take_revocation(ended.read_bytes())
    assert services.sharing.view(CONSUMER, taken.matter).standing.state == "revoked"


def test_a_correction_goes_all_its_way_by_files_and_no_file_names_the_person(
    services: SharingServices, exchange: Exchange, database: Database, province: Province, tmp_path: Path
) -> None:
    (answer,) = call(exchange, database)
    paper, raised, accepted = tmp_path / "paper.pdf", tmp_path / "C.json", tmp_path / "A.json"
    paper.write_bytes(b"scan")
    options = ("--resource", "police.household", "--element", "name", "--reference", answer.grant_id)
    asked = f"{WANG}\n王健国\n"
    steward(
        province, "social_insurance", "correct", *options, "--evidence", str(paper), "--out", str(raised), given=asked
    )
    taken = services.acts.take(raised.read_bytes())
    steward(
        province,
        "police",
        *("answer-correction", taken.matter, "accept", "--in-force-from", "2025-03-03", "--note", "核实"),
        *("--out", str(accepted)),
        given="王健国\n",
    )
    assert services.acts.take(accepted.read_bytes()).state == "notifying"
    assert not any(text in file.read_text("utf-8") for text in (WANG, "王健国") for file in (raised, accepted))
    (told,) = services.corrections.notices(CONSUMER)
    notice, acknowledged = tmp_path / "N.json", tmp_path / "K.json"
    notice.write_text(services.corrections.notice(CONSUMER, told.notice_id).to_json(), encoding="utf-8")
    assert WANG not in steward(province, "social_insurance", "notice", str(notice)).output
    assert "王健国" in steward(province, "social_insurance", "notice", str(notice), "--show").output
    steward(province, "social_insurance", "acknowledge", told.notice_id, "--out", str(acknowledged))
    services.acts.take(acknowledged.read_bytes())
    assert services.corrections.corrections(CONSUMER)[0].standing.state == "closed"


def test_an_act_can_do_no_more_than_its_department_may(services: SharingServices, province: Province) -> None:
    def act(holder: str, what: Any, matter: str = "", **data: Any) -> Any:
        return services.acts.take(write_act(province.signer(holder), province.clock, what, matter, "说明", data))

    with pytest.raises(SharingNotPermittedError):
        act("police", "demand", terms=wanted().to_payload())
    demand = act("social_insurance", "demand", terms=wanted().to_payload())
    with pytest.raises(SharingNotPermittedError):
        act("social_insurance", "demand_event", demand.matter, event="accept")
    with pytest.raises(SharingGuardError):
        act("police", "demand_event", demand.matter, event="refuse", law="无")
    with pytest.raises(MessageError):
        act("police", "demand_event", demand.matter, event=7)
    with pytest.raises(MessageError):
        act("social_insurance", "demand", terms={"provider": "police"})
    with pytest.raises(MessageError):
        act("social_insurance", "correction")
    assert services.sharing.view(CONSUMER, demand.matter).standing.state == "review"


def test_an_act_in_another_departments_name_or_out_of_time_is_refused(
    services: SharingServices, province: Province
) -> None:
    good = write_act(
        province.signer("social_insurance"), province.clock, "demand", data={"terms": wanted().to_payload()}
    )
    borrowed = sign_envelope("sharing_act", dict(good.payload), province.signer("police"))
    with pytest.raises(EnvelopeError):
        services.acts.take(borrowed)
    for away in (timedelta(days=31), timedelta(hours=-1)):
        clock = FixedClock(province.clock.now() - away)
        with pytest.raises(StaleActError):
            services.acts.take(
                write_act(province.signer("social_insurance"), clock, "demand", data={"terms": wanted().to_payload()})
            )
    assert services.sharing.demands(CONSUMER) == []


def test_a_file_with_wrong_terms_is_refused_before_it_is_signed(province: Province, tmp_path: Path) -> None:
    terms = tmp_path / "demand.yaml"
    for text in ("[]", "{provider: police", "provider: police\npurposes: []", "\x00"):
        terms.write_text(text, encoding="utf-8")
        with pytest.raises(MessageError):
            steward(province, "social_insurance", "demand", str(terms), "--out", str(tmp_path / "D.json"))
    with pytest.raises(MessageError):
        steward(province, "police", "review", "dxx", "shrug", "--out", str(tmp_path / "D.json"))
    assert not (tmp_path / "D.json").exists()
    assert DemandTerms.from_payload(wanted().to_payload()) == wanted()
