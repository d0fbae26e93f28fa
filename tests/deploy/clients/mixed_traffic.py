#!/usr/bin/python3
"""Traffic that fills the dashboards: HTTP/1.1, HTTP/2 with and without TLS, errors, refusals, slow and broken clients.

mixed_traffic.py HTTP HTTPS SECONDS
"""
import http.client
import socket
import ssl
import subprocess
import sys
import threading
import time

import h2.connection

PATHS = ["/", "/api/status", "/missing/page", "/fail", "/old/x", "/echo"]


def pair(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def insecure():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def keep_alive(connection):
    for path in PATHS * 3:
        connection.request("POST" if path == "/echo" else "GET", path, body=b"x" * 2048 if path == "/echo" else None)
        connection.getresponse().read()
        time.sleep(0.01)
    connection.close()


def raw(address, sent, wait=0.2):
    """Sends bytes no decent client sends, and listens for what comes back."""
    with socket.create_connection(address, timeout=5) as peer:
        peer.sendall(sent)
        peer.settimeout(wait)
        try:
            while peer.recv(65536):
                pass
        except OSError:
            pass


def over_http2(url):
    subprocess.run(["nghttp", "-n", "-m", "5", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)


def quiet_stream(address):
    """An HTTP/2 stream that says nothing for longer than the server likes: it sends a PING, which is answered."""
    connection = h2.connection.H2Connection()
    with socket.create_connection(address, timeout=5) as peer:
        connection.initiate_connection()
        connection.send_headers(1, [(":method", "POST"), (":scheme", "http"), (":authority", "test"), (":path", "/echo")])
        peer.sendall(connection.data_to_send())
        until = time.monotonic() + 3
        while (left := until - time.monotonic()) > 0:
            peer.settimeout(left)
            received = peer.recv(65536)
            if not received:
                return
            connection.receive_data(received)
            peer.sendall(connection.data_to_send())


def reset(address):
    peer = socket.create_connection(address, timeout=5)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    peer.close()


def rounds(plain, secure):
    return [
        lambda: keep_alive(http.client.HTTPConnection(*plain, timeout=10)),
        lambda: keep_alive(http.client.HTTPSConnection(*secure, timeout=10, context=insecure())),
        lambda: over_http2(f"http://{plain[0]}:{plain[1]}/"),
        lambda: over_http2(f"https://{secure[0]}:{secure[1]}/"),
        lambda: raw(plain, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        lambda: raw(plain, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 80000 + b"\r\n\r\n"),
        lambda: raw(plain, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", wait=3),
        lambda: raw(secure, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        lambda: quiet_stream(plain),
        lambda: reset(plain),
    ]


def repeat(action, until):
    while time.monotonic() < until:
        try:
            action()
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)


def main(plain, secure, seconds):
    until = time.monotonic() + float(seconds)
    threads = [threading.Thread(target=repeat, args=(action, until)) for action in rounds(pair(plain), pair(secure))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
