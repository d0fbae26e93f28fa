"""Message framing: Content-Length, Transfer-Encoding, chunks, trailers (RFC 9112 §6, §7; RFC 9110 §8.6, §6.5)."""

from .case import case, chunked, get, post

END = "0\r\n\r\n"


def content_length():
    good = [("zero", "Content-Length: 0", "", "200 +"), ("three", "Content-Length: 3", "abc", "200:abc +"),
            ("leading-zeros", "Content-Length: 003", "abc", "200:abc|400 +"),
            ("tabs-around", "Content-Length: \t3\t", "abc", "200:abc +"), ("no-space", "Content-Length:3", "abc", "200:abc +"),
            ("upper-case", "CONTENT-LENGTH: 3", "abc", "200:abc +"), ("binary-body", "Content-Length: 4", "\r\n\r\n", "200 +"),
            ("body-like-request", "Content-Length: 19", "GET / HTTP/1.1\r\n\r\nx", "200 +")]
    for name, line, body, expectation in good:
        if name in ("leading-zeros", "tabs-around"):  # legal, and refusing it is allowed in the hardened reading
            yield case(f"length-{name}", "9110 8.6", post(line, body=body), "200|400 ~")
        else:
            yield case(f"length-{name}", "9110 8.6", post(line, body=body), expectation)
    bad = {"negative": "-3", "plus": "+3", "hex": "0x3", "letters": "abc", "empty": "", "spaces-inside": "3 3", "float": "3.0",
           "exponent": "3e0", "underscore": "1_0", "list-same": "3, 3", "list-different": "3, 4", "list-empty": "3,",
           "quoted": '"3"', "overflow-64": "18446744073709551616", "overflow-long": "9" * 40, "nul": "3\0", "unit": "3b",
           "semicolon": "3;x", "minus-zero": "-0", "full-width-digit": "\xb3", "vertical-tab": "\x0b3", "no-break-space": "\xa03"}
    for name, value in bad.items():
        yield case(f"length-{name}", "9110 8.6", post(f"Content-Length: {value}", body="abc"), "400 -")
    for name, value in {"max-64": "18446744073709551615", "max-63": "9223372036854775807", "4g": "4294967296",
                        "over-limit": "70000"}.items():
        yield case(f"length-{name}", "9110 15.5.14", post(f"Content-Length: {value}"), "413|400 -" if "max" in name else "413 -")
    for name, lines in {"twice-same": ("Content-Length: 3", "Content-Length: 3"),
                        "twice-different": ("Content-Length: 3", "Content-Length: 4"),
                        "twice-zero-and-more": ("Content-Length: 0", "Content-Length: 3"),
                        "twice-apart": ("Content-Length: 3", "X: y", "content-length: 3"),
                        "thrice": ("Content-Length: 3",) * 3}.items():
        yield case(f"length-{name}", "9112 6.3", post(*lines, body="abc"), "400 -")
    yield case("length-on-get", "9110 9.3.1", get("Content-Length: 3") + "abc", "200 ~")
    yield case("length-on-get-zero", "9110 9.3.1", get("Content-Length: 0"), "200 +")
    yield case("length-on-head", "9110 9.3.2", get("Content-Length: 3", method="HEAD") + "abc", "200/ ~")
    yield case("length-on-delete", "9110 9.3.5", get("Content-Length: 3", method="DELETE", target="/echo") + "abc", "200 ~")
    yield case("length-missing-on-post", "9112 6.3", post(), "200|411 ~")
    yield case("length-space-before-colon", "9112 5.1", post("Content-Length : 3", body="abc"), "400 -")


def transfer_encoding():
    yield case("te-chunked", "9112 7.1", chunked("3\r\nabc\r\n" + END), "200:abc +")
    for name, value in {"upper-case": "CHUNKED", "mixed-case": "Chunked", "tab": "\tchunked", "trailing-space": "chunked "}.items():
        yield case(f"te-{name}", "9112 7", post(f"Transfer-Encoding: {value}", body="3\r\nabc\r\n" + END), "200:abc +")
    values = {"xchunked": "xchunked", "chunkedx": "chunkedx", "identity": "identity", "identity-then-chunked": "identity, chunked",
              "chunked-then-identity": "chunked, identity", "gzip": "gzip", "gzip-chunked": "gzip, chunked",
              "chunked-gzip": "chunked, gzip", "chunked-chunked": "chunked, chunked", "leading-comma": ",chunked",
              "trailing-comma": "chunked,", "empty": "", "quoted": '"chunked"', "single-quoted": "'chunked'",
              "parameter": "chunked;q=1", "parameter-empty": "chunked;", "nul": "chunked\0", "vertical-tab": "\x0bchunked",
              "form-feed": "\x0cchunked", "no-break-space": "\xa0chunked", "cow": "cow", "space-inside": "chun ked",
              "newline-escape": "chunked\\r\\n", "deflate": "deflate", "compress": "compress, chunked", "high-byte": "chunked\xff"}
    for name, value in values.items():
        yield case(f"te-{name}", "9112 6.1", post(f"Transfer-Encoding: {value}", body=END), "400|501 -")
    for name, lines in {"twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
                        "twice-identity": ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
                        "twice-identity-first": ("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
                        "twice-cow": ("Transfer-Encoding: chunked", "Transfer-Encoding: cow"),
                        "twice-empty": ("Transfer-Encoding:", "Transfer-Encoding: chunked"),
                        "folded": ("Transfer-Encoding:\r\n chunked",), "folded-tab": ("Transfer-Encoding:\r\n\tchunked",),
                        "folded-after": ("Transfer-Encoding: chunked\r\n , identity",),
                        "space-before-colon": ("Transfer-Encoding : chunked",),
                        "tab-before-colon": ("Transfer-Encoding\t: chunked",),
                        "bare-cr-before": ("X: y\rTransfer-Encoding: chunked",),
                        "bare-lf-before": ("X: y\nTransfer-Encoding: chunked",)}.items():
        yield case(f"te-{name}", "9112 6.1", post(*lines, body=END), "400|501 -")
    both = {"length-first": ("Content-Length: 3", "Transfer-Encoding: chunked"),
            "te-first": ("Transfer-Encoding: chunked", "Content-Length: 3"),
            "length-zero": ("Content-Length: 0", "Transfer-Encoding: chunked"),
            "identity": ("Content-Length: 3", "Transfer-Encoding: identity"),
            "length-bad": ("Content-Length: x", "Transfer-Encoding: chunked"),
            "underscore": ("Content_Length: 3", "Transfer-Encoding: chunked", "Content-Length: 6")}
    for name, lines in both.items():
        yield case(f"te-and-length-{name}", "9112 6.3", post(*lines, body="3\r\nabc\r\n" + END), "400|501 -")
    yield case("te-in-http10", "9112 6.1", "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + END, "400 -")
    yield case("te-and-length-http10", "9112 6.1",
               "POST /echo HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + END, "400 -")
    yield case("te-on-get", "9110 9.3.1", get("Transfer-Encoding: chunked") + END, "200 ~")
    yield case("te-header-is-not-te", "9110 10.1.4", get("TE: trailers", "Connection: TE"), "200 +")


def chunks():
    good = {"none": (END, ""), "one": ("3\r\nabc\r\n" + END, "abc"), "two": ("3\r\nabc\r\n2\r\nde\r\n" + END, "abcde"),
            "hex-lower": ("a\r\n0123456789\r\n" + END, "0123456789"), "hex-upper": ("A\r\n0123456789\r\n" + END, "0123456789"),
            "leading-zeros": ("0003\r\nabc\r\n" + END, "abc"), "last-zeros": ("3\r\nabc\r\n000\r\n\r\n", "abc"),
            "extension": ("3;a=b\r\nabc\r\n" + END, "abc"), "extension-flag": ("3;a\r\nabc\r\n" + END, "abc"),
            "extension-quoted": ('3;a="b c"\r\nabc\r\n' + END, "abc"), "extension-on-last": ("3\r\nabc\r\n0;x=y\r\n\r\n", "abc"),
            "data-like-end": ("5\r\n0\r\n\r\n\r\n" + END, None), "trailer": ("3\r\nabc\r\n0\r\nX: y\r\n\r\n", "abc"),
            "two-trailers": ("3\r\nabc\r\n0\r\nX: y\r\nZ: w\r\n\r\n", "abc")}
    for name, (body, echoed) in good.items():
        yield case(f"chunk-{name}", "9112 7.1", chunked(body), f"200:{echoed} +" if echoed else "200 +")
    bad = {"0x": "0x3\r\nabc\r\n" + END, "plus": "+3\r\nabc\r\n" + END, "minus": "-3\r\nabc\r\n" + END,
           "space-before": " 3\r\nabc\r\n" + END, "letter-g": "g\r\nabc\r\n" + END, "empty-size": "\r\nabc\r\n" + END,
           "lf-only": "3\nabc\n0\n\n", "lf-after-size": "3\nabc\r\n" + END, "lf-after-data": "3\r\nabc\n" + END,
           "lf-after-last": "3\r\nabc\r\n0\n\r\n", "lf-at-end": "3\r\nabc\r\n0\r\n\n", "cr-after-size": "3\rabc\r\n" + END,
           "no-end-of-data": "3\r\nabcd\r\n" + END, "junk-for-crlf": "3\r\nabcXX0\r\n\r\n",
           "overflow-64": "10000000000000000\r\nabc\r\n", "underscore": "1_0\r\nabc\r\n", "comma": "3,3\r\nabc\r\n" + END,
           "nul": "3\0\r\nabc\r\n" + END, "high-byte": "\xb3\r\nabc\r\n" + END, "quote": '"3"\r\nabc\r\n' + END,
           "extension-lf": "3;a\nb\r\nabc\r\n" + END, "extension-cr": "3;a\rb\r\nabc\r\n" + END,
           "extension-nul": "3;a\0b\r\nabc\r\n" + END, "extension-lf-end": "3;a\nabc\r\n" + END,
           "spill": "5\r\nabcde\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: b\r\n\r\n", "no-last-size": "3\r\nabc\r\nGET / HTTP/1.1\r\n\r\n",
           "quoted-extension-lf": '3;a="x\ny"\r\nabc\r\n' + END, "term-ext": "3;\r\rabc\r\n" + END}
    for name, body in bad.items():
        yield case(f"chunk-{name}", "9112 7.1", chunked(body), "400 -")
    for name, body in {"space-after": "3 \r\nabc\r\n" + END, "tab-after": "3\t\r\nabc\r\n" + END,
                       "extension-spaces": "3 ; a = b\r\nabc\r\n" + END, "extension-no-name": "3;=b\r\nabc\r\n" + END,
                       "extension-empty": "3;\r\nabc\r\n" + END,
                       "extensions": "3;a=b;c=d\r\nabc\r\n" + END, "quoted-pair": '3;a="x\\"y"\r\nabc\r\n' + END, "quoted-unclosed": '3;a="x\r\nabc\r\n' + END}.items():
        yield case(f"chunk-{name}", "9112 7.1.1", chunked(body), "200|400 ~")
    yield case("chunk-max-64", "9112 7.1", chunked("ffffffffffffffff\r\nabc"), "400|413 -")
    yield case("chunk-over-limit-announced", "9110 15.5.14", chunked("20000\r\nabc"), "413 -")
    yield case("chunk-over-limit-sent", "9110 15.5.14", chunked(("4000\r\n" + "x" * 0x4000 + "\r\n") * 5), "413 -")
    yield case("chunk-size-zeros", "9112 7.1", chunked("0" * 40000 + "3\r\nabc\r\n" + END), "400|413|431 -")
    yield case("chunk-extension-long", "9112 7.1.1", chunked("3;a=" + "x" * 40000 + "\r\nabc\r\n" + END), "400|413|431 -")
    yield case("chunk-extension-many", "9112 7.1.1", chunked(("1;" + "x" * 100 + "\r\na\r\n") * 400 + END), "400|413|431 -")


def trailers():
    yield case("trailer-of-length", "9110 6.5.1", chunked("3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n"), "200|400 ~")
    yield case("trailer-of-host", "9110 6.5.1", chunked("3\r\nabc\r\n0\r\nHost: b\r\n\r\n"), "200|400 ~")
    yield case("trailer-of-te", "9110 6.5.1", chunked("3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), "200|400 ~")
    yield case("trailer-of-connection", "9110 6.5.1", chunked("0\r\nConnection: close\r\n\r\n"), "200|400 ~")
    yield case("trailer-of-upgrade", "9110 6.5.1", chunked("0\r\nUpgrade: h2c\r\n\r\n"), "200|400 ~")
    for name, line in {"space-before-colon": "X : y", "no-colon": "X y", "empty-name": ": y", "nul": "X: \0", "lf": "X: y\nZ: w",
                       "cr": "X: y\rZ: w", "folded": "X: y\r\n z", "bad-name": "X(y): z"}.items():
        yield case(f"trailer-{name}", "9112 7.1.2", chunked(f"0\r\n{line}\r\n\r\n"), "400 -")
    yield case("trailer-long", "9112 7.1.2", chunked("0\r\nX: " + "y" * 70000 + "\r\n\r\n"), "400|413|431 -")
    yield case("trailer-many", "9112 7.1.2", chunked("0\r\n" + "X: y\r\n" * 200 + "\r\n"), "400|413|431 -")


def cases():
    yield from content_length()
    yield from transfer_encoding()
    yield from chunks()
    yield from trailers()
