#!/usr/bin/python3
"""Uses a server while it is told to stop: no request may fail that was begun before readiness fell.

drain_client.py TRAFFIC OPS. Prints "running" once every connection has had an answer; ends when the listener is closed.
OPS is "-" where nobody outside may ask: then readiness fell with the first answer that closes its connection.
"""
import asyncio
import sys
import time


async def one(reader, writer):
    writer.write(b"GET /api/status HTTP/1.1\r\nHost: test\r\n\r\n")
    await writer.drain()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    status = int(head.split()[1])
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if b"content-length" in fields:
        await asyncio.wait_for(reader.readexactly(int(fields[b"content-length"])), 10)
    return status, fields.get(b"connection", b"") == b"close"


async def client(address, state):
    """Keeps a connection; opens another when the server says close. Stops when the listener is gone."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(*address)
        except OSError:
            if not state["stopping"]:
                state["failed"].append("refused before readiness fell")
            return
        try:
            while True:
                status, close = await one(reader, writer)
                state["done"] += 1
                if status >= 500:
                    state["failed"].append(f"status {status}")
                if close:
                    state["stopping"] |= state["asks_nobody"]
                    break
                await asyncio.sleep(0.02)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as problem:
            state["failed"].append(f"{type(problem).__name__}")
            return
        finally:
            writer.close()


async def is_ready(address):
    try:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        head = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        return b" 503 " not in head
    except (OSError, asyncio.TimeoutError):
        return False


async def watch(address, state):
    while True:
        if not state["asks_nobody"]:
            state["stopping"] |= not await is_ready(address)
        if state["done"] >= 64 and not state["said"]:
            print("running", flush=True)
            state["said"] = True
        await asyncio.sleep(0.02)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


async def main(traffic, ops):
    state = {"done": 0, "failed": [], "stopping": False, "said": False, "asks_nobody": ops == "-"}
    watcher = asyncio.create_task(watch(None if ops == "-" else address(ops), state))
    began = time.monotonic()
    await asyncio.wait_for(asyncio.gather(*(client(address(traffic), state) for _ in range(16))), 60)
    watcher.cancel()
    print(f"{state['done']} requests in {time.monotonic() - began:.1f} s, failed: {state['failed']}")
    return 1 if state["failed"] or state["done"] < 64 else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
