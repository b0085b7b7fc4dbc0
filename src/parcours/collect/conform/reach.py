"""Before the first rule: is there a server that speaks HTTP, and does it take the key; if not, one sentence."""

from __future__ import annotations

from typing import Final

from parcours.collect.conform.client import Trouble
from parcours.collect.conform.run import Run
from parcours.errors import ParcoursError
from parcours.words import Words

REASONS: Final[dict[Trouble, tuple[Words, Words]]] = {
    "unresolved": (
        Words("L'hôte {host} est inconnu.", "The host {host} is not known."),
        Words("Vérifiez le nom, ou donnez une adresse IP.", "Check the name, or give an IP address."),
    ),
    "refused": (
        Words("Rien n'écoute à {url}.", "Nothing listens at {url}."),
        Words(
            "Démarrez le serveur (pour Parcours : parcours serve DOSSIER), ou corrigez l'hôte et le port.",
            "Start the server (for Parcours: parcours serve DIR), or mend the host and the port.",
        ),
    ),
    "tls": (
        Words("{url} refuse TLS, ou son certificat n'est pas reconnu.", "{url} refuses TLS, or is not trusted."),
        Words(
            "Essayez http://, ou donnez l'autorité qui a signé le certificat par SSL_CERT_FILE.",
            "Try http://, or name the authority that signed the certificate in SSL_CERT_FILE.",
        ),
    ),
    "timeout": (
        Words(
            "{url} accepte la connexion mais n'a pas répondu en {timeout} s.",
            "{url} takes the connection but has not answered in {timeout} s.",
        ),
        Words(
            "Vérifiez que c'est le bon port, ou donnez --timeout.",
            "Check that it is the right port, or give --timeout.",
        ),
    ),
    "closed": (
        Words("{url} ferme la connexion sans répondre.", "{url} closes the connection without an answer."),
        Words(
            "Est-ce un port HTTPS ? Essayez https://, ou corrigez le port.",
            "Is it an HTTPS port? Try https://, or mend the port.",
        ),
    ),
    "garbled": (
        Words("Ce qui répond à {url} ne parle pas HTTP.", "What answers at {url} does not speak HTTP."),
        Words("Corrigez le port.", "Mend the port."),
    ),
}
"""The sentence and the remedy for what makes a test impossible."""


def reach(run: Run) -> None:
    """Send one plain event; whatever HTTP answer comes is for the rules to judge.

    Raises:
        ParcoursError: a key that cannot be sent, no HTTP answer, or the made-up key is refused and nobody gave another.
    """
    if not (run.key.isascii() and run.key.isprintable() and " " not in run.key):
        raise ParcoursError(
            "unusable_write_key",
            Words("Cette clé d'écriture ne tient pas dans un en-tête.", "This write key does not fit a header."),
            Words("Copiez-la sans espace ni lettre accentuée.", "Copy it without spaces or accented letters."),
        )
    answer = run.send(run.home(run.event()))
    if answer.trouble in REASONS and not answer.status:
        sentence, remedy = REASONS[answer.trouble]
        facts = {"url": run.target.url, "host": run.target.host, "timeout": f"{run.timeout_s:g}"}
        said = Words(sentence.fr.format(**facts), sentence.en.format(**facts))
        raise ParcoursError(f"server_{answer.trouble}", said, remedy)
    if run.made_up_key and answer.status in (401, 403):
        raise ParcoursError(
            "write_key_needed",
            Words(
                f"{run.target.url} demande une clé d'écriture ({answer.status}).",
                f"{run.target.url} asks for a write key ({answer.status}).",
            ),
            Words(
                "Donnez celle d'une source d'essai par --write-key ou PARCOURS_WRITE_KEY.",
                "Give that of a test source with --write-key or PARCOURS_WRITE_KEY.",
            ),
        )
