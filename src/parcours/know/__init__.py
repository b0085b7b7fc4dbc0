"""Who it is and what they allow: the wall through which everything below reaches customers' rows."""

from parcours.know.company import Know
from parcours.know.gate import Permitted

__all__ = ["Know", "Permitted"]
