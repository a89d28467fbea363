"""The pages of the exchange, put together for the hub."""

from typing import Final

from litestar import Router

from huodang.web.exchange_agreement_pages import exchange_agreement_router
from huodang.web.exchange_catalogue_pages import exchange_catalogue_router
from huodang.web.exchange_correction_pages import exchange_correction_router
from huodang.web.exchange_delivery_pages import exchange_delivery_router
from huodang.web.exchange_demand_pages import exchange_demand_router
from huodang.web.exchange_lot_pages import exchange_lot_router
from huodang.web.exchange_match_pages import exchange_match_router
from huodang.web.exchange_overview_pages import exchange_overview_router

exchange_routers: Final[tuple[Router, ...]] = (
    exchange_overview_router,
    exchange_catalogue_router,
    exchange_demand_router,
    exchange_agreement_router,
    exchange_lot_router,
    exchange_correction_router,
    exchange_delivery_router,
    exchange_match_router,
)
