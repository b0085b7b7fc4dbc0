"""What goes wrong with Kafka, noted while it happens and told in sentences, without secrets."""

from __future__ import annotations

import logging
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from parcours.collect.connectors.secrets import Secrets
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

LOG = logging.getLogger(__name__)
"""Where the library's own log goes, instead of standard error."""
LOG.addHandler(logging.NullHandler())
LOG.propagate = False

_REFUSALS: Final = (
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


class Trouble:
    """The last trouble that the library has reported and that has not been seen to pass."""

    def __init__(self) -> None:
        self._last: KafkaError | None = None

    @property
    def met(self) -> bool:
        """Whether there is any."""
        return self._last is not None

    def note(self, error: KafkaError) -> None:
        """Remember a trouble; the library calls this from within its own calls."""
        # "All brokers down" says less than what came before it.
        if self._last is None or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last = error

    def clear(self) -> None:
        """Forget it: the brokers have answered."""
        self._last = None

    def fault(self, error: KafkaException | None, secrets: Secrets) -> ParcoursError:
        """Return the error for a call that failed, told by the trouble behind it if there was one."""
        last = self._last
        told = error.args[0] if error is not None and error.args else None
        if last is None and isinstance(told, KafkaError):
            last = told
        if last is not None and last.code() in _REFUSALS:
            return ParcoursError.of([refused(last, secrets)])
        return unreachable(last, secrets)


def unreachable(error: KafkaError | None, secrets: Secrets) -> ParcoursError:
    """Return the error for brokers that do not answer."""
    reason = secrets.hide(error.str())[:200].rstrip(". ") if error is not None else "no connection"
    return ParcoursError(
        "kafka_unreachable",
        Words(f"Kafka ne répond pas : {reason}.", f"Kafka does not answer: {reason}."),
        Words(
            "Vérifiez servers:, le réseau et security: ; tout reprend tout seul où cela en était.",
            "Check servers:, the network and security:; everything resumes by itself where it was.",
        ),
    )


def refused(error: KafkaError, secrets: Secrets) -> Fault:
    """Return the fault for a broker that knows us not, or does not let us."""
    reason = secrets.hide(error.str())[:200].rstrip(". ")
    return Fault(
        "kafka_refused",
        Words(f"Kafka refuse l'accès : {reason}.", f"Kafka refuses access: {reason}."),
        Words(
            "Vérifiez security: et les droits de ce compte sur le topic.",
            "Check security: and what this account may do with the topic.",
        ),
    )


def kafka_settings(error: KafkaException, secrets: Secrets) -> ParcoursError:
    """Return the error for options that the library refuses."""
    told = error.args[0] if error.args else None
    reason = secrets.hide(told.str() if isinstance(told, KafkaError) else "?")[:200].rstrip(". ")
    return ParcoursError(
        "kafka_settings",
        Words(f"Ces options Kafka ne vont pas : {reason}.", f"These Kafka options will not do: {reason}."),
        Words("Vérifiez servers: et security:.", "Check servers: and security:."),
    )


def topic_unknown(topic: str, error: KafkaError) -> ParcoursError:
    """Return the error for a topic that is not there, or not to be seen."""
    return ParcoursError(
        "kafka_topic_unknown",
        Words(
            f"Kafka ne donne pas le topic « {topic} » ({error.name()}).",
            f"Kafka has no topic “{topic}” ({error.name()}).",
        ),
        Words("Vérifiez son nom, ou créez-le.", "Check its name, or create it."),
    )


def offsets_gone(topic: str, partition: int, lost_from: int, goes_on: int) -> ParcoursError:
    """Return the error for messages that were deleted before they were read."""
    what = Words(
        f"de l'offset {lost_from} à {goes_on - 1} ont été effacés avant d'être lus",
        f"from offset {lost_from} to {goes_on - 1} were deleted before they were read",
    )
    if goes_on <= lost_from:
        what = Words("ont disparu : le topic a été refait", "are gone: the topic was made anew")
    return ParcoursError(
        "kafka_offsets_gone",
        Words(
            f"Des messages de « {topic} », partition {partition}, {what.fr}.",
            f"Messages of “{topic}”, partition {partition}, {what.en}.",
        ),
        Words(
            f"La lecture reprend à l'offset {goes_on} ; allongez la rétention du topic.",
            f"Reading goes on from offset {goes_on}; lengthen the topic's retention.",
        ),
    )


def not_an_object() -> Words:
    """Return the reason for a message that is no JSON object."""
    return Words("Le message n'est pas un objet JSON.", "The message is no JSON object.")
