"""Who it is and what they allow: the wall through which everything below reaches customers' rows."""

from parcours.know.company import Know
from parcours.know.gate import Permitted
from parcours.know.live import Live, Pulse
from parcours.know.profiles import Profile
from parcours.know.timeline import Timeline
from parcours.know.verification import Verified, verify

__all__ = ["Know", "Live", "Permitted", "Profile", "Pulse", "Timeline", "Verified", "verify"]
