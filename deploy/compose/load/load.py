#!/usr/bin/python3
"""Steady mixed load for the demo: load.py URL REQUESTS_PER_SECOND. Ends with SIGTERM."""
import asyncio
import random
import signal
import sys
from urllib.parse import urlsplit

PATHS = ["/"] * 6 + ["/api/status"] * 3 + ["/missing"]


async def client(host, port, pause):
    """One keep-alive connection after another, each for some requests."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, port)
            for _ in range(random.randint(1, 50)):
                writer.write(f"GET {random.choice(PATHS)} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                if b"content-length" not in fields:
                    break
                await reader.readexactly(int(fields[b"content-length"]))
                if fields.get(b"connection") == b"close":
                    break
                await asyncio.sleep(random.expovariate(1 / pause))
            writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            await asyncio.sleep(1)


async def main(url, rate):
    parts = urlsplit(url)
    connections = max(4, int(rate) // 5)
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(client(parts.hostname, parts.port or 80, connections / float(rate))) for _ in range(connections)]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
