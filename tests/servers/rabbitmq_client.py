"""A client of the broker, run in the network of the tests: `publish` until told to stop, or `drain` a queue.

The password comes on the first line of standard input. `publish` stops when standard input ends. Both print JSON.
With ``--each``, every number has a queue of its own, which is declared just before; `drain` takes how many there were.
"""

from __future__ import annotations

import argparse
import importlib
import json
import select
import ssl
import sys
import time
from collections.abc import Iterator
from typing import Any

pika: Any = importlib.import_module("pika")  # no types are published for it
FAILURES = (pika.exceptions.AMQPError, OSError, ValueError)


def connect(host: str, arguments: argparse.Namespace, password: str) -> Any:
    tls = None
    if arguments.authority:
        tls = pika.SSLOptions(ssl.create_default_context(cafile=arguments.authority), host)
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            host,
            arguments.port,
            arguments.vhost,
            pika.PlainCredentials(arguments.user, password),
            ssl_options=tls,
            heartbeat=5,
            connection_attempts=1,
            socket_timeout=2,
            stack_timeout=4,
            blocked_connection_timeout=5,
        )
    )


def ended() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0]) and not sys.stdin.readline()


def publish(arguments: argparse.Namespace, password: str) -> dict[str, object]:
    """Publish numbers, one after another; a number counts as acknowledged when the broker confirmed it."""
    acknowledged: list[int] = []
    number, turn, gap, failures = 0, 0, 0.0, 0
    connection: Any = None
    channel: Any = None
    last = time.monotonic()
    while not ended():
        try:
            if channel is None:
                turn += 1
                connection = connect(arguments.hosts[turn % len(arguments.hosts)], arguments, password)
                channel = connection.channel()
                channel.queue_declare(arguments.queue, durable=True)
                channel.confirm_delivery()
            number += 1
            queue = arguments.queue
            if arguments.each is not None:
                queue = f"{queue}-{number}"
                channel.queue_declare(queue, durable=True)
            channel.basic_publish(
                "", queue, str(number).encode(), pika.BasicProperties(delivery_mode=2), mandatory=True
            )
            acknowledged.append(number)
            gap, last = max(gap, time.monotonic() - last), time.monotonic()
            if arguments.pause:
                connection.sleep(arguments.pause)
        except FAILURES:
            failures += 1
            channel = None
            try:
                if connection:
                    connection.close()
            except FAILURES:
                pass
            time.sleep(0.1)
    gap = max(gap, time.monotonic() - last)
    return {"acknowledged": acknowledged, "attempted": number, "failures": failures, "gap": round(gap, 2)}


def drain(arguments: argparse.Namespace, password: str) -> dict[str, object]:
    """Take everything out of the queue; while a leader is elected it asks again, with ``--patience`` seconds."""
    found: set[int] = set()
    until = time.monotonic() + arguments.patience
    while True:
        try:
            for number in _take(arguments, password):
                found.add(number)
        except FAILURES:
            if time.monotonic() > until:
                raise
            time.sleep(1)
        else:
            return {"found": sorted(found)}


def _take(arguments: argparse.Namespace, password: str) -> Iterator[int]:
    connection = connect(arguments.hosts[0], arguments, password)
    channel = connection.channel()
    for number in range(1, (arguments.each or 0) + 1):
        queue = f"{arguments.queue}-{number}"
        channel.queue_declare(queue, durable=True)
        method, _, body = channel.basic_get(queue)
        if method:
            yield int(body)
    channel.basic_qos(prefetch_count=1000)
    for method, _, body in channel.consume(arguments.queue, inactivity_timeout=3):
        if method is None:
            break
        yield int(body)
        channel.basic_ack(method.delivery_tag)
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["publish", "drain"])
    parser.add_argument("--hosts", nargs="+", required=True)
    parser.add_argument("--port", type=int, default=5672)
    parser.add_argument("--vhost", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--queue", default="work")
    parser.add_argument("--each", type=int)
    parser.add_argument("--authority", default="")
    parser.add_argument("--patience", type=float, default=0)
    parser.add_argument("--pause", type=float, default=0)
    arguments = parser.parse_args()
    password = sys.stdin.readline().strip()
    sys.stdout.write(json.dumps({"publish": publish, "drain": drain}[arguments.what](arguments, password)))


if __name__ == "__main__":
    main()
