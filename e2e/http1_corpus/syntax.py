"""Request line, targets, fields and Host (RFC 9112 §2, §3, §5; RFC 9110 §5, §7.2)."""

from .case import case, get

OK = '200:{"status":"ok"} +'


def line(text, fields="Host: a\r\n"):
    return f"{text}\r\n{fields}\r\n"


def request_line():
    yield case("line-plain", "9112 3", get(), OK)
    yield case("line-crlf-before", "9112 2.2", "\r\n" + get(), OK)
    yield case("line-two-crlf-before", "9112 2.2", "\r\n\r\n" + get(), "200|400 ~")
    yield case("line-lf-before", "9112 2.2", "\n" + get(), "400 -", first_line_decides=True)
    yield case("line-cr-before", "9112 2.2", "\r" + get(), "400? -", first_line_decides=True)
    yield case("line-space-before", "9112 3", " " + get(), "400? -", first_line_decides=True)
    yield case("line-nul-before", "9112 3", "\0" + get(), "400? -", first_line_decides=True)
    for name, text in {"two-spaces-first": "GET  /hello HTTP/1.1", "two-spaces-second": "GET /hello  HTTP/1.1",
                       "tab-first": "GET\t/hello HTTP/1.1", "tab-second": "GET /hello\tHTTP/1.1",
                       "trailing-space": "GET /hello HTTP/1.1 ", "trailing-word": "GET /hello HTTP/1.1 x",
                       "space-in-target": "GET /hel lo HTTP/1.1", "no-target": "GET HTTP/1.1", "empty-target": "GET  HTTP/1.1",
                       "vertical-tab": "GET\x0b/hello HTTP/1.1", "cr-inside": "GET /hello\rHTTP/1.1",
                       "nul-in-target": "GET /hel\0lo HTTP/1.1"}.items():
        yield case(f"line-{name}", "9112 3", line(text), "400? -")
    yield case("line-lf-only", "9112 2.2", "GET /hello HTTP/1.1\nHost: a\r\n\r\n", "400 -")
    yield case("line-all-lf", "9112 2.2", "GET /hello HTTP/1.1\nHost: a\n\n", "400 -")
    yield case("line-cr-cr-lf", "9112 2.2", "GET /hello HTTP/1.1\r\r\nHost: a\r\n\r\n", "400 -")
    yield case("line-no-version", "9112 2.3", "GET /hello\r\n\r\n", "400|505? -", first_line_decides=True)
    yield case("line-only-words", "9112 3", "hello there\r\n\r\n", "400? -", first_line_decides=True)
    yield case("line-binary", "9112 3", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400? -", first_line_decides=True)


def versions():
    yield case("version-10", "9112 2.3", "GET /hello HTTP/1.0\r\n\r\n", "200 -")
    yield case("version-10-keep-alive", "9112 C.2.2", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 ~")
    for name, version in {"09": "HTTP/0.9", "12": "HTTP/1.2", "19": "HTTP/1.9", "20": "HTTP/2.0", "30": "HTTP/3.0", "00": "HTTP/0.0",
                          "21": "HTTP/2.1", "99": "HTTP/9.9"}.items():
        yield case(f"version-{name}", "9110 15.6.6", line(f"GET /hello {version}"), "505 -")
    for name, version in {"short": "HTTP/1", "long": "HTTP/1.1.1", "no-dot": "HTTP/11", "lower": "http/1.1", "zeros": "HTTP/01.1",
                          "minor-two-digits": "HTTP/1.01", "minor-10": "HTTP/1.10", "no-slash": "HTTP1.1", "comma": "HTTP/1,1",
                          "letter": "HTTP/1.x", "minus": "HTTP/-1.1", "empty": "HTTP/", "spaces": "HTTP/ 1.1", "other": "HTTPS/1.1",
                          "rtsp": "RTSP/1.0", "ice": "ICE/1.0", "shttp": "SHTTP/1.1", "backslash": "HTTP\\1.1"}.items():
        yield case(f"version-{name}", "9112 2.3", line(f"GET /hello {version}"), "400|505? -")


def methods():
    for name in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        extra = "" if name == "GET" else "Content-Length: 0\r\n"
        yield case(f"method-{name.lower()}", "9110 9.3", line(f"{name} /echo HTTP/1.1", f"Host: a\r\n{extra}"), "200 +")
    yield case("method-head", "9110 9.3.2", get(method="HEAD"), "200/ +")
    yield case("method-options", "9110 9.3.7", get(method="OPTIONS"), "200|204|405 +")
    yield case("method-options-asterisk", "9112 3.2.4", get(method="OPTIONS", target="*"), "200|204 +")
    yield case("method-trace", "9110 9.3.8", get(method="TRACE"), "200|405|501 ~")
    yield case("method-connect", "9112 3.2.3", line("CONNECT a:80 HTTP/1.1", "Host: a:80\r\n"), "400|405|501 ~")
    for name in ("FOO", "get", "Get", "GETT", "G", "X-Y", "UPDATE2", "HEADX", "A!#$%&'*+-.^_`|~"):
        yield case(f"method-unknown-{name[:8]}", "9110 15.6.2", get(method=name), "501 ~")
    yield case("method-long", "9110 9.1", get(method="M" * 300), "400|501 ~")
    for name, method in {"colon": "GE:T", "at": "G@T", "bracket": "G[T]", "slash": "G/T", "quote": 'G"T', "high": "G\xffT",
                         "del": "G\x7fT", "nul": "G\0T", "comma": "GET,", "brace": "{GET}"}.items():
        yield case(f"method-bad-{name}", "9110 5.6.2", get(method=method), "400 -")
    yield case("method-empty", "9112 3", " /hello HTTP/1.1\r\nHost: a\r\n\r\n", "400? -", first_line_decides=True)
    for name, method in {"m-search": "M-SEARCH", "get": "GET", "post": "POST", "head": "HEAD", "put": "PUT"}.items():
        yield case(f"asterisk-with-{name}", "9112 3.2.4", get("Content-Length: 0", method=method, target="*"),
                   f"400|405|501{'/' if method == 'HEAD' else ''} ~")


def targets():
    good = {"query": "/hello?a=b", "empty-query": "/hello?", "query-marks": "/hello?a?b/c", "absolute": "http://a/hello",
            "absolute-query": "http://a/hello?x", "absolute-upper": "HTTP://A/hello", "absolute-port": "http://a:80/hello",
            "percent-letter": "/%68ello", "sub-delims": "/hello?!$&'()*+,;=:@"}
    for name, target in good.items():
        yield case(f"target-{name}", "9112 3.2", get(target=target, host=not name.startswith("absolute-port")) if "port" not in name
                   else line(f"GET {target} HTTP/1.1", "Host: a:80\r\n"), "200 +")
    bad = {"fragment": "/hello#x", "quote": '/hel"lo', "angle": "/<hello>", "backslash": "/hel\\lo", "caret": "/hel^lo",
           "backtick": "/hel`lo", "brace": "/{hello}", "pipe": "/hel|lo", "high": "/hel\xfflo", "utf8": "/h\xc3\xa9llo",
           "tab": "/hel\tlo", "del": "/hel\x7flo", "ctl": "/hel\x01lo", "relative": "hello", "dots": "../hello",
           "percent-cut": "/hello%", "percent-half": "/hello%2", "percent-bad": "/hello%zz", "percent-nul": "/hel%00lo",
           "absolute-no-host": "http:///hello", "absolute-userinfo": "http://u@a/hello", "authority": "a:80", "empty-scheme": "://a/"}
    for name, target in bad.items():
        allowed = "200|400|404 ~" if name in ("caret", "backtick", "brace", "pipe", "percent-cut", "percent-half", "percent-bad",
                                              "percent-nul", "backslash", "absolute-userinfo") else "400 -"
        yield case(f"target-{name}", "9112 3.2", get(target=target), allowed)
    for name, target in {"dot-dot": "/../../etc/passwd", "encoded-dots": "/%2e%2e/%2e%2e/etc/passwd", "encoded-slash": "/..%2f..%2fetc",
                         "encoded-backslash": "/..%5c..%5cetc", "overlong": "/%c0%ae%c0%ae/etc/passwd", "double": "/%252e%252e/etc",
                         "nul": "/index.html%00.png", "dotfile": "/.git/config", "deep": "/a/b/../../../x", "dots": "/..."}.items():
        yield case(f"path-{name}", "3986 5.2.4", get(target=target), "400|403|404 ~")
    yield case("target-long", "9110 15.5.15", get(target="/" + "a" * 9000), "414 -")
    yield case("target-long-query", "9110 15.5.15", get(target="/hello?" + "a" * 9000), "414 -")
    yield case("target-endless", "9110 15.5.15", "GET /" + "a" * 100000, "414 -")
    yield case("target-just-short-enough", "9110 15.5.15", get(target="/hello?" + "a" * 8000), "200 +")


def fields():
    good = {"tab-in-value": "X: a\tb", "obs-text": "X: \xe9\xff", "empty-value": "X:", "only-spaces": "X:   ", "colons": "X: a:b:c",
            "token-name": "!#$%&'*+-.^_`|~09az: y", "no-space": "X:y", "trailing-spaces": "X: y  \t", "long": "X: " + "y" * 8000,
            "quotes": 'X: "a, b"', "many-cookies": "Cookie: a=b; c=d", "underscore": "X_Y: z"}
    for name, text in good.items():
        yield case(f"field-{name}", "9110 5.5", get(text), "200 +")
    bad = {"space-before-colon": "X : y", "tab-before-colon": "X\t: y", "no-colon": "Xy", "empty-name": ": y", "space-in-name": "X Y: z",
           "leading-space-first": " X: y", "folded": "X: a\r\n b", "folded-tab": "X: a\r\n\tb", "folded-empty": "X:\r\n ",
           "nul": "X: a\0b", "bell": "X: a\x07b", "escape": "X: \x1b[0m", "del": "X: a\x7fb", "vertical-tab": "X: a\x0bb",
           "form-feed": "X: a\x0cb", "cr": "X: a\rb", "lf": "X: a\nb", "lf-then-field": "X: a\nY: b", "cr-then-field": "X: a\rY: b",
           "lf-cr": "X: a\n\rY: b", "name-paren": "X(a): y", "name-at": "X@: y", "name-high": "X\xe9: y", "name-nul": "X\0: y",
           "name-quote": '"X": y', "name-slash": "X/Y: z", "name-brace": "{X}: y", "name-comma": "X,Y: z", "name-ctl": "X\x01: y",
           "cr-length": "X:\rContent-Length: 3", "only-colon": ":", "crcrlf": "X: y\r"}
    for name, text in bad.items():
        yield case(f"field-{name}", "9112 5", get(text), "400 -")
    yield case("field-fold-first", "9112 2.2", line("GET /hello HTTP/1.1", " X: y\r\nHost: a\r\n"), "400 -")
    yield case("field-lf-end", "9112 2.2", "GET /hello HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", "400 -")
    yield case("field-lf-last", "9112 2.2", "GET /hello HTTP/1.1\r\nHost: a\r\n\n", "400 -")
    yield case("field-cr-junk-end", "9112 2.2", "GET /hello HTTP/1.1\r\nHost: a\r\n\rx\r\n\r\n", "400 -")
    yield case("field-count-in-bounds", "6585 5", get(*["X: y"] * 90), "200 +")
    yield case("field-count-over", "6585 5", get(*["X: y"] * 120), "431 -")
    yield case("field-one-huge", "6585 5", get("X: " + "y" * 70000), "431 -")
    yield case("field-endless", "6585 5", "GET /hello HTTP/1.1\r\nX: " + "y" * 100000, "431 -")
    yield case("field-name-endless", "6585 5", "GET /hello HTTP/1.1\r\n" + "X" * 100000, "431 -")
    yield case("field-all-together-huge", "6585 5", get(*["X: " + "y" * 1000] * 80), "431 -")


def host():
    good = {"name": "a", "dots": "www.example.com", "port": "a:8080", "ipv4": "127.0.0.1", "ipv4-port": "127.0.0.1:80", "ipv6": "[::1]",
            "ipv6-port": "[::1]:80", "upper": "EXAMPLE.com", "dash": "a-b", "trailing-dot": "a.", "spaces-around": "  a  "}
    for name, value in good.items():
        yield case(f"host-{name}", "9110 7.2", get(f"Host: {value}", host=False), "200 +")
    yield case("host-absent", "9112 3.2", get(host=False), "400 -")
    yield case("host-absent-10", "9112 3.2", "GET /hello HTTP/1.0\r\n\r\n", "200 -")
    yield case("host-empty", "9112 3.2", get("Host:", host=False), "400 -")
    yield case("host-twice-same", "9112 3.2", get("Host: a"), "400 -")
    yield case("host-twice-different", "9112 3.2", get("Host: b"), "400 -")
    yield case("host-twice-case", "9112 3.2", get("X: y", "hOsT: b"), "400 -")
    bad = {"space": "a b", "slash": "a/b", "userinfo": "u@a", "question": "a?b", "hash": "a#b", "port-letters": "a:8o",
           "port-huge": "a:99999999", "two-ports": "a:80:80", "open-bracket": "[::1", "close-bracket": "::1]", "ipv6-bare": "::1",
           "bracket-name": "[abc]", "nul": "a\0", "tab-inside": "a\tb", "high": "a\xe9", "quote": '"a"', "backslash": "a\\b",
           "angle": "<a>", "percent-bad": "a%zz", "only-port": ":80", "url": "http://a/", "minus-port": "a:-1"}
    for name, value in bad.items():
        yield case(f"host-bad-{name}", "9112 3.2", get(f"Host: {value}", host=False), "400 -")
    yield case("host-comma", "9110 7.2", get("Host: a,b", host=False), "200|400 ~")  # a legal reg-name that looks like a list
    yield case("host-folded", "9112 5.2", get("Host:\r\n a", host=False), "400 -")
    yield case("host-space-before-colon", "9112 5.1", get("Host : a", host=False), "400 -")
    yield case("host-absolute-differs", "9112 3.2.2", line("GET http://b/hello HTTP/1.1"), "200|400|421 ~")


def cases():
    yield from request_line()
    yield from versions()
    yield from methods()
    yield from targets()
    yield from fields()
    yield from host()
