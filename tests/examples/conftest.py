"""What tests of the examples share."""

from __future__ import annotations

from tests.loan_log import make_loans

__all__ = ["make_loans"]
