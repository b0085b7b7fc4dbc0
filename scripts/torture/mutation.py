#!/usr/bin/env python3
"""Take away one permission, limit, rule or gate after the other, and see that a small test notices each.

Usage: scripts/torture/mutation.py [--list] [--seconds 240] [WORD ...]     WORD is part of the name of a cut

The product is copied, one place of the copy is changed, and the tests that are named beside it run on the copy: they
must fail. A cut whose text is not found any more, or that no test notices, is a failure of this script.
"""

# ruff: noqa: E501 - one cut a line, as in a table

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
COPIED = ("src", "tests", "examples", "pyproject.toml")
ACCESS, SIGNING_IN, IDENTITY = "know/access", "workspaces/signing_in", "know/identity"
TABLE, REFUSED = f"{ACCESS}/permissions.md", "–"
_IDENTIFIERS, _FOLD = "tests/know/identity/test_identifiers.py", "tests/know/identity/test_fold.py"
_SESSIONS, _PEOPLE = "tests/know/access/test_sessions.py", "tests/know/access/test_people.py"
_HOSTILE, _SIGNED_IN = "tests/workspaces/signing_in/test_hostile.py", "tests/workspaces/signing_in/test_signed_in.py"
_PLACES, _PERMISSIONS = "tests/know/gate/test_places.py -k every_gate", "tests/know/access/test_permissions.py"


class Cut(NamedTuple):
    """One thing that is taken away: its name, where, what stands there, what stands there then, and who must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str

    def make(self, source: Path) -> str:
        """Return the text of the file with the cut.

        Raises:
            LookupError: What is to be cut does not stand there, or more than once.
        """
        text = (source / self.file).read_text("utf-8")
        if text.count(self.old) != 1:
            raise LookupError(f"{self.file} has {text.count(self.old)} times: {self.old}")
        return text.replace(self.old, self.new)


def list_rows() -> Iterator[Cut]:
    """Yield each row of the table of permissions taken from everybody, and given to everybody."""
    lines = (ROOT / "src/parcours" / TABLE).read_text("utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("| action |"))
    for line in lines[start + 2 :]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 2:
            return
        action, held = cells[0], cells[1:]
        for word, told in (("nobody", REFUSED), ("everybody", "all")):
            if any(cell != told for cell in held):
                row = f"| {' | '.join([action, *[told] * len(held)])} |"
                yield Cut(f"permission {action} for {word}", TABLE, f"{line}\n", f"{row}\n", _PERMISSIONS)


RULES = (
    Cut("permission own", f"{ACCESS}/permissions.py", "if right.own and not _is_own(caller, thing)", "if False", _PERMISSIONS),
    Cut("permission second person", f"{ACCESS}/permissions.py", "thing.proposed_by == caller.person_id", "False", _PERMISSIONS),
    Cut("permission approved", f"{ACCESS}/permissions.py", "if right.approved and (", "if False and (", _PERMISSIONS),
    Cut("permission masked", f"{ACCESS}/permissions.py", "masked=right.masked", "masked=False", _PERMISSIONS),
    Cut("permission reason", f"{ACCESS}/permissions.py", "needs_reason=right.reason", "needs_reason=False", _PERMISSIONS),
    Cut("permission groups", f"{ACCESS}/permissions.py", "aggregate_only=right.groups", "aggregate_only=False", _PERMISSIONS),
    Cut("permission only", f"{ACCESS}/permissions.py", "only=right.only", 'only=""', _PERMISSIONS),
    Cut("permission asked by routes", f"{SIGNING_IN}/guard.py", "if not decision.allowed:", "if False:", "tests/workspaces/test_permitted.py"),
    Cut("permission without a session", f"{SIGNING_IN}/signed_in.py", "if not isinstance(found, SignedIn):", "if False:", _SIGNED_IN),
    Cut("permission of programs masked", "serving/one_customer.py", "masked = any(decision.masked for decision in decisions) and not asked.unmask", "masked = False", "tests/serving/test_one_customer.py"),
    Cut("permission of programs reason", "serving/one_customer.py", "if not decision.needs_reason and not asked.reason:", "if not asked.reason:", "tests/serving/test_one_customer.py"),
    Cut("permission of programs own", "serving/one_customer.py", "decision = insist(action, thing, place)", "decision = insist(action, None, place)", "tests/serving/test_one_customer.py"),
    Cut("permission of programs promises", "serving/one_customer.py", "if not bounds.promises:", "if True:", "tests/serving/test_one_customer.py"),
    Cut("permission of streams", "workspaces/live.py", "if sees is not None:", "if False:", "tests/workspaces/test_live.py"),
    Cut("permission of a choice", "workspaces/recording.py", 'await run_in_threadpool(insist, "record_choice", thing, PLACE)', "pass", "tests/workspaces/pages/test_customer.py"),
    Cut("permission of a look", "workspaces/reasons.py", 'await run_in_threadpool(insist, action, thing, f"reason/{action}")', "pass", "tests/workspaces/test_reasons.py"),
    Cut("groups under ten", f"{ACCESS}/suppression.py", "FEWEST = 10", "FEWEST = 1", "tests/know/access/test_suppression.py"),
    Cut("gate door", "know/door.py", "& has_basis(subject, permitted)", "", _PLACES),
    Cut("gate stamp", "know/door.py", "allowed = permits(purpose.basis, [", "allowed = permits(\"contract\", [", _PLACES),
    Cut("gate reading", "know/permitting.py", "allowed = permits(purpose.basis, list(choice))", "allowed = permits(\"contract\", [choice[0] * 0])", _PLACES),
    Cut("gate look-up", "know/gate/verdict.py", "allowed = permits(purpose.basis, list(strictest))", "allowed = permits(\"contract\", [strictest[1]])", _PLACES),
    Cut("gate export", "company.py", "if purpose is not None and purpose not in covering:", "if False:", _PLACES),
    Cut("gate refusal outweighs", "know/gate/verdict.py", "for choices in recorded]) & ~refused", "for choices in recorded])", "tests/know/gate/test_verdict.py"),
    Cut("gate objection", "know/gate/verdict.py", "allowed: Mask = ~refused", "allowed: Mask = refused | True", "tests/know/gate/test_verdict.py"),
    Cut("gate restriction", "know/gate/verdict.py", "restricted[place[ledger.restrictions", "restricted[place[:0][ledger.restrictions", "tests/know/consent tests/know/gate tests/know/rights/test_requests.py -k restrict"),
    Cut("identity never link", f"{IDENTITY}/fold.py", "never=_code_pairs(pseudonyms, evidence.never, stands_for)", "never=None", _FOLD),
    Cut("identity shared devices noted", f"{IDENTITY}/devices.py", "several |= shared[start:]", "pass", _FOLD),
    Cut("identity shared devices seen", f"{IDENTITY}/devices.py", "several[device[owner != owner[first[device]]]] = True", "pass", _FOLD),
    Cut("identity shared devices counted", f"{IDENTITY}/devices.py", "found |= np.bincount(device[kinds == kind], minlength=size) > most[kind]", "pass", _FOLD),
    Cut("identity longest", f"{IDENTITY}/identifiers.py", "LONGEST = 255", "LONGEST = 99_999", _IDENTIFIERS),
    Cut("identity control characters", f"{IDENTITY}/identifiers.py", 'raise UnusableError("control")', "pass", _IDENTIFIERS),
    Cut("identity zeros", f"{IDENTITY}/identifiers.py", 'if first in "0-" and', "if False and", _IDENTIFIERS),
    Cut("identity one repeated character", f"{IDENTITY}/identifiers.py", "if first == plain[-1] and", "if False and", _IDENTIFIERS),
    Cut("identity quotes", f"{IDENTITY}/identifiers.py", "return text.strip(_QUOTES).lower()", "return text.lower() or ' '", _IDENTIFIERS),
    Cut("identity blocked by the company", f"{IDENTITY}/identifiers.py", "or (blocked and _plain(text) in blocked)", "", _IDENTIFIERS),
    Cut("identity worthless device", f"{IDENTITY}/identifiers.py", ', "9774d56d682e549c"}', "}", _IDENTIFIERS),
    *(
        Cut(f"identity test domain {name}", f"{IDENTITY}/identifiers.py", f'"{name}"', '"never.never"', _IDENTIFIERS)
        for name in ("example.com", "example.net", "example.org", "test.com", ".test", ".invalid", ".localhost")
    ),
    *(
        Cut(f"identity limit {kind}", f"{IDENTITY}/fold.py", f'"{kind}": {most}', f'"{kind}": 9_999', _FOLD)
        for kind, most in (("user", 1), ("mail", 2), ("phone", 2), ("device", 20))
    ),
    Cut("sign-in attempts of a person", f"{SIGNING_IN}/entrance.py", "AT_ONCE_PERSON, AGAIN_PERSON_S = 6,", "AT_ONCE_PERSON, AGAIN_PERSON_S = 9_999,", _HOSTILE),
    Cut("sign-in attempts of an address", f"{SIGNING_IN}/entrance.py", "AT_ONCE_ADDRESS, AGAIN_ADDRESS_S = 30,", "AT_ONCE_ADDRESS, AGAIN_ADDRESS_S = 9_999,", _HOSTILE),
    Cut("sign-in attempts come back", f"{SIGNING_IN}/attempts.py", "left = min(self._at_once, left +", "left = max(self._at_once, left +", _HOSTILE),
    Cut("sign-in memory of attempts", f"{SIGNING_IN}/attempts.py", "while len(self._left) > MOST_KEPT:", "while False:", _HOSTILE),
    Cut("sign-in waiting", f"{SIGNING_IN}/routes.py", "or slots.statistics().tasks_waiting >= MOST_WAITING", "", _HOSTILE),
    Cut("sign-in form", f"{SIGNING_IN}/routes.py", 'if not check(fields.get("token", ""), FORM):', "if False:", _HOSTILE),
    Cut("sign-in another's address of a proxy", f"{SIGNING_IN}/entrance.py", "if self.settings.serve.forwarded and told:", "if told:", _HOSTILE),
    Cut("sign-in attempts at one's own password", f"{SIGNING_IN}/own.py", "if find_entrance(request).by_person.take(person.login):", "if False:", "tests/workspaces/signing_in/test_own.py"),
    Cut("sign-in by a provider, attempts", f"{SIGNING_IN}/by_provider.py", "if self._entrance.by_address.take(self._entrance.find_address(request)):", "if False:", "tests/workspaces/signing_in/test_by_provider.py"),
    Cut("sign-in by a provider, state", f"{SIGNING_IN}/by_provider.py", 'if way is None or not _is_answer_to(way, told.get("state", "")):', "if way is None:", "tests/workspaces/signing_in/test_by_provider.py"),
    Cut("sign-in by a provider, issuer", f"{SIGNING_IN}/by_provider.py", 'self._provider.is_of(told.get("iss", ""))', "True", "tests/workspaces/signing_in/test_by_provider.py"),
    Cut("sign-in by a provider, ten minutes", f"{SIGNING_IN}/ways.py", "return way if 0 <= now_s - way.made_s <= VALID_S else None", "return way", "tests/workspaces/signing_in/test_by_provider.py"),
    Cut("sign-in by a provider, this machine", f"{SIGNING_IN}/fetching.py", "and loopback and", "and", "tests/workspaces/signing_in/test_fetching.py"),
    Cut("sign-in by a provider, time", f"{SIGNING_IN}/fetching.py", "    watch.start()", "    pass", "tests/workspaces/signing_in/test_fetching.py"),
    Cut("session idle", f"{ACCESS}/sessions.py", "idle = now_ms - session.seen_ms > self._idle_ms", "idle = False", _SESSIONS),
    Cut("session longest", f"{ACCESS}/sessions.py", "if now_ms >= session.ends_ms or idle:", "if idle:", _SESSIONS),
    Cut("session clock", f"{ACCESS}/sessions.py", "if now_ms < max(session.made_ms, session.seen_ms) - SKEW_MS:", "if False:", _SESSIONS),
    Cut("session changed role", f"{ACCESS}/sessions.py", 'return "changed" if', 'return None if', _SESSIONS),
    Cut("session forgotten at its end", f"{ACCESS}/sessions.py", "            self.end(session.digest)\n", "            pass\n", _SESSIONS),
    Cut("link once", f"{ACCESS}/sessions.py", 'self._links.drop("digest = ?", (digest,))', "pass", _SESSIONS),
    Cut("link soon", f"{ACCESS}/sessions.py", "if made_ms - SKEW_MS <= now_ms < ends_ms", "if True", _SESSIONS),
    Cut("session of a program in a browser", f"{SIGNING_IN}/entrance.py", 'found.session.how != "token" else', "True else", _SIGNED_IN),
    Cut("session of a browser in a program", f"{SIGNING_IN}/entrance.py", 'found.session.how == "token" else', "True else", _SIGNED_IN),
    Cut("form of elsewhere", f"{SIGNING_IN}/signed_in.py", "and _is_page(request) and not is_own(request.headers)", "and False", _SIGNED_IN),
    Cut("form token", "workspaces/forms.py", 'if not check(fields.get("token", ""), form, *(fields[name] for name in named)):', "if False:", _HOSTILE),
    Cut("form too old", "workspaces/forms.py", "return right and 0 <= now - int(made) <= valid_s", "return right", "tests/workspaces/test_forms.py"),
    Cut("form of another session", "workspaces/forms.py", '"\\x00".join((form, session_seal(),', '"\\x00".join((form,', _HOSTILE),
    Cut("host", "workspaces/safety.py", "not in self.hosts:", 'not in self.hosts and False:', _HOSTILE),
    Cut("reason is over", "workspaces/reasons.py", "0.0) > self._now_s()", "0.0) > 0", "tests/workspaces/test_reasons.py"),
    Cut("people changed meanwhile", f"{ACCESS}/people.py", "if version is not None and person.version != version:", "if False:", _PEOPLE),
    Cut("permission of a role at this machine", f"{SIGNING_IN}/own.py", "if role is None or asking.caller.person_id != LOCAL.person_id:", "if role is None:", "tests/workspaces/signing_in/test_own.py"),
    Cut("permission to end one's own sessions alone", f"{SIGNING_IN}/own.py", 'asking.access.end, asking.actor, fields["session"], person_id', 'asking.access.end, asking.actor, fields["session"]', "tests/workspaces/signing_in/test_own.py"),
    Cut("password before another", f"{SIGNING_IN}/own.py", 'if await run_in_threadpool(access.staff.check_password, person.login, before) is None:', "if False:", "tests/workspaces/signing_in/test_own.py"),
    Cut("groups level by level", "measure/lattice.py", " or _is_small(last - count)", "", "tests/measure/test_lattice.py"),
    Cut("permission of the read-back", "serving/read_back.py", ' and str(told["anonymousId"]).startswith(PREFIX)', "", "tests/contract/test_owasp.py -k api5"),
    Cut("key two at once", "collect/write_keys.py", "raise _two_live_keys(folder, source.source)", "pass", "tests/cli/test_key.py"),
    Cut("last administrator", f"{ACCESS}/people.py", "if leaves and person.role == ADMINISTRATOR and not others:", "if False:", _PEOPLE),
    Cut("administrator before others", f"{ACCESS}/opened.py", "raise _no_administrator(self._folder)", "pass", _PEOPLE),
    Cut("password shortest", f"{ACCESS}/passwords.py", "if len(plain) < SHORTEST:", "if False:", "tests/know/access/test_passwords.py"),
    Cut("password longest", f"{ACCESS}/passwords.py", "if len(plain) > LONGEST:", "if False:", "tests/know/access/test_passwords.py"),
    Cut("password common", f"{ACCESS}/passwords.py", "if _is_common(plain.casefold(), told):", "if False:", "tests/know/access/test_passwords.py"),
    Cut("key origin", "collect/http/terms.py", "if sender.key_origins and", "if False and", "tests/collect/http/test_terms.py"),
    Cut("key events", "collect/http/terms.py", "if sender.events and", "if False and", "tests/collect/http/test_terms.py"),
    Cut("key rate", "collect/http/terms.py", "if sender.per_second and", "if False and", "tests/collect/http/test_terms.py"),
)  # fmt: skip


def list_blocked() -> Iterator[Cut]:
    """Yield each value that names nobody, taken from the list."""
    names = ("anonymous", "guest", "distinctid", "distinct_id", "not_authenticated", "email", "undefined", "true", "false")
    for name in (*names, "nan", "none", "null", "-1", "invalid", "empty", "[object object]"):
        yield Cut(f"identity blocked {name}", f"{IDENTITY}/identifiers.py", f'"{name}"', '"-never-"', _IDENTIFIERS)


def list_cuts() -> list[Cut]:
    """Return all of them."""
    return [*list_rows(), *RULES, *list_blocked()]


def try_cut(cut: Cut, copy: Path, seconds: float) -> str:
    """Return nothing where the tests notice the cut, else what is wrong."""
    place, before = copy / "src/parcours" / cut.file, (copy / "src/parcours" / cut.file).read_bytes()
    try:
        place.write_text(cut.make(copy / "src/parcours"), "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *cut.tests.split()]
        told = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=copy, env=told, check=False, capture_output=True, text=True, timeout=seconds
        )
    except LookupError as fault:
        return f"not there any more: {fault}"
    except subprocess.TimeoutExpired:
        return ""  # What never ends is noticed too.
    finally:
        place.write_bytes(before)
    if done.returncode == 1:
        return ""
    return "nobody noticed" if done.returncode == 0 else f"the tests did not run: {done.stdout[-600:]}{done.stderr[-600:]}"


def main() -> int:
    """Try each; return 1 when one was not noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("words", nargs="*", metavar="WORD")
    asked = parser.parse_args()
    cuts = [cut for cut in list_cuts() if not asked.words or any(word in cut.name for word in asked.words)]
    if asked.list:
        for cut in cuts:
            cut.make(ROOT / "src/parcours")
            print(f"{cut.name:44} {cut.file}")
        return 0
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        copy = Path(place)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".parcours"))
            else:
                shutil.copy2(ROOT / name, copy / name)
        for cut in cuts:
            started = time.monotonic()
            said = try_cut(cut, copy, asked.seconds)
            wrong += [cut.name] if said else []
            print(f"{time.monotonic() - started:5.0f} s  {said or 'noticed':16} {cut.name}", flush=True)
    print(f"{len(cuts)} cuts, {len(cuts) - len(wrong)} noticed; not noticed: {', '.join(wrong) or 'none'}")
    return int(bool(wrong) or not cuts)


if __name__ == "__main__":
    sys.exit(main())
