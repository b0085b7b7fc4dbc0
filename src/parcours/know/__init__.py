"""Who it is and what they allow: the wall through which everything below reaches customers' rows."""

from parcours.engine.store.receipts import Receipt
from parcours.know.access.actions import ACTIONS, Action
from parcours.know.access.actions import LABELS as ACTION_LABELS
from parcours.know.access.opened import Access, name_actor
from parcours.know.access.people import LOCAL, Person, Staff, plain_login
from parcours.know.access.permissions import Decision, Right, decide, say_bounds
from parcours.know.access.permissions import table as permissions
from parcours.know.access.roles import LABELS as ROLE_LABELS
from parcours.know.access.roles import ROLES, Caller, Role, Thing
from parcours.know.access.scopes import check_scope, tell_scope
from parcours.know.access.sessions import Ended, How, Session, Sessions, SignedIn
from parcours.know.access.suppression import FEWEST, Cell, Place, hide
from parcours.know.audit.entries import Entry
from parcours.know.audit.log import Audit, DayRoot, Outcome
from parcours.know.company import Know
from parcours.know.consent.coverage import STATES, Counts, Coverage
from parcours.know.consent.history import LedgerLine
from parcours.know.consent.lines import COLUMNS as LEDGER_COLUMNS
from parcours.know.consent.proving import ChoiceProof
from parcours.know.consents import ConsentOverview, Recorded
from parcours.know.gate.permitted import Permitted
from parcours.know.gate.verdict import Verdict
from parcours.know.gate.why import Gate, Why
from parcours.know.identity.acts import Change, Ruling
from parcours.know.identity.choosing import unknown_identifier
from parcours.know.identity.people import write_profile_id
from parcours.know.identity.proof import Explanation, Identifier, Link
from parcours.know.identity.review import Doubt
from parcours.know.identity.telling import name_identifier, tell_doubt, tell_link
from parcours.know.layers.memberships import Membership
from parcours.know.linking.batch import Linkage, Linked
from parcours.know.linking.comparing import LEVELS as LINK_LEVELS
from parcours.know.linking.models import Weight
from parcours.know.live import Live, Pulse
from parcours.know.minimising.masked import MaskedDay
from parcours.know.portrait import Deed, Portrait
from parcours.know.portraits import Portraits
from parcours.know.profiles import Profile
from parcours.know.rights.access import Dossier, Scope, write_json
from parcours.know.rights.dsr_keys import DsrKey
from parcours.know.rights.letter import write_letter
from parcours.know.rights.opendsr import IDENTITIES as DSR_IDENTITIES
from parcours.know.rights.opendsr import KINDS as DSR_KINDS
from parcours.know.rights.opendsr import Answer as DsrAnswer
from parcours.know.rights.opendsr import OpenDsr
from parcours.know.rights.opendsr import refuse as refuse_dsr
from parcours.know.rights.receipts import CONSENT_PROOF
from parcours.know.rights.receipts import Receipt as ErasureReceipt
from parcours.know.rights.requests import KINDS as REQUEST_KINDS
from parcours.know.rights.requests import NAMES as REQUEST_NAMES
from parcours.know.rights.requests import Request
from parcours.know.rights.requests import State as RequestState
from parcours.know.rights.rights import around as around_erasure
from parcours.know.rights.subject import NOBODY_THERE, Preview
from parcours.know.timeline import Lived, Timeline
from parcours.know.verification import Verified, verify

__all__ = [
    "ACTIONS",
    "ACTION_LABELS",
    "CONSENT_PROOF",
    "DSR_IDENTITIES",
    "DSR_KINDS",
    "FEWEST",
    "LEDGER_COLUMNS",
    "LINK_LEVELS",
    "LOCAL",
    "NOBODY_THERE",
    "REQUEST_KINDS",
    "REQUEST_NAMES",
    "ROLES",
    "ROLE_LABELS",
    "STATES",
    "Access",
    "Action",
    "Audit",
    "Caller",
    "Cell",
    "Change",
    "ChoiceProof",
    "ConsentOverview",
    "Counts",
    "Coverage",
    "DayRoot",
    "Decision",
    "Deed",
    "Dossier",
    "Doubt",
    "DsrAnswer",
    "DsrKey",
    "Ended",
    "Entry",
    "ErasureReceipt",
    "Explanation",
    "Gate",
    "How",
    "Identifier",
    "Know",
    "LedgerLine",
    "Link",
    "Linkage",
    "Linked",
    "Live",
    "Lived",
    "MaskedDay",
    "Membership",
    "OpenDsr",
    "Outcome",
    "Permitted",
    "Person",
    "Place",
    "Portrait",
    "Portraits",
    "Preview",
    "Profile",
    "Pulse",
    "Receipt",
    "Recorded",
    "Request",
    "RequestState",
    "Right",
    "Role",
    "Ruling",
    "Scope",
    "Session",
    "Sessions",
    "SignedIn",
    "Staff",
    "Thing",
    "Timeline",
    "Verdict",
    "Verified",
    "Weight",
    "Why",
    "around_erasure",
    "check_scope",
    "decide",
    "hide",
    "name_actor",
    "name_identifier",
    "permissions",
    "plain_login",
    "refuse_dsr",
    "say_bounds",
    "tell_doubt",
    "tell_link",
    "tell_scope",
    "unknown_identifier",
    "verify",
    "write_json",
    "write_letter",
    "write_profile_id",
]
