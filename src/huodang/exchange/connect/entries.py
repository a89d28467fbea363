"""Catalogue entries for what is proposed, as `huodang catalogue import` takes them. Pure."""

from huodang.exchange.catalogue import (
    Bilingual,
    CatalogueEntry,
    Sharing,
    checked,
    mandatory_list,
    product_catalogue,
)
from huodang.exchange.connect.proposal import Offer, TableProposal
from huodang.exchange.values import Kind

_KINDS = {
    Kind.CHECK: ("核验", "check"),
    Kind.TABLE: ("库表", "table"),
    Kind.EVENT: ("变动事件", "events"),
    Kind.LIST: ("名单", "list"),
    Kind.MATCH: ("比对", "match"),
    Kind.FILE: ("文件", "files"),
    Kind.ACTION: ("办理", "action"),
}
_SENSITIVE = 2


def entry_of(offer: Offer, proposal: TableProposal) -> CatalogueEntry:
    """Propose the entry of one offer: the product's own with the elements found, or one after the table.

    Nothing of personal data is proposed as shared without condition; what stands on the mandatory list is marked.
    """
    present = product_catalogue().get(offer.resource)
    mandatory = any(offer.resource in item.resources for item in mandatory_list())
    if present is not None and present.kind is offer.kind:
        elements = tuple(one for one in present.elements if one in offer.elements)
        found = CatalogueEntry.from_payload(
            present.to_payload() | {"elements": list(elements or present.elements), "code": ""}
        )
        return checked(found)
    facts = proposal.mapping.facts
    title = _title(facts.comment or facts.name)
    chinese, english = _KINDS[offer.kind]
    sensitive = max(one.element.level for one in proposal.mapping.used.values()) >= _SENSITIVE
    return checked(
        CatalogueEntry(
            resource=offer.resource,
            title=Bilingual(chinese=f"{title}{chinese}", english=f"{facts.name[:100]} {english}"),
            abstract=Bilingual(
                chinese=f"来自表 {facts.name[:100]}，请改写为业务说明",
                english=f"From the table {facts.name[:100]}; write what it is about",
            ),
            kind=offer.kind,
            elements=offer.elements,
            sharing=Sharing.CONDITIONAL if sensitive else Sharing.UNCONDITIONAL,
            condition=Bilingual(
                chinese="待数据管理员填写：仅限何种用途", english="to be written by the steward: for which purpose only"
            )
            if sensitive
            else Bilingual(chinese="无", english="None"),
            update_cycle="daily" if proposal.mapping.cursor is not None else "irregular",
            mandatory=mandatory,
            law="待填写",
            law_status="unverified",
        )
    )


def _title(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:60] or "数据表"
