"""The pages of supervision, put together for the hub."""

from typing import Final

from litestar import Router

from huodang.web.supervision_certification_pages import supervision_certification_router
from huodang.web.supervision_clue_pages import supervision_clue_router
from huodang.web.supervision_payment_pages import supervision_payment_router

supervision_routers: Final[tuple[Router, ...]] = (
    supervision_clue_router,
    supervision_payment_router,
    supervision_certification_router,
)
