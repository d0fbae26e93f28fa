"""Connection options, Expect, Upgrade, HEAD, pipelines, range and conditions (RFC 9110 §7.6, §10.1, §13, §14; RFC 9112 §9)."""

from .case import case, chunked, get, post

HELLO = get()
H2C = ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")


def persistence():
    yield case("close", "9112 9.6", get("Connection: close"), "200 -")
    yield case("close-upper", "9112 9.6", get("Connection: CLOSE"), "200 -")
    yield case("close-in-list", "9110 7.6.1", get("Connection: keep-alive, close"), "200 -")
    yield case("close-second-field", "9110 7.6.1", get("Connection: x", "Connection: close"), "200 -")
    yield case("close-empty-list-elements", "9110 5.6.1", get("Connection: , ,close,"), "200 -")
    yield case("keep-alive", "9112 9.3", get("Connection: keep-alive"), "200 +")
    yield case("closed-is-not-close", "9110 7.6.1", get("Connection: closed"), "200 +")
    yield case("unknown-option", "9110 7.6.1", get("Connection: x-y", "X-Y: z"), "200 +")
    yield case("bytes-after-close", "9112 9.6", get("Connection: close") + HELLO, "200 -")
    yield case("http10-then-more", "9112 9.3", "GET /hello HTTP/1.0\r\n\r\n" + HELLO, "200 -")
    yield case("http10-close", "9112 9.3", "GET /hello HTTP/1.0\r\nConnection: close\r\n\r\n", "200 -")
    yield case("http10-body", "9112 6.3", "POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "200:abc -")


def pipelines():
    yield case("pipeline-two", "9112 9.3.2", HELLO * 2, "200 200 +")
    yield case("pipeline-ten", "9112 9.3.2", HELLO * 10, " ".join(["200"] * 10) + " +")
    yield case("pipeline-crlf-between", "9112 2.2", HELLO + "\r\n" + HELLO, "200 200 +")
    yield case("pipeline-with-bodies", "9112 9.3.2", post("Content-Length: 3", body="abc") + post("Content-Length: 2", body="de"),
               "200:abc 200:de +")
    yield case("pipeline-chunked-and-length", "9112 9.3.2", chunked("3\r\nabc\r\n0\r\n\r\n") + post("Content-Length: 2", body="de"),
               "200:abc 200:de +")
    yield case("pipeline-after-chunked", "9112 9.3.2", chunked("3\r\nabc\r\n0\r\n\r\n") + HELLO, "200:abc 200 +")
    yield case("pipeline-head-between", "9110 9.3.2", HELLO + get(method="HEAD") + HELLO, "200 200/ 200 +")
    yield case("pipeline-404-between", "9112 9.3.2", HELLO + get(target="/nothing-here") + HELLO, "200 404 200 +")
    yield case("pipeline-close-in-middle", "9112 9.6", HELLO + get("Connection: close") + HELLO, "200 200 -")
    yield case("pipeline-bad-in-middle", "9112 9.3.2", HELLO + get("X : y") + HELLO, "200 400 -")
    yield case("pipeline-body-to-unknown", "9112 9.3", post("Content-Length: 19", body="GET / HTTP/1.1\r\n\r\nx",
                                                             target="/nothing-here"), "404|405 ~")
    hidden = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    yield case("pipeline-body-of-get", "9112 9.3", get(f"Content-Length: {len(hidden)}") + hidden, "200 ~")


def expect():
    body = "abc"
    yield case("expect-with-body", "9110 10.1.1", post("Content-Length: 3", "Expect: 100-continue", body=body), "100? 200:abc +")
    yield case("expect-upper", "9110 10.1.1", post("Content-Length: 3", "Expect: 100-Continue", body=body), "100? 200:abc +")
    yield case("expect-chunked", "9110 10.1.1", chunked("3\r\nabc\r\n0\r\n\r\n", "Expect: 100-continue"), "100? 200:abc +")
    yield case("expect-no-body", "9110 10.1.1", get("Expect: 100-continue"), "100? 200 +")
    yield case("expect-http10", "9110 10.1.1",
               "POST /echo HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", "200:abc -")
    yield case("expect-unknown", "9110 10.1.1", post("Content-Length: 3", "Expect: x", body=body), "417|200 ~")
    yield case("expect-refused-by-limit", "9110 10.1.1", post("Content-Length: 70000", "Expect: 100-continue"), "413 -")
    yield case("expect-refused-by-framing", "9110 10.1.1",
               post("Content-Length: 3", "Transfer-Encoding: chunked", "Expect: 100-continue"), "400 -")


def upgrade():
    yield case("upgrade-websocket", "9110 7.8", get("Connection: upgrade", "Upgrade: websocket"), "200 +")
    yield case("upgrade-websocket-pipelined", "9110 7.8", get("Connection: Upgrade", "Upgrade: websocket") + HELLO, "200 200 +")
    yield case("upgrade-unknown-body", "9110 7.8",
               post("Connection: upgrade", "Upgrade: x/1", "Content-Length: 3", body="abc"), "200:abc +")
    yield case("upgrade-tls", "2817 3", get("Connection: upgrade", "Upgrade: TLS/1.0"), "200 +")
    yield case("upgrade-without-connection", "7540 3.2", get(*H2C), "200 +")
    yield case("upgrade-h2c-no-settings", "7540 3.2", get("Connection: Upgrade", "Upgrade: h2c"), "200|400 ~")
    yield case("upgrade-h2c-settings-unnamed", "7540 3.2", get("Connection: Upgrade", *H2C), "200|400 ~")
    yield case("upgrade-h2c-two-settings", "7540 3.2.1", get("Connection: Upgrade, HTTP2-Settings", *H2C, H2C[1]), "200|400 ~")
    yield case("upgrade-h2c-bad-base64", "7540 3.2.1",
               get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA*AAABk"), "200|400 ~")
    yield case("upgrade-h2c-bad-length", "7540 3.2.1",
               get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAA"), "200|400 ~")
    yield case("upgrade-h2c-with-body", "7540 3.2",
               post("Connection: Upgrade, HTTP2-Settings", *H2C, "Content-Length: 3", body="abc"), "200:abc +")
    yield case("upgrade-h2c-http10", "7540 3.2",
               "GET /hello HTTP/1.0\r\nConnection: Upgrade, HTTP2-Settings\r\n" + "\r\n".join(H2C) + "\r\n\r\n", "200 -")
    yield case("upgrade-h2", "7540 3.2", get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2", H2C[1]), "200 +")
    yield case("preface-cut", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "400|505? -", first_line_decides=True)
    yield case("preface-after-request", "9113 3.4", HELLO + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "200 400|501|505? -")
    yield case("preface-http11", "9113 3.4", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "400|501|505? -", first_line_decides=True)


def answers():
    yield case("head-of-unknown", "9110 9.3.2", get(method="HEAD", target="/nothing-here"), "404/ +")
    yield case("head-of-file", "9110 9.3.2", get(method="HEAD", target="/1k.bin"), "200/ +")
    yield case("file", "9110 9.3.1", get(target="/style.css"), "200 +")
    yield case("range-one", "9110 14.2", get("Range: bytes=0-9", target="/1k.bin"), "206 +")
    yield case("range-suffix", "9110 14.1.2", get("Range: bytes=-5", target="/1k.bin"), "206 +")
    yield case("range-beyond", "9110 15.5.17", get("Range: bytes=5000-", target="/1k.bin"), "416 +")
    yield case("range-malformed", "9110 14.2", get("Range: bytes=x-y", target="/1k.bin"), "200|416 +")
    yield case("range-unit-unknown", "9110 14.2", get("Range: lines=1-2", target="/1k.bin"), "200 +")
    yield case("range-backwards", "9110 14.1.1", get("Range: bytes=9-0", target="/1k.bin"), "200|416 +")
    yield case("range-overflow", "9110 14.1.1", get("Range: bytes=0-99999999999999999999", target="/1k.bin"), "200|206|416 +")
    yield case("range-bomb", "9110 17.15", get("Range: bytes=" + ",".join(["0-"] * 500), target="/1k.bin"), "200|206|416 +")
    yield case("range-on-post", "9110 14.2", post("Range: bytes=0-0", "Content-Length: 3", body="abc"), "200:abc +")
    yield case("if-match-none", "9110 13.1.1", get('If-Match: "nope"', target="/1k.bin"), "412 +")
    yield case("if-none-match-any", "9110 13.1.2", get("If-None-Match: *", target="/1k.bin"), "304/ +")
    yield case("if-modified-since-future", "9110 13.1.3",
               get("If-Modified-Since: Sun, 01 Jan 2034 00:00:00 GMT", target="/1k.bin"), "200|304 +")
    yield case("if-modified-since-junk", "9110 13.1.3", get("If-Modified-Since: yesterday", target="/1k.bin"), "200 +")
    yield case("post-to-file", "9110 15.5.6", post("Content-Length: 0", target="/1k.bin"), "405 +")
    yield case("delete-file", "9110 15.5.6", get("Content-Length: 0", method="DELETE", target="/1k.bin"), "405 +")
    yield case("redirect-splitting", "9112 11.1", get(target="/old/a%0d%0aX-Injected:%20yes"), "308|400|404 ~")
    yield case("redirect-splitting-lf", "9112 11.1", get(target="/old/%0aSet-Cookie:a=b"), "308|400|404 ~")
    yield case("request-id-control", "9110 5.5", get("X-Request-Id: a\tb"), "200 +")


def cases():
    yield from persistence()
    yield from pipelines()
    yield from expect()
    yield from upgrade()
    yield from answers()
