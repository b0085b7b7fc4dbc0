"""The conformance suite: does a server keep Segment's tracking contract, rule by rule."""

from parcours.collect.conform.report import SECTIONS, Line, Report, Tally
from parcours.collect.conform.suite import ALL, Asked, conform, select_rules

__all__ = ["ALL", "SECTIONS", "Asked", "Line", "Report", "Tally", "conform", "select_rules"]
