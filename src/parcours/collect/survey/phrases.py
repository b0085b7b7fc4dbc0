"""What the survey pages say themselves, in French and English."""

from __future__ import annotations

from typing import Any

from parcours.words import Language, Words

PHRASES: dict[str, Words] = {
    "languages": Words(fr="Langues", en="Languages"),
    "synthetic": Words(fr="Données synthétiques.", en="Synthetic data."),
    "synthetic_says": Words(
        fr="Cette entreprise est simulée\u202f: votre réponse ne concerne aucun client réel.",
        en="This company is simulated: your answer concerns no real customer.",
    ),
    "colon": Words(fr="\u202f:", en=":"),
    "error": Words(fr="Erreur", en="Error"),
    "scale": Words(fr="Choisissez une note", en="Choose a score"),
    "anchor": Words(fr="{score}\u202f: {meaning}", en="{score}: {meaning}"),
    "chosen": Words(
        fr="Note choisie dans votre message\u202f: {score}. Rien n’est encore envoyé.",
        en="Score chosen in your message: {score}. Nothing is sent yet.",
    ),
    "comment": Words(fr="Qu’est-ce qui explique votre note\u202f?", en="What explains your score?"),
    "optional": Words(fr="(facultatif)", en="(optional)"),
    "comment_hint": Words(
        fr="N’écrivez ni numéro de carte, ni mot de passe, ni nom d’une autre personne, ni information de santé. "
        "{most} caractères au plus.",
        en="Please leave out card numbers, passwords, other people’s names and health details. "
        "{most} characters at most.",
    ),
    "consent": Words(fr="Votre accord", en="Your consent"),
    "agree": Words(
        fr="J’accepte que ma réponse serve à\u202f: «\u00a0{purpose}\u00a0».",
        en="I agree that my answer serves to: “{purpose}”.",
    ),
    "consent_hint": Words(
        fr="Sans votre accord, donné ici ou auparavant, votre réponse ne sert pas à cela.",
        en="Without your consent, given here or before, your answer does not serve this.",
    ),
    "consent_alone": Words(
        fr="Sans votre accord, votre réponse ne peut pas être conservée.",
        en="Without your consent your answer cannot be kept.",
    ),
    "send": Words(fr="Envoyer ma réponse", en="Send my answer"),
    "rights": Words(fr="Ce que devient votre réponse", en="What becomes of your answer"),
    "faults": Words(fr="Votre réponse n’est pas encore envoyée", en="Your answer is not sent yet"),
    "score_missing": Words(
        fr="Choisissez une note de {low}\u00a0à\u00a0{high}.", en="Choose a score from {low}\u00a0to\u00a0{high}."
    ),
    "score_unknown": Words(
        fr="Cette note n’existe pas\u202f: choisissez de {low}\u00a0à\u00a0{high}.",
        en="There is no such score: choose from {low}\u00a0to\u00a0{high}.",
    ),
    "comment_long": Words(
        fr="Raccourcissez votre commentaire\u202f: {count} caractères, {most} au plus.",
        en="Shorten your comment: {count} characters, {most} at most.",
    ),
    "consent_missing": Words(
        fr="Cochez un accord au moins, ou fermez cette page\u202f: rien ne sera conservé.",
        en="Tick at least one consent, or close this page: nothing will be kept.",
    ),
    "try_again": Words(
        fr="Elle n’a pas pu être enregistrée pour l’instant. Tout est encore là\u202f: "
        "attendez une minute, puis envoyez de nouveau.",
        en="It could not be recorded for now. All of it is still here: wait a minute, then send it again.",
    ),
    "thanks": Words(fr="Merci, votre réponse est enregistrée.", en="Thank you, your answer is recorded."),
    "thanks_says": Words(
        fr="Elle compte une fois, et ce lien n’en prendra pas d’autre. Vous pouvez fermer cette page.",
        en="It counts once, and this link takes no other. You may close this page.",
    ),
    "already": Words(fr="Vous avez déjà répondu.", en="You have already answered."),
    "already_says": Words(
        fr="Votre première réponse est enregistrée et c’est elle qui compte\u202f; celle-ci n’a pas été prise. "
        "Pour la changer, écrivez à {company}.",
        en="Your first answer is recorded and is the one that counts; this one was not taken. "
        "To change it, write to {company}.",
    ),
    "unknown": Words(fr="Ce lien ne mène à aucune question.", en="This link leads to no question."),
    "unknown_says": Words(
        fr="Il a peut-être été coupé en chemin\u202f: ouvrez-le depuis le message reçu, ou copiez-le en entier.",
        en="It may have been cut on its way: open it from the message you received, or copy all of it.",
    ),
    "expired": Words(fr="Ce lien a expiré.", en="This link has expired."),
    "expired_says": Words(
        fr="La question n’attend plus de réponse. Merci d’y avoir pensé.",
        en="The question no longer waits for an answer. Thank you for thinking of it.",
    ),
    "ended": Words(fr="Cette question n’est plus posée.", en="This question is no longer asked."),
    "ended_says": Words(
        fr="Elle a été retirée depuis l’envoi de votre message. Merci d’y avoir pensé.",
        en="It has been withdrawn since your message was sent. Thank you for thinking of it.",
    ),
    "unreadable": Words(fr="Votre réponse n’a pas pu être lue.", en="Your answer could not be read."),
    "unreadable_says": Words(
        fr="Ouvrez de nouveau le lien de votre message et répondez depuis la page.",
        en="Open the link of your message again and answer from the page.",
    ),
    "too_large": Words(fr="Votre réponse est trop longue.", en="Your answer is too long."),
    "too_large_says": Words(
        fr="Revenez en arrière et raccourcissez votre commentaire.", en="Go back and shorten your comment."
    ),
    "slow": Words(fr="Votre réponse n’est pas arrivée en entier.", en="Your answer did not arrive in full."),
    "slow_says": Words(
        fr="La connexion a été trop lente. Revenez en arrière et envoyez de nouveau.",
        en="The connection was too slow. Go back and send it again.",
    ),
    "often": Words(fr="Trop d’envois pour ce lien.", en="Too many attempts with this link."),
    "often_says": Words(
        fr="Attendez dix minutes, puis envoyez de nouveau.", en="Wait ten minutes, then send it again."
    ),
    "unavailable": Words(
        fr="La question ne peut pas être posée pour l’instant.", en="The question cannot be asked for now."
    ),
    "unavailable_says": Words(
        fr="Rechargez cette page dans une minute. Votre lien reste bon.",
        en="Reload this page in a minute. Your link stays good.",
    ),
}


class Say:
    """``say("send")`` in one language; figures go in by name. An unknown key raises `KeyError`."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **figures: Any) -> str:
        """Return the phrase of ``key`` with ``figures`` filled in."""
        text = PHRASES[key].in_language(self.language)
        return text.format(**figures) if figures else text
