"""The catalogue in the hub: codes, versions, withdrawal, what must be shared, and finding entries."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import CatalogueEntry, Kind, MessageError, Publisher, Sharing, Wanted, product_catalogue
from huodang.exchange.catalogue import (
    Catalogue,
    CatalogueEvent,
    ClassCode,
    Field,
    MandatoryItem,
    Service,
    catalogue_fields,
    checked,
    class_items,
    class_names,
    cycle_names,
    due_by,
    local_code,
    mandatory_list,
    mandatory_standings,
    read_mandatory_list,
    search_entries,
)
from huodang.exchange.errors import CatalogueError
from huodang.ledger import Ledger, verify_receipt
from huodang.standards import UnknownElement, element, is_working_day
from huodang.store import Database, FixedClock

POLICE = Publisher("steward1", "police")
PAGE = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")


def entry(resource: str = "police.passport", **changes: object) -> CatalogueEntry:
    """An entry like the product's, of another name, still without a code."""
    like = product_catalogue()["police.household"].to_payload()
    return CatalogueEntry.from_payload(
        like | {"resource": resource, "code": "", "class_code": "101", "mandatory": False} | changes
    )


def listed(resource: str = "police.household", **changes: object) -> CatalogueEntry:
    return CatalogueEntry.from_payload(product_catalogue()[resource].to_payload() | changes)


@pytest.fixture
def catalogue(clock: FixedClock, ledger: Ledger) -> Catalogue:
    return Catalogue(clock, ledger)


def test_every_entry_of_the_product_has_core_metadata_and_a_code_of_its_own() -> None:
    entries = product_catalogue()
    codes = [one.code for one in entries.values()]
    assert len(set(codes)) == len(codes)
    assert {one.kind for one in entries.values()} == set(Kind)
    for one in entries.values():
        assert one.code.startswith(f"{one.class_code}/")
        assert one.provider_name
        assert one.format is not None
        assert one.modes
        assert one.level == max(element(name).level for name in one.elements)


@pytest.mark.parametrize(("kind", "mode"), [("check", "service"), ("table", "database"), ("file", "file")])
def test_mode_and_format_follow_from_the_kind(kind: str, mode: str) -> None:
    assert entry(kind=kind, modes=[], format=None).modes == (mode,)


@pytest.mark.parametrize(
    "changes",
    [
        {"class_code": "4"},
        {"class_code": "199"},
        {"class_code": "10"},
        {"class_code": "101", "code": "203/000001"},
        {"class_code": "101", "code": "101/0"},
        {"class_code": "101", "code": "101-1"},
        {"class_code": "101", "code": "203X", "code_status": "assigned"},
        {"provider_code": "91350100M000100Y44"},
        {"provider_code": "police"},
        {"modes": ["file"]},
        {"modes": ["service", "service"]},
        {"elements": []},
        {"elements": ["name", "name"]},
        {"open_condition": "个人身份信息除外"},
        {"title": {"chinese": "名\x00称", "english": "name"}},
        {"title": {"chinese": "  ", "english": "name"}},
        {"law": "第\u0007条"},
    ],
)
def test_entry_that_does_not_hold_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(CatalogueError) as refused:
        checked(entry(**changes))
    assert refused.value.place.element is not None
    assert refused.value.place.element.startswith("police.passport.")


@pytest.mark.parametrize("changes", [{"sharing": "4"}, {"modes": ["courier"]}, {"update_cycle": "often"}, {"x": 1}])
def test_entry_with_a_value_that_there_is_not_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        entry(**changes)


def test_entry_with_an_element_outside_the_standard_is_refused() -> None:
    with pytest.raises(UnknownElement):
        checked(entry(elements=["shoe_size"]))


def test_unified_social_credit_code_and_a_provinces_own_code_are_both_taken() -> None:
    assert checked(entry(provider_code="91350100M000100Y43"))
    assert checked(entry(provider_code="360000A01"))


@given(
    digit=st.sampled_from("123"),
    category=st.text("0123456789", min_size=3, max_size=3),
    detail=st.text("0A9Z", max_size=5),
)
def test_class_code_is_read_back_from_its_parts(digit: str, category: str, detail: str) -> None:
    for item in class_items(digit):
        built = ClassCode(digit, item, category, detail)
        assert ClassCode.parse(built.text) == built
        assert built.names()[0] == class_names()[digit]


def test_running_number_counts_on_in_each_class(catalogue: Catalogue, database: Database) -> None:
    taken = [one.code for one in product_catalogue().values() if one.class_code == "101"]
    with database.begin() as connection:
        first = catalogue.publish(connection, entry("police.passport"))
        second = catalogue.publish(connection, entry("police.visa"))
        other = catalogue.publish(connection, entry("police.vehicle", class_code="209"))
    assert first.entry.code == local_code("101", len(taken) + 1)
    assert second.entry.code == local_code("101", len(taken) + 2)
    assert other.entry.code == "209/000001"


def test_code_once_given_is_never_given_again(catalogue: Catalogue, database: Database) -> None:
    with database.begin() as connection:
        code = catalogue.publish(connection, entry("police.passport")).entry.code
        catalogue.withdraw(connection, "police.passport")
        assert catalogue.publish(connection, entry("police.visa")).entry.code != code
    with database.begin() as connection, pytest.raises(CatalogueError, match="另一资源"):
        catalogue.publish(connection, entry("police.vehicle", code=code))
    with database.begin() as connection, pytest.raises(CatalogueError, match="另一资源"):
        catalogue.publish(connection, entry("police.vehicle", code="101/000001"))


def test_each_publication_is_a_version_with_who_when_and_what(
    catalogue: Catalogue, database: Database, ledger: Ledger, clock: FixedClock
) -> None:
    before = ledger.pending()
    with database.begin() as connection:
        catalogue.publish(connection, entry(), by=POLICE)
        clock.advance(timedelta(days=1))
        changed = entry(update_cycle="weekly", elements=["identity_number", "name", "phone"])
        catalogue.publish(connection, changed, by=POLICE)
        catalogue.withdraw(connection, "police.passport", by=POLICE)
    with database.read() as connection:
        versions = catalogue.versions(connection, "police.passport")
        assert catalogue.entry(connection, "police.passport") is None
    assert [(one.version, one.event) for one in versions] == [
        (1, CatalogueEvent.PUBLISH),
        (2, CatalogueEvent.PUBLISH),
        (3, CatalogueEvent.WITHDRAW),
    ]
    assert all(one.by == POLICE and one.entry_id and one.at for one in versions)
    told = {change.field: (change.before, change.after) for change in versions[1].changes}
    assert told["update_cycle"] == ("实时", "每周")
    assert told["element"][1] == "手机号码（phone）"
    assert "户籍地址（household_address）" in told["element"][0]
    assert versions[0].entry.update_cycle == "realtime"
    assert ledger.pending() == before + 3


def test_ledger_holds_codes_and_digest_of_a_publication(
    catalogue: Catalogue, database: Database, ledger: Ledger
) -> None:
    with database.begin() as connection:
        version = catalogue.publish(connection, entry(), by=POLICE)
    ledger.seal_batch()
    facts = verify_receipt(ledger.receipt(version.entry_id), None).entry.facts
    assert facts["digest"] == version.digest == version.entry.digest
    assert facts["event"] == "publish"
    assert "steward1" not in facts.values()


def test_publishing_the_same_again_makes_no_version(
    catalogue: Catalogue, database: Database, clock: FixedClock
) -> None:
    with database.begin() as connection:
        first = catalogue.publish(connection, entry())
        clock.advance(timedelta(days=3))
        assert catalogue.publish(connection, entry()) == first
        assert catalogue.publish(connection, first.entry) == first
    assert first.entry.published_on == date(2025, 3, 3)


def test_change_to_an_entry_of_the_product_is_told_against_it(catalogue: Catalogue, database: Database) -> None:
    with database.begin() as connection:
        catalogue.publish(connection, listed(update_cycle="daily"), by=POLICE)
    with database.read() as connection:
        versions = catalogue.versions(connection, "police.household")
        assert [one.version for one in versions] == [0, 1]
        difference = catalogue.difference(connection, "police.household", 0, 1)
        with pytest.raises(CatalogueError, match="第 9 版"):
            catalogue.difference(connection, "police.household", 0, 9)
    assert {one.field for one in difference} == {"update_cycle", "published_on"}


def test_entry_of_the_product_that_was_withdrawn_is_gone_until_published_again(
    catalogue: Catalogue, database: Database
) -> None:
    with database.begin() as connection:
        catalogue.withdraw(connection, "housing_fund.accounts_match")
        assert catalogue.entry(connection, "housing_fund.accounts_match") is None
        with pytest.raises(CatalogueError, match="没有这项资源"):
            catalogue.withdraw(connection, "housing_fund.accounts_match")
        again = catalogue.publish(connection, listed("housing_fund.accounts_match"))
    assert again.version == 2
    assert again.entry.code == product_catalogue()["housing_fund.accounts_match"].code


def test_department_publishes_and_withdraws_its_own_entries_only(catalogue: Catalogue, database: Database) -> None:
    health = Publisher("steward2", "health")
    with database.begin() as connection:
        with pytest.raises(CatalogueError, match="本部门"):
            catalogue.publish(connection, entry(), by=health)
        with pytest.raises(CatalogueError, match="本部门"):
            catalogue.withdraw(connection, "housing_fund.accounts_match", by=health)


def test_catalogue_of_a_hub_holds_on_both_databases(any_database: Database, clock: FixedClock) -> None:
    catalogue = Catalogue(clock)
    with any_database.begin() as connection:
        catalogue.publish(connection, entry())
        catalogue.publish(connection, entry(update_cycle="weekly"))
    with any_database.read() as connection:
        assert [one.version for one in catalogue.versions(connection, "police.passport")] == [1, 2]
        assert catalogue.gaps(connection)


# What must be shared


@pytest.mark.parametrize("resource", sorted({one for item in mandatory_list() for one in item.resources}))
def test_what_stands_on_the_mandatory_list_can_not_be_taken_out_of_sharing(
    catalogue: Catalogue, database: Database, resource: str
) -> None:
    with database.begin() as connection:
        for changes in ({"sharing": "none"}, {"sharing": "none", "mandatory": False}, {"mandatory": False}):
            with pytest.raises(CatalogueError, match="强制共享"):
                catalogue.publish(connection, listed(resource, **changes))
        with pytest.raises(CatalogueError, match="撤下"):
            catalogue.withdraw(connection, resource)
        assert catalogue.entry(connection, resource) == product_catalogue()[resource]


def test_mandatory_list_and_marks_of_the_product_say_the_same() -> None:
    on_list = {one for item in mandatory_list() for one in item.resources}
    assert on_list == {name for name, one in product_catalogue().items() if one.mandatory}
    assert {item.provider for item in mandatory_list()} == {name.partition(".")[0] for name in on_list}


def test_entry_marked_by_its_own_department_is_unmarked_before_it_is_unshared(
    catalogue: Catalogue, database: Database
) -> None:
    with database.begin() as connection:
        catalogue.publish(connection, entry(mandatory=True))
        with pytest.raises(CatalogueError):
            catalogue.publish(connection, entry(mandatory=False, sharing="none"))
        catalogue.publish(connection, entry(mandatory=False))
        assert catalogue.publish(connection, entry(sharing="none")).entry.sharing is Sharing.NONE


NOON = datetime(2025, 3, 3, 4, tzinfo=UTC)
CUSTODY = ("justice.custody", "justice.custody_file", "justice.custody_changed")


@pytest.mark.parametrize(
    ("entries", "agreed", "available", "as_of", "expected", "light"),
    [
        ({}, set(), {}, None, Service.NOT_PUBLISHED, "red"),
        ({"justice.custody"}, set(), {}, None, Service.NO_AGREEMENT, "red"),
        ({"justice.custody"}, {"justice.custody"}, {}, None, Service.NOT_SERVED, "red"),
        ({"justice.custody"}, {"justice.custody"}, {"justice.custody": False}, NOON, Service.NOT_SERVED, "red"),
        ({"justice.custody"}, {"justice.custody"}, None, None, Service.UNKNOWN, "yellow"),
        ({"justice.custody"}, {"justice.custody"}, {"justice.custody": True}, None, Service.SERVED, "green"),
        ({"justice.custody"}, {"justice.custody"}, {"justice.custody": True}, NOON, Service.SERVED, "green"),
        (
            {"justice.custody"},
            {"justice.custody"},
            {"justice.custody": True},
            NOON - timedelta(days=60),
            Service.STALE,
            "yellow",
        ),
        (set(CUSTODY), {"justice.custody_file"}, {"justice.custody_file": True}, None, Service.SERVED, "green"),
    ],
)
def test_duty_left_unserved_shows_up_with_the_reason(
    *,
    entries: set[str],
    agreed: set[str],
    available: dict[str, bool] | None,
    as_of: datetime | None,
    expected: Service,
    light: str,
) -> None:
    item = next(one for one in mandatory_list() if one.item == "custody")
    (standing,) = mandatory_standings(
        [item],
        {name: product_catalogue()[name] for name in entries},
        agreed=agreed,
        available=available,
        freshness={"justice.custody": as_of} if as_of else {},
        today=date(2025, 3, 3),
    )
    assert standing.service is expected
    assert standing.light == light
    assert standing.gap is (expected not in {Service.SERVED, Service.UNKNOWN})
    assert standing.label("zh")
    assert standing.label("en")


def test_not_shared_of_an_older_catalogue_is_told_as_a_gap() -> None:
    item = next(one for one in mandatory_list() if one.item == "household_moved")
    unshared = listed("police.moved", sharing="none")
    (standing,) = mandatory_standings(
        [item], {"police.moved": unshared}, agreed=(), available={}, freshness={}, today=date(2025, 3, 3)
    )
    assert standing.service is Service.NOT_SHARED


def test_gaps_of_a_fresh_hub_are_the_agreements_that_nobody_signed(catalogue: Catalogue, database: Database) -> None:
    with database.read() as connection:
        standings = catalogue.gaps(connection, {})
    assert {one.service for one in standings} == {Service.NO_AGREEMENT}
    assert len(standings) == len(mandatory_list())


@given(
    cycle=st.sampled_from(sorted(cycle_names())),
    as_of=st.dates(date(2020, 1, 1), date(2026, 6, 30)),
    later=st.integers(0, 400),
)
def test_data_are_due_after_their_day_on_a_working_day_and_never_earlier_for_later_data(
    cycle: str, as_of: date, later: int
) -> None:
    due = due_by(cycle, as_of)
    after = due_by(cycle, as_of + timedelta(days=later))
    if cycle == "irregular":
        assert due is None
        return
    assert due is not None
    assert after is not None
    assert due > as_of
    assert is_working_day(due)
    assert due <= after


@pytest.mark.parametrize("text", ["", "- item: x", "{", "- 3", "item: [1"])
def test_provinces_own_list_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        read_mandatory_list(path)
    assert refused.value.place.file == "list.yaml"


# Finding entries


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted("户籍人口核验"), "police.household"),
        (Wanted("DEATH 事件"), "health.death_registered"),
        (Wanted("AAC300"), "police.household"),
        (Wanted("司法行政", kind=Kind.FILE), "justice.custody_file"),
        (Wanted(class_code="2", element="account_balance", kind=Kind.CHECK), "housing_fund.account"),
        (Wanted(provider="medical_insurance", kind=Kind.TABLE, mandatory=True), "medical_insurance.insured_table"),
    ],
)
def test_entry_is_found_by_what_one_knows_of_it(wanted: Wanted, expected: str) -> None:
    assert expected in {one.resource for one in search_entries(product_catalogue().values(), wanted)}


def test_entries_that_hold_the_words_in_their_names_come_first() -> None:
    found = search_entries(product_catalogue().values(), Wanted("死亡"))
    assert "死亡" in found[0].title.chinese
    assert found[-1].resource == "police.household_table"
    assert search_entries(product_catalogue().values(), Wanted("没有这个词")) == []
    assert search_entries(product_catalogue().values(), Wanted("", level_at_most=1)) == []


# What the page says


@pytest.mark.parametrize("field", list(catalogue_fields().values()), ids=lambda field: field.field)
def test_page_tells_where_each_field_and_its_values_come_from(field: Field) -> None:
    origin = {"core": "国家核心元数据 core", "extension": "扩展 extension"}[field.origin]
    values = {"source": "已核 source", "unverified": "**待核 unverified**", "platform": "本平台 ours"}[field.values]
    others = "、".join(field.headings[1:]) or "—"
    assert f"| {field.chinese} | {field.english} | `{field.field}` | {others} | {origin} | {values} |" in PAGE


@pytest.mark.parametrize("item", mandatory_list(), ids=lambda item: item.item)
def test_page_tells_what_must_be_shared(item: MandatoryItem) -> None:
    resources = "、".join(f"`{one}`" for one in item.resources)
    status = {"source": "已核 source", "unverified": "**待核 unverified**"}[item.status]
    title = f"{item.title.chinese} / {item.title.english}"
    assert f"| {title} | {item.provider} | {resources} | {item.law} | {status} |" in PAGE
