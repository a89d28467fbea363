"""The catalogue (共享目录): what each department offers, with element, condition and law; agreements stay within it."""

from huodang.exchange.catalogue.entries import (
    Bilingual,
    CatalogueEntry,
    Sharing,
    check_agreement,
    checked,
    joint_case_catalogue,
    product_catalogue,
)
from huodang.exchange.catalogue.service import Catalogue

__all__ = [
    "Bilingual",
    "Catalogue",
    "CatalogueEntry",
    "Sharing",
    "check_agreement",
    "checked",
    "joint_case_catalogue",
    "product_catalogue",
]
