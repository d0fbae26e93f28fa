"""OpenSSL below what Python's ssl module offers: key updates, renegotiation, records of any kind, from a client that means harm."""

import ctypes
import ctypes.util

MIN_VERSION, MAX_VERSION = 123, 124  # SSL_CTRL_SET_MIN_PROTO_VERSION, …MAX…
TLS1_2, TLS1_3 = 0x0303, 0x0304
KEY_UPDATE_REQUESTED = 1
WANT_READ, WANT_WRITE = 2, 3


def _load():
    openssl = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
    for name, result, arguments in (
            ("TLS_client_method", ctypes.c_void_p, []), ("SSL_CTX_new", ctypes.c_void_p, [ctypes.c_void_p]),
            ("SSL_CTX_ctrl", ctypes.c_long, [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]),
            ("SSL_CTX_free", None, [ctypes.c_void_p]), ("SSL_new", ctypes.c_void_p, [ctypes.c_void_p]), ("SSL_free", None, [ctypes.c_void_p]),
            ("SSL_set_fd", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]), ("SSL_connect", ctypes.c_int, [ctypes.c_void_p]),
            ("SSL_key_update", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]), ("SSL_renegotiate", ctypes.c_int, [ctypes.c_void_p]),
            ("SSL_do_handshake", ctypes.c_int, [ctypes.c_void_p]), ("SSL_write", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]),
            ("SSL_read", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]),
            ("SSL_get_error", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int])):
        function = getattr(openssl, name)
        function.restype, function.argtypes = result, arguments
    return openssl


class RawTls:
    """A TLS client over a connected blocking socket; `version` is the only one it speaks."""

    openssl = None

    def __init__(self, peer, version=TLS1_3):
        if RawTls.openssl is None:
            RawTls.openssl = _load()
        self.peer = peer
        self.context = self.openssl.SSL_CTX_new(self.openssl.TLS_client_method())
        for command in (MIN_VERSION, MAX_VERSION):
            self.openssl.SSL_CTX_ctrl(self.context, command, version, None)
        self.connection = self.openssl.SSL_new(self.context)
        peer.setblocking(True)
        self.openssl.SSL_set_fd(self.connection, peer.fileno())
        if self.openssl.SSL_connect(self.connection) != 1:
            raise ConnectionError("no handshake")

    def write(self, data):
        return self.openssl.SSL_write(self.connection, data, len(data))

    def read(self, size=16384):
        """Bytes, or None when none can be had: read again (the socket may be non-blocking) or over."""
        into = ctypes.create_string_buffer(size)
        count = self.openssl.SSL_read(self.connection, into, size)
        return into.raw[:count] if count > 0 else None

    def key_update(self):
        """Sends one that asks the peer for its own (RFC 8446 §4.6.3); false when it could not."""
        if self.openssl.SSL_key_update(self.connection, KEY_UPDATE_REQUESTED) != 1:
            return False
        return self.openssl.SSL_do_handshake(self.connection) == 1

    def renegotiate(self):
        """True when the server went along."""
        if self.openssl.SSL_renegotiate(self.connection) != 1:
            return False
        return self.openssl.SSL_do_handshake(self.connection) == 1

    def close(self):
        self.openssl.SSL_free(self.connection)
        self.openssl.SSL_CTX_free(self.context)
        self.peer.close()
