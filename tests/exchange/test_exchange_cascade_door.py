"""A hub's door: a neighbour's grant is checked as a gateway would, whoever made it and whatever it says."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from exchange_cascade import ELEMENTS, HOUSEHOLD, Site
from exchange_province import WANG
from msgspec.structs import replace

from huodang.exchange import AGREEMENT, GRANT, REFUSAL, Agreement, Grant, Refusal
from huodang.exchange.cascade import CascadeError, Neighbour, neighbour_keys, server_context
from huodang.exchange.values import new_identifier, new_nonce, to_the_second
from huodang.store import SystemClock
from huodang.trust import Signer, TlsPair, TrustedKeys, cosign_envelope, open_envelope, sign_envelope
from huodang.web import HubSettings, Services, SettingsError, assemble


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site, Services, Agreement]]:
    """A province that passes its police on to a city; no department is running, as nothing here gets that far."""
    root: Path = tmp_path_factory.mktemp("door")
    province, city = Site.make("province", root / "province"), Site.make("city", root / "city")
    province.write_hub(lower=(city,))
    city.write_hub(upper=province)
    services = province.open()
    assert services.cascade is not None
    province.agree_inside(services)
    name = services.cascade.publish(HOUSEHOLD, by="steward").resource
    agreement = city.terms(name, "province", "city", calls_per_minute=40)
    envelope = cosign_envelope(sign_envelope(AGREEMENT, agreement.to_payload(), city.signer("city")), services.signer)
    with services.database.begin() as connection:
        services.exchange.agreements.take(connection, envelope)
    try:
        yield province, city, services, agreement
    finally:
        services.close()


def grant(agreement: Agreement, **changes: Any) -> Grant:
    now = to_the_second(SystemClock().now())
    terms: dict[str, Any] = {
        "grant_id": new_identifier("g", now),
        "resource": agreement.resource,
        "agreement_id": agreement.agreement_id,
        "agreement_version": 1,
        "provider": "province",
        "consumer": "city",
        "purpose": "retirement",
        "legal_basis": agreement.legal_basis,
        "case_id": "case-1",
        "subject": WANG,
        "claims": {"name": "王建国"},
        "elements": ELEMENTS,
        "fields": ("name",),
        "issued_at": now,
        "expires_at": now + timedelta(minutes=5),
        "nonce": new_nonce(),
    }
    return Grant(**{**terms, **changes})


def refused(services: Services, made: Grant, signer: Signer) -> str:
    """Present a grant; the code of the refusal, which the hub itself has signed."""
    assert services.cascade is not None
    text = sign_envelope(GRANT, made.to_payload(), signer).to_json()
    (answer,) = services.cascade.relay.answer([text.encode()])
    assert answer.chain == ()
    payload = open_envelope(answer.envelope, REFUSAL, TrustedKeys((services.signer.public,)), signer="province")
    told = Refusal.from_payload(payload)
    assert WANG not in told.chinese + told.english + told.detail
    return told.code


NOW = SystemClock().now()
AGO = timedelta(minutes=20)
WAY = {"relay_path": "province", "relay_grants": "ab" * 32}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("an element that isn't agreed", {"elements": (*ELEMENTS, "household_address")}, "element_not_in_agreement"),
    ("a field that isn't agreed", {"fields": ("name", "birth_date")}, "field_not_in_agreement"),
    ("another purpose", {"purpose": "retirement_prefill"}, "purpose_not_in_agreement"),
    ("another agreement", {"agreement_id": "XY-none"}, "no_agreement"),
    ("another hub's question", {"provider": "police"}, "wrong_provider"),
    ("the department's own name", {"resource": "police.household"}, "not_in_agreement"),
    ("a consumer that didn't sign", {"consumer": "county"}, "not_neighbour"),
    ("a way that came through here", {"parameters": WAY}, "relay_loop"),
    ("a way without its grants", {"parameters": {"relay_path": "county"}}, "relay_path_broken"),
    ("no person", {"subject": ""}, "subject_invalid"),
    ("no valid number", {"subject": WANG[:-1] + ("0" if WANG[-1] != "0" else "1")}, "subject_invalid"),
    ("a grant of long ago", {"issued_at": NOW - AGO, "expires_at": NOW - AGO + timedelta(minutes=5)}, "expired"),
    ("a grant for an hour", {"expires_at": NOW + timedelta(hours=1)}, "lives_too_long"),
]


@pytest.mark.parametrize(("changes", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_goes_beyond_the_agreement_is_refused_by_the_hub_itself(
    pair: tuple[Site, Site, Services, Agreement], changes: dict[str, Any], code: str
) -> None:
    _, city, services, agreement = pair
    assert refused(services, grant(agreement, **changes), city.signer("city")) == code


def test_only_a_neighbour_s_key_makes_a_grant(pair: tuple[Site, Site, Services, Agreement]) -> None:
    province, city, services, agreement = pair
    for signer in (
        Signer.generate("city"),  # of the name, not of the key
        city.signer("police"),  # a department of the neighbour
        province.signer("police"),  # a department of this hub
        services.signer,
    ):
        assert refused(services, grant(agreement), signer) == "forged"


def test_a_department_that_is_away_and_a_grant_shown_twice(pair: tuple[Site, Site, Services, Agreement]) -> None:
    _, city, services, agreement = pair
    made = grant(agreement)
    assert refused(services, made, city.signer("city")) == "origin_unreachable"
    assert refused(services, made, city.signer("city")) == "replayed"


def test_the_agreement_s_limit_for_a_minute_holds_at_the_hub(pair: tuple[Site, Site, Services, Agreement]) -> None:
    _, city, services, agreement = pair
    assert services.cascade is not None
    texts = [
        sign_envelope(GRANT, grant(agreement).to_payload(), city.signer("city")).to_json().encode() for _ in range(42)
    ]
    codes = [one.envelope.payload["code"] for one in services.cascade.relay.answer(texts)]
    assert codes[-1] == "rate_limited"
    assert codes.count("rate_limited") >= 2


def test_garbage_is_refused_beside_a_good_question(pair: tuple[Site, Site, Services, Agreement]) -> None:
    _, _, services, _ = pair
    assert services.cascade is not None
    for garbage in (b"{}", b"[]", b'{"kind": 1}', "不是信封".encode()):
        (answer,) = services.cascade.relay.answer([garbage])
        assert answer.envelope.payload["code"] == "malformed"


def test_a_list_of_keys_counts_for_the_neighbour_alone(pair: tuple[Site, Site, Services, Agreement]) -> None:
    province, city, _, _ = pair
    neighbour = Neighbour("city", "https://localhost", city.root / "trust.json", city.root / "tls" / "authority.crt")
    found = neighbour_keys([neighbour], province.trusted(), "province")
    assert {key.holder for key in found} == {"city"}


@pytest.mark.parametrize("holder", ["police", "province", "hub", "portal", "county"])
def test_a_neighbour_of_a_taken_name_or_without_a_key_is_refused(
    pair: tuple[Site, Site, Services, Agreement], holder: str
) -> None:
    province, city, _, _ = pair
    neighbour = Neighbour(holder, "https://localhost", city.root / "trust.json", city.root / "tls" / "authority.crt")
    with pytest.raises(CascadeError) as caught:
        neighbour_keys([neighbour], province.trusted(), "province")
    assert caught.value.place.element == holder


def test_two_neighbours_of_one_name_are_refused(pair: tuple[Site, Site, Services, Agreement]) -> None:
    province, city, _, _ = pair
    neighbour = Neighbour("city", "https://localhost", city.root / "trust.json", city.root / "tls" / "authority.crt")
    with pytest.raises(CascadeError):
        neighbour_keys([neighbour, neighbour], province.trusted(), "province")


def test_a_misspelt_setting_of_a_neighbour_is_named(pair: tuple[Site, Site, Services, Agreement]) -> None:
    province, _, _, _ = pair
    file = province.root / "hub" / "hub.yaml"
    text = file.read_text(encoding="utf-8")
    other = file.with_name("misspelt.yaml")
    other.write_text(text.replace("authority: ../neighbours", "authorty: ../neighbours"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        HubSettings.load(other)
    assert "lower" in str(caught.value.place.element)


def test_what_is_not_shared_or_of_another_mode_is_not_passed_on(pair: tuple[Site, Site, Services, Agreement]) -> None:
    _, _, services, _ = pair
    assert services.cascade is not None
    for resource in ("police.nothing", "police.household_table", "housing_fund.accounts_match", "province.x"):
        with pytest.raises(CascadeError):
            services.cascade.publish(resource, by="steward")


def test_an_agreement_that_is_not_between_the_hubs_is_not_taken_from_a_neighbour(
    pair: tuple[Site, Site, Services, Agreement],
) -> None:
    province, city, services, agreement = pair
    assert services.cascade is not None
    inside = province.terms(HOUSEHOLD, "police", "province", agreement_id="XY-sly")
    for sly in (inside, replace(agreement, agreement_id="XY-sly", provider="city", consumer="county")):
        envelope = sign_envelope(AGREEMENT, sly.to_payload(), city.signer("city"))
        with pytest.raises(CascadeError):
            services.cascade.compacts.take(envelope.to_json().encode())


def test_a_hub_without_neighbours_has_no_cascade(pair: tuple[Site, Site, Services, Agreement]) -> None:
    _, city, _, _ = pair
    file = city.root / "hub" / "hub.yaml"
    alone = HubSettings.load(file)
    services = assemble(type(alone)(**{**vars(alone), "cascade": None}))
    try:
        assert services.cascade is None
    finally:
        services.close()


def test_the_door_takes_no_certificate_of_its_own_departments(pair: tuple[Site, Site, Services, Agreement]) -> None:
    province, city, services, _ = pair
    assert services.cascade is not None
    context = server_context(services.cascade.tls, services.cascade.settings.neighbours)
    own = TlsPair.of(province.root / "tls", "police").client_context()
    theirs = TlsPair.of(city.root / "tls", "city")
    allowed = TlsPair(theirs.certificate, theirs.key, province.root / "tls" / "authority.crt").client_context()
    assert shaken(context, allowed)
    assert not shaken(context, own)


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    """Shake hands in memory; whether both sides are content."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    there = server.wrap_bio(to_server, to_client, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (here, there):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return len(done) == 2
