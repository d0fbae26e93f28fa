#!/usr/bin/python3
"""Keep-alive requests without a retry for some seconds; any failure is an error. steady_client.py TARGET SECONDS"""
import asyncio
import sys
import time

from drain_client import address, one


async def client(target, until, failed, done):
    reader = writer = None
    while time.monotonic() < until:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(*target)
            status, close = await one(reader, writer)
            done.append(status)
            if status >= 500:
                failed.append(f"status {status}")
            if close:
                writer.close()
                writer = None
            await asyncio.sleep(0.02)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as problem:
            failed.append(type(problem).__name__)
            writer = None


async def main(target, seconds):
    failed, done = [], []
    until = time.monotonic() + float(seconds)
    await asyncio.gather(*(client(address(target), until, failed, done) for _ in range(8)))
    print(f"{len(done)} requests, failed: {failed}")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
