"""The survey pages of a worker: a desk over the blueprint as it now stands, whose answers go the way of every event."""

from __future__ import annotations

import time
from pathlib import Path

from starlette.routing import Route

from parcours.blueprint import read_blueprint
from parcours.collect.http.gathering import Gathering
from parcours.collect.http.survey import survey_routes
from parcours.collect.http.tally import Tally
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.handover import NotWrittenError
from parcours.collect.survey.desk import SurveyDesk, UnavailableError
from parcours.collect.survey.links import derive_keys
from parcours.collect.survey.register import Register
from parcours.settings import read_settings


def open_surveys(folder: Path, key: bytes, gathering: Gathering, tally: Tally) -> list[Route]:
    """Return the routes of the survey pages.

    Raises:
        ParcoursError: the blueprint or the register of answers cannot be read.
    """

    async def accept(delivery: Delivery) -> None:
        try:
            await gathering.put(delivery, 1)
        except NotWrittenError as fault:
            raise UnavailableError(str(fault)) from fault
        tally.accept(delivery.source, 1, len(delivery.body), False, time.time_ns() // 1_000_000)

    register = Register(folder, derive_keys(key).register)
    desk = SurveyDesk(read_blueprint(folder), key, accept, register)
    return survey_routes(desk, read_settings(folder).language)
