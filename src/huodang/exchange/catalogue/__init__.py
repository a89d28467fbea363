"""The catalogue (共享目录): what each department offers, with element, condition and law; agreements stay within it.

`Catalogue` publishes, withdraws and finds entries and keeps their history; `read_catalogue`, `write_catalogue` are the
files in which catalogues travel; `mandatory_standings` tells which duty to share is left unserved by whom.
"""

from huodang.exchange.catalogue.catalogue_files import CatalogueFormat, read_catalogue, write_catalogue
from huodang.exchange.catalogue.codes import ClassCode, class_items, class_names, local_code
from huodang.exchange.catalogue.cycles import cycle_names, due_by
from huodang.exchange.catalogue.difference import Change, entry_changes
from huodang.exchange.catalogue.entries import (
    MODE_OF_KIND,
    Bilingual,
    CatalogueEntry,
    Mode,
    ResourceFormat,
    Sharing,
    check_agreement,
    checked,
    joint_case_catalogue,
    product_catalogue,
)
from huodang.exchange.catalogue.fields import Field, Word, catalogue_fields, words
from huodang.exchange.catalogue.imports import (
    IMPORT_LABELS,
    ImportChange,
    ImportItem,
    ImportPlan,
    ImportRefusedError,
    plan_import,
)
from huodang.exchange.catalogue.mandatory import (
    SERVICE_LABELS,
    MandatoryItem,
    MandatoryStanding,
    Service,
    mandatory_list,
    mandatory_standings,
    read_mandatory_list,
)
from huodang.exchange.catalogue.search import Wanted, search_entries
from huodang.exchange.catalogue.service import (
    HUB_PUBLISHER,
    Catalogue,
    CatalogueEvent,
    CatalogueVersion,
    Publisher,
    latest_answers,
)
from huodang.exchange.catalogue.sheet import Problem, Sheet, to_sheet

__all__ = [
    "HUB_PUBLISHER",
    "IMPORT_LABELS",
    "MODE_OF_KIND",
    "SERVICE_LABELS",
    "Bilingual",
    "Catalogue",
    "CatalogueEntry",
    "CatalogueEvent",
    "CatalogueFormat",
    "CatalogueVersion",
    "Change",
    "ClassCode",
    "Field",
    "ImportChange",
    "ImportItem",
    "ImportPlan",
    "ImportRefusedError",
    "MandatoryItem",
    "MandatoryStanding",
    "Mode",
    "Problem",
    "Publisher",
    "ResourceFormat",
    "Service",
    "Sharing",
    "Sheet",
    "Wanted",
    "Word",
    "catalogue_fields",
    "check_agreement",
    "checked",
    "class_items",
    "class_names",
    "cycle_names",
    "due_by",
    "entry_changes",
    "joint_case_catalogue",
    "latest_answers",
    "local_code",
    "mandatory_list",
    "mandatory_standings",
    "plan_import",
    "product_catalogue",
    "read_catalogue",
    "read_mandatory_list",
    "search_entries",
    "to_sheet",
    "words",
    "write_catalogue",
]
