"""The sign-in page: a login and a password, a provider, or the word that this machine's own address has served."""

from __future__ import annotations

import msgspec

from parcours.words import LANGUAGES, Language
from parcours.workspaces.forms import sign
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.wording import Say

FORM = "sign_in"


class SignInPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-in page shows; ``told`` says why somebody is here, ``fault`` what was wrong with what they sent."""

    frame: Frame
    told: str
    fault: str
    login: str
    next: str
    token: str
    provider: str
    link_command: str


def read_sign_in(
    company: Readable, language: Language, next: str, why: str = "", fault: str = "", login: str = ""
) -> SignInPage:
    """Make the page; ``next`` is where somebody is led afterwards, ``fault`` and ``why`` are keys of sentences."""
    say = Say(language)
    frame = frame_page(company, language, "sign-in", say("sign_in.title"))
    provider = company.settings.sign_in.provider
    return SignInPage(
        frame=msgspec.structs.replace(
            frame,
            links=(),
            home=f"/{language}/sign-in",
            languages=tuple((each, name, f"/{each}/sign-in") for each, name, _ in frame.languages if each in LANGUAGES),
        ),
        told=say(f"sign_in.why_{why}") if say.has(f"sign_in.why_{why}") else "",
        fault=say(f"sign_in.{fault}") if fault else "",
        login=login,
        next=next,
        token=sign(FORM),
        provider=provider.name if provider else "",
        link_command=f"parcours people {company.folder.name} link" if not company.settings.serve.public_url else "",
    )
