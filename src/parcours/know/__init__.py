"""Who it is and what they allow: the wall through which everything below reaches customers' rows."""

from parcours.know.gate import Permitted

__all__ = ["Permitted"]
