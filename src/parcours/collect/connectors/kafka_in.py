"""A Kafka topic in: its offsets travel with the records, so that both change hands together and nothing comes twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from parcours.collect.connectors.contract import Kind, Port, Unreadable
from parcours.collect.connectors.kafka_faults import (
    LOG,
    Trouble,
    kafka_settings,
    not_an_object,
    offsets_gone,
    topic_unknown,
    unreachable,
)
from parcours.collect.connectors.secrets import Secrets
from parcours.errors import ParcoursError

_WAIT_S: Final = 0.5
"""How long to wait for messages; also how soon a stop is noticed."""

_ASK_S: Final = 0.8
_PARTITIONS_EVERY_S: Final = 30.0
_QUEUED_KB: Final = 16_384


class Offsets(msgspec.Struct):
    """A cursor: the next offset of each partition of a topic."""

    topic: str
    next: dict[int, int] = {}


class KafkaInlet:
    """The reading of one topic, all partitions.

    Args:
        connection: How to reach the brokers, in the library's words.
        topic: The topic.
        kind: What its messages are.
        from_the_end: Whether to begin with what comes from now on, when nothing has been read yet.
        batch: The messages of one delivery.
        secrets: What must not be told.
    """

    pause_s = 0.0

    def __init__(
        self,
        connection: Mapping[str, str | int],
        topic: str,
        kind: Kind,
        from_the_end: bool,
        batch: int,
        secrets: Secrets,
    ) -> None:
        self.kind = kind
        self._settings = dict(connection)
        self._topic = topic
        self._from_the_end = from_the_end
        self._batch = batch
        self._secrets = secrets
        self._trouble = Trouble()
        self._consumer: Consumer | None = None
        self._offsets = Offsets(topic)
        self._cursor: bytes | None = None
        self._looked_s = 0.0
        self._lock = threading.RLock()

    def bring(self, port: Port) -> None:
        """Deliver messages until none has come for a moment.

        Raises:
            ParcoursError: ``kafka_unreachable``, ``kafka_refused``, ``kafka_topic_unknown``; or ``kafka_offsets_gone``
                once, when messages were deleted before they were read: the next call goes on with what is left.
        """
        if self._consumer is None or port.cursor() != self._cursor:
            self._open(port)
        while not port.stopping():
            if time.monotonic() - self._looked_s > _PARTITIONS_EVERY_S:
                self._find_partitions(port)
            messages = self._consume()
            if not messages:
                self._see_whether_all_is_well()
                return
            self._deliver(messages, port)

    def close(self) -> None:
        """Leave the brokers, once a wait for messages has ended."""
        with self._lock:
            consumer, self._consumer = self._consumer, None
            if consumer is not None:
                consumer.close()

    def _open(self, port: Port) -> None:
        self.close()
        self._cursor = port.cursor()
        self._offsets = _recall(self._cursor, self._topic)
        self._looked_s = 0.0
        settings = {
            **self._settings,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # An offset that is gone must be told, not passed over in silence.
            "auto.offset.reset": "error",
            "queued.max.messages.kbytes": _QUEUED_KB,
            "error_cb": self._trouble.note,
            "logger": LOG,
        }
        try:
            self._consumer = Consumer(settings)
        except KafkaException as error:
            raise kafka_settings(error, self._secrets) from None
        try:
            self._find_partitions(port)
        except BaseException:
            self.close()
            raise

    def _find_partitions(self, port: Port) -> None:
        """Read every partition there is from where it stood; one that is new from its beginning."""
        with self._lock:
            self._assign(self._held(), port)
        self._looked_s = time.monotonic()

    def _assign(self, consumer: Consumer, port: Port) -> None:
        found = self._partitions(consumer)
        missing = [one for one in found if one not in self._offsets.next]
        if missing:
            from_the_end = self._from_the_end and not self._offsets.next
            for one in missing:
                self._offsets.next[one] = self._edge(consumer, one, from_the_end)
            if from_the_end:
                # Where "now" was is worth keeping at once: after a restart it would be another now.
                self._keep([], [], port)
        if missing or not self._looked_s:
            consumer.assign([TopicPartition(self._topic, one, self._offsets.next[one]) for one in found])

    def _partitions(self, consumer: Consumer) -> list[int]:
        try:
            described = consumer.list_topics(self._topic, timeout=_ASK_S).topics[self._topic]
        except KafkaException as error:
            if not self._looked_s:
                # The library tells its troubles while it is polled; nothing is assigned yet, so no message is taken.
                consumer.poll(0)
            raise self._trouble.fault(error, self._secrets) from None
        if described.error is not None:
            raise topic_unknown(self._topic, described.error)
        self._trouble.clear()
        return sorted(described.partitions)

    def _edge(self, consumer: Consumer, partition: int, end: bool) -> int:
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ASK_S)
        except KafkaException as error:
            raise self._trouble.fault(error, self._secrets) from None
        return high if end else low

    def _consume(self) -> Sequence[Message]:
        with self._lock:
            if self._consumer is None:
                return []
            try:
                return self._consumer.consume(self._batch, _WAIT_S)
            except KafkaException as error:
                raise self._trouble.fault(error, self._secrets) from None

    def _deliver(self, messages: Sequence[Message], port: Port) -> None:
        records: list[bytes] = []
        unreadable: list[Unreadable] = []
        for message in messages:
            error = message.error()
            if error is not None:
                self._keep(records, unreadable, port)
                self._raise(error, message)
            partition, offset, value = message.partition(), message.offset(), message.value()
            if partition is None or offset is None:
                continue
            self._offsets.next[partition] = offset + 1
            # A message without a value deletes a key from a compacted topic: it is no event.
            if value is not None:
                _sort(value, partition, offset, records, unreadable)
        self._keep(records, unreadable, port)
        self._trouble.clear()

    def _keep(self, records: list[bytes], unreadable: list[Unreadable], port: Port) -> None:
        cursor = msgspec.json.encode(Offsets(self._topic, dict(sorted(self._offsets.next.items()))))
        if cursor != self._cursor:
            try:
                port.deliver(records, cursor, unreadable)
            except BaseException:
                # What was taken from the broker was not kept: it must be asked for anew.
                self.close()
                raise
            self._cursor = cursor

    def _raise(self, error: KafkaError, message: Message) -> None:
        partition = message.partition()
        if error.code() == KafkaError._AUTO_OFFSET_RESET and partition is not None:
            raise self._pass_over(partition)
        if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
            raise topic_unknown(self._topic, error)
        raise unreachable(error, self._secrets)

    def _pass_over(self, partition: int) -> ParcoursError:
        """Go on with the first message that is left of a partition, and say what is not."""
        with self._lock:
            consumer = self._held()
            lost_from, goes_on = self._offsets.next[partition], self._edge(consumer, partition, end=False)
            self._offsets.next[partition] = goes_on
            consumer.assign([TopicPartition(self._topic, one, at) for one, at in self._offsets.next.items()])
        return offsets_gone(self._topic, partition, lost_from, goes_on)

    def _see_whether_all_is_well(self) -> None:
        """Silence may mean that nothing happens, or that nobody is there: ask, if the library has met trouble."""
        with self._lock:
            if self._trouble.met and self._consumer is not None:
                self._partitions(self._consumer)

    def _held(self) -> Consumer:
        if self._consumer is None:
            raise unreachable(None, self._secrets)
        return self._consumer


def _recall(cursor: bytes | None, topic: str) -> Offsets:
    try:
        offsets = msgspec.json.decode(cursor or b"", type=Offsets)
    except msgspec.DecodeError:
        return Offsets(topic)
    return offsets if offsets.topic == topic else Offsets(topic)


def _sort(value: bytes, partition: int, offset: int, records: list[bytes], unreadable: list[Unreadable]) -> None:
    try:
        readable = isinstance(msgspec.json.decode(value), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        readable = False
    if readable:
        records.append(value)
    else:
        unreadable.append(
            Unreadable("not_an_object", not_an_object(), value, f"partition {partition}, offset {offset}")
        )
