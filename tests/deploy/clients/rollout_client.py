#!/usr/bin/python3
"""The clients of the rollout test, none with a retry: 96 keep-alive HTTP/1.1 connections, four HTTP/2 connections and one
client that pauses. Runs until SIGTERM; a failure is refused, reset, truncated, timed out or 5xx.

rollout_client.py HTTP1_TARGET HTTP2_TARGET RESULT_FILE
"""
import asyncio
import json
import random
import signal
import sys
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from drain_client import address, one

CONNECTIONS, PACE = 96, 0.2


class Result:
    def __init__(self):
        self.done = {"http1": 0, "http2": 0, "pausing": 0}
        self.failed, self.stopping, self.began = [], False, time.monotonic()

    def fail(self, who, problem):
        if not self.stopping:
            what = type(problem).__name__ if isinstance(problem, BaseException) else problem
            self.failed.append(f"{who} after {time.monotonic() - self.began:.1f} s: {what}")


async def http1(target, result, who, pause):
    reader = writer = None
    while not result.stopping:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(*target)
            status, close = await one(reader, writer)
            result.done[who] += 1
            if status >= 500:
                result.fail(who, f"status {status}")
            if close:
                writer.close()
                writer = None
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as problem:
            result.fail(who, problem)
            writer = None
            await asyncio.sleep(0.1)
        await asyncio.sleep(pause())


async def request_over_h2(reader, writer, connection, result):
    """One request on an open connection; answers False when the peer asked for another connection."""
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, [(":method", "GET"), (":path", "/api/status"), (":scheme", "http"), (":authority", "test")],
                            end_stream=True)
    writer.write(connection.data_to_send())
    going, ended, status = True, False, None
    while not ended:
        data = await asyncio.wait_for(reader.read(65536), 10)
        if not data:
            raise ConnectionResetError
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                status = int(dict(event.headers)[b":status"])
            elif isinstance(event, h2.events.DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                ended = True
            elif isinstance(event, h2.events.StreamReset):
                raise ConnectionResetError
            elif isinstance(event, h2.events.ConnectionTerminated):
                going = False
        writer.write(connection.data_to_send())
    result.done["http2"] += 1
    if status is None or status >= 500:
        result.fail("http2", f"status {status}")
    return going


async def http2(target, result):
    while not result.stopping:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(*target)
            connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
            connection.initiate_connection()
            while not result.stopping and await request_over_h2(reader, writer, connection, result):
                await asyncio.sleep(PACE)
        except (OSError, asyncio.TimeoutError, h2.exceptions.ProtocolError) as problem:
            result.fail("http2", problem)
            await asyncio.sleep(0.1)
        finally:
            if writer:
                writer.close()


async def main(first, second, path):
    result = Result()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [http1(address(first), result, "http1", lambda: PACE) for _ in range(CONNECTIONS)]
    tasks += [http2(address(second), result) for _ in range(4)]
    tasks.append(http1(address(first), result, "pausing", lambda: random.uniform(0.1, 3)))
    running = [asyncio.create_task(task) for task in tasks]
    await stop.wait()
    result.stopping = True
    seconds = time.monotonic() - result.began
    for task in running:
        task.cancel()
    total = sum(result.done.values())
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"requests": total, "by_kind": result.done, "per_second": total / seconds, "failed": result.failed}, out)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
