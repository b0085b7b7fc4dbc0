"""A connector's options as a record: with every fault while they are checked, whole once they have been."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from parcours.blueprint.shape import read_record
from parcours.blueprint.yaml_lines import Node
from parcours.collect.connectors.contract import Options, Where
from parcours.errors import Fault, ParcoursError

R = TypeVar("R", bound=msgspec.Struct)


def check_shape(options: Options, where: Where, record: type[R]) -> tuple[R, list[Fault]]:
    """Return the record and the faults of its shape; it holds stand-ins where there are any."""
    return read_record(msgspec.structs.replace(where.node, data=dict(options)), record)


def read_options(options: Options, record: type[R]) -> R:
    """Return options that have been checked as a record.

    Raises:
        ParcoursError: every fault of their shape, should they not have been.
    """
    read, faults = read_record(Node("options", dict(options)), record)
    errors = [fault for fault in faults if fault.level == "error"]
    if errors:
        raise ParcoursError.of(errors)
    return read
