"""What a department's steward does, through the command line, while the gateway may run."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from exchange_province import JUSTICE, LI, POLICE, WANG, Province, write_custody
from typer.testing import CliRunner, Result

from huodang.cli import app
from huodang.exchange import AgreementError, Gateway, Refusal, Verdict
from huodang.trust import SignedEnvelope


@pytest.fixture
def offset(province: Province) -> None:
    """The command line runs by the machine's clock: move it to the tests' day."""
    seconds = int((province.clock.now() - datetime.now(UTC)).total_seconds())
    (province.root / "clock.offset").write_text(str(seconds), encoding="ascii")


def run(province: Province, *arguments: str, given: str = "", base: dict[str, Any] = POLICE) -> Result:
    config = province.write(base | {"clock_offset_file": "../../clock.offset"})
    result = CliRunner().invoke(app, ["steward", *arguments, "--config", str(config)], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def half_signed(province: Province, tmp_path: Path) -> Path:
    path = tmp_path / "XY-police-household.json"
    path.write_text(province.signed(province.agreement(), "social_insurance").to_json(), encoding="utf-8")
    return path


@pytest.mark.usefixtures("offset")
def test_a_steward_sees_the_terms_signs_and_the_running_gateway_answers(
    province: Province, police: Gateway, tmp_path: Path
) -> None:
    for path in (province.folder("police") / "agreements").glob("*.json"):
        path.unlink()
    assert isinstance(province.ask(police, province.grant()), Refusal)
    file = half_signed(province, tmp_path)
    result = run(province, "sign", str(file), given="y\n")
    assert result.exit_code == 0
    for told in (
        "police.household",
        "retirement_prefill",
        "社会保险经办条例第八条",
        "former_name",
        "2025-01-01",
        "生效",
    ):
        assert told in result.output
    assert isinstance(province.ask(police, province.grant()), Verdict)


@pytest.mark.usefixtures("offset")
def test_a_steward_who_says_no_signs_nothing(province: Province, tmp_path: Path) -> None:
    file = half_signed(province, tmp_path)
    before = file.read_bytes()
    assert run(province, "sign", str(file), given="n\n").exit_code == 1
    assert file.read_bytes() == before
    assert list((province.folder("police") / "agreements").glob("*.json")) == []


@pytest.mark.usefixtures("offset")
def test_an_agreement_of_others_is_not_signed(province: Province, tmp_path: Path) -> None:
    file = half_signed(province, tmp_path)
    write_custody(province.folder("justice") / "files", [])
    with pytest.raises(AgreementError):
        run(province, "sign", str(file), "--yes", base=JUSTICE)


@pytest.mark.usefixtures("offset")
def test_a_steward_draws_up_an_agreement_for_the_other_side_to_sign(province: Province, tmp_path: Path) -> None:
    terms = tmp_path / "terms.yaml"
    payload = {**province.agreement().to_payload(), "kind": "check"}
    terms.write_text(
        yaml.safe_dump({key: list(value) if isinstance(value, tuple) else value for key, value in payload.items()}),
        encoding="utf-8",
    )
    out = tmp_path / "draft.json"
    assert run(province, "draft", str(terms), "--out", str(out)).exit_code == 0
    envelope = SignedEnvelope.from_json(out.read_bytes())
    assert [one.holder for one in envelope.signatures] == ["police"]
    assert envelope.payload == json.loads(json.dumps(province.agreement().to_payload()))


@pytest.mark.usefixtures("offset")
def test_a_steward_revokes_and_the_running_gateway_refuses_at_once(province: Province, police: Gateway) -> None:
    assert isinstance(province.ask(police, province.grant()), Verdict)
    assert "有效" in run(province, "show").output
    assert run(province, "revoke", "XY-police-household", "--reason", "用途变更").exit_code == 0
    answer = province.ask(police, province.grant())
    assert isinstance(answer, Refusal)
    assert answer.code == "agreement_revoked"
    assert "agreement_revoked" in run(province, "show").output


@pytest.mark.usefixtures("offset")
def test_what_is_not_there_can_not_be_revoked(province: Province) -> None:
    with pytest.raises(AgreementError):
        run(province, "revoke", "XY-nothing", "--reason", "x")


@pytest.mark.usefixtures("offset")
def test_the_log_tells_what_was_answered_and_finds_one_person_without_the_shells_history(
    province: Province, police: Gateway
) -> None:
    province.ask(police, province.grant())
    province.ask(police, province.grant(subject=LI, claims={"name": "李红梅"}))
    province.ask(police, province.grant(purpose="curiosity"))
    lines = json.loads(run(province, "log", "--json").output)
    assert [line["reason"] for line in lines] == ["purpose_not_in_agreement", "matches", "matches"]
    output = run(province, "log", "--json", "--person", given=f"{LI}\n").output
    (line,) = json.loads(output[output.index("[") :])
    assert line["grant_id"] == "g-2"
    assert WANG not in output
    assert "clear" in run(province, "log", "--resource", "police.household").output
