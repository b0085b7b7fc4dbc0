"""A Kafka topic out: one message an event, keyed by its user, acknowledged by all replicas, in order within a key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from parcours.collect.connectors.contract import Outcome, Parcel
from parcours.collect.connectors.kafka_faults import LOG, Trouble, kafka_settings
from parcours.collect.connectors.secrets import Secrets
from parcours.errors import Fault
from parcours.words import Words

_LOOK_S: Final = 0.1
_TOO_LARGE: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
_FALLBACK_KEY: Final = "anonymousId"
_PENDING: Final = object()


class KafkaOutlet:
    """The writing to one topic.

    Args:
        connection: How to reach the brokers, in the library's words.
        topic: The topic.
        key: The property that gives a message its key; ``a.b`` reaches inside, and `anonymousId` stands in for it.
        timeout_ms: How long the brokers may take for what is sent at once.
        secrets: What must not be told.
    """

    def __init__(
        self, connection: Mapping[str, str | int], topic: str, key: str, timeout_ms: int, secrets: Secrets
    ) -> None:
        self._settings = dict(connection)
        self._topic = topic
        self._key = tuple(key.split("."))
        self._timeout_ms = timeout_ms
        self._secrets = secrets
        self._trouble = Trouble()
        self._producer: Producer | None = None
        self._stop = threading.Event()

    def send(self, parcels: Sequence[Parcel]) -> Outcome:
        """Send parcels at once and wait for every acknowledgement; the leading ones that have it are delivered.

        A producer that failed is thrown away with all that it still held, so that nothing overtakes the head.

        Raises:
            ParcoursError: ``kafka_settings``.
        """
        producer = self._producer or self._open()
        fates: list[Any] = [_PENDING] * len(parcels)
        handed = 0
        for parcel in parcels:
            error = self._hand_over(producer, parcel, fates, handed)
            handed += 1
            if error is not None:
                fates[handed - 1] = error
                break
        self._wait(producer, fates, handed)
        delivered = next((index for index, fate in enumerate(fates) if fate is not None), len(fates))
        if delivered == len(parcels):
            self._trouble.clear()
            return Outcome(delivered)
        return self._failed(producer, delivered, fates[delivered])

    def close(self) -> None:
        """End the wait for acknowledgements; what has none is sent again at another time."""
        self._stop.set()

    def _open(self) -> Producer:
        settings: dict[str, Any] = {
            **self._settings,
            "enable.idempotence": True,
            "acks": "all",
            "delivery.timeout.ms": self._timeout_ms,
            "linger.ms": 5,
            "error_cb": self._trouble.note,
            "logger": LOG,
        }
        try:
            self._producer = Producer(settings)
        except KafkaException as error:
            raise kafka_settings(error, self._secrets) from None
        return self._producer

    def _hand_over(self, producer: Producer, parcel: Parcel, fates: list[Any], index: int) -> KafkaError | None:
        """Give one parcel to the library; return why it would not take it."""
        while True:
            try:
                producer.produce(
                    self._topic,
                    value=parcel.body,
                    key=self._key_of(parcel.body),
                    headers=[("message-id", parcel.message_id.encode("utf-8", "replace"))],
                    on_delivery=_noting(fates, index),
                )
            except BufferError:
                producer.poll(_LOOK_S)
                if self._stop.is_set():
                    return KafkaError(KafkaError._TIMED_OUT)
            except KafkaException as error:
                return error.args[0] if error.args else KafkaError(KafkaError._FAIL)
            else:
                return None

    def _wait(self, producer: Producer, fates: list[Any], handed: int) -> None:
        until = time.monotonic() + self._timeout_ms / 1000 + 1.0
        while any(fate is _PENDING for fate in fates[:handed]) and time.monotonic() < until and not self._stop.is_set():
            producer.poll(_LOOK_S)

    def _failed(self, producer: Producer, delivered: int, fate: Any) -> Outcome:
        producer.purge()
        producer.poll(0)
        self._producer = None
        if isinstance(fate, KafkaError) and fate.code() in _TOO_LARGE:
            return Outcome.refused(delivered, _too_large(self._topic))
        error = KafkaException(fate) if isinstance(fate, KafkaError) else None
        return Outcome.later(delivered, self._trouble.fault(error, self._secrets).faults[0])

    def _key_of(self, body: bytes) -> bytes | None:
        """Return the key of an event; one without a person has none, and may go to any partition."""
        try:
            event = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return None
        for place in (self._key, (_FALLBACK_KEY,)):
            found: Any = event
            for name in place:
                found = found.get(name) if isinstance(found, dict) else None
            if isinstance(found, str | int) and found != "":
                return str(found).encode("utf-8", "replace")
        return None


def _noting(fates: list[Any], index: int) -> Callable[[KafkaError | None, Message], None]:
    def note(error: KafkaError | None, _: Message) -> None:
        fates[index] = error

    return note


def _too_large(topic: str) -> Fault:
    return Fault(
        "kafka_too_large",
        Words(f"L'événement est trop grand pour « {topic} ».", f"The event is too large for “{topic}”."),
        Words(
            "Il est mis de côté et les suivants continuent ; augmentez max.message.bytes du topic.",
            "It is set aside and the next ones go on; raise the topic's max.message.bytes.",
        ),
    )
