"""Who it is and what they allow: the wall through which everything below reaches customers' rows."""

from parcours.know.access.actions import ACTIONS, Action
from parcours.know.audit.entries import Entry
from parcours.know.audit.log import Audit, DayRoot, Outcome
from parcours.know.company import Know
from parcours.know.gate.permitted import Permitted
from parcours.know.gate.verdict import Verdict
from parcours.know.gate.why import Why
from parcours.know.live import Live, Pulse
from parcours.know.profiles import Profile
from parcours.know.timeline import Timeline
from parcours.know.verification import Verified, verify

__all__ = [
    "ACTIONS",
    "Action",
    "Audit",
    "DayRoot",
    "Entry",
    "Know",
    "Live",
    "Outcome",
    "Permitted",
    "Profile",
    "Pulse",
    "Timeline",
    "Verdict",
    "Verified",
    "Why",
    "verify",
]
