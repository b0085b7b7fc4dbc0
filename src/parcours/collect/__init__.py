"""What happened: files and messages become events, once, with what cannot be read kept aside."""

from parcours.collect.load import load
from parcours.collect.reading import check_sources, read_sources
from parcours.collect.report import Counts, LoadReport, SourceReport
from parcours.engine.store.lock import company_lock

__all__ = ["Counts", "LoadReport", "SourceReport", "check_sources", "company_lock", "load", "read_sources"]
