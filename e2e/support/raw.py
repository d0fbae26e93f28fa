"""HTTP/1 answers as they are on the wire, parsed strictly: a client that repairs nothing."""

from dataclasses import dataclass, field


class BadAnswer(Exception):
    """The server's bytes are not well-formed HTTP/1."""


@dataclass
class Answer:
    version: str
    status: int
    fields: list = field(default_factory=list)
    body: bytes = b""
    complete: bool = True
    trailers: list = field(default_factory=list)

    def get(self, name):
        """The value of a field, None when absent; repeated ones joined by a comma."""
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        return ", ".join(values) if values else None


def parse_fields(block):
    fields = []
    for line in block.split(b"\r\n") if block else []:
        name, colon, value = line.partition(b":")
        if not colon or not name or b" " in name or b"\n" in line or b"\r" in line:
            raise BadAnswer(f"field line {line!r}")
        fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return fields


def parse_chunked(data, position):
    body = b""
    while True:
        end = data.find(b"\r\n", position)
        if end < 0:
            return body, [], len(data), False
        size = int(data[position:end].split(b";")[0], 16)
        position = end + 2
        if size == 0:
            break
        if len(data) < position + size + 2:
            return body + data[position:position + size], [], len(data), False
        body += data[position:position + size]
        if data[position + size:position + size + 2] != b"\r\n":
            raise BadAnswer("chunk without its end")
        position += size + 2
    if data[position:position + 2] == b"\r\n":
        return body, [], position + 2, True
    end = data.find(b"\r\n\r\n", position)
    if end < 0:
        return body, [], len(data), False
    return body, parse_fields(data[position:end]), end + 4, True


def parse_one(data, position, bodiless, at_end):
    """One answer from `position`; None when its head is not complete."""
    end = data.find(b"\r\n\r\n", position)
    if end < 0:
        if at_end and position < len(data):
            raise BadAnswer(f"bytes that are no answer: {data[position:position + 80]!r}")
        return None, position
    status_line, _, block = data[position:end].partition(b"\r\n")
    parts = status_line.split(b" ", 2)
    if len(parts) < 3 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit() or len(parts[1]) != 3:
        raise BadAnswer(f"status line {status_line!r}")
    answer = Answer(parts[0].decode(), int(parts[1]), parse_fields(block))
    position = end + 4
    if bodiless or answer.status < 200 or answer.status in (204, 304):
        return answer, position
    if (answer.get("transfer-encoding") or "").lower() == "chunked":
        if answer.get("content-length") is not None:
            raise BadAnswer("both a length and chunks")
        answer.body, answer.trailers, position, answer.complete = parse_chunked(data, position)
        return answer, position
    length = answer.get("content-length")
    if length is None:
        answer.body, answer.complete = data[position:], at_end
        return answer, len(data)
    answer.body = data[position:position + int(length)]
    answer.complete = len(answer.body) == int(length)
    return answer, min(len(data), position + int(length))


def parse_answers(data, bodiless=(), at_end=True):
    """All answers in `data`; `bodiless` says of each final answer in turn whether it answered HEAD."""
    answers, position, finals = [], 0, 0
    while position < len(data):
        head = finals < len(bodiless) and bodiless[finals]
        answer, position = parse_one(data, position, head, at_end)
        if answer is None:
            break
        answers.append(answer)
        finals += answer.status >= 200
    return answers


def receive_until_closed(connection):
    """All bytes until the peer closes; a reset ends it too."""
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def receive_answers(connection, count, bodiless=()):
    """Reads until `count` complete answers have come (interim ones count), or the peer closed."""
    data = b""
    while True:
        answers = parse_answers(data, bodiless, at_end=False)
        if len(answers) >= count and answers[count - 1].complete:
            return answers
        chunk = connection.recv(65536)
        if not chunk:
            return parse_answers(data, bodiless, at_end=True)
        data += chunk


def exchange(connection, request, bodiless=()):
    """Sends `request`, returns the first final answer."""
    connection.sendall(request)
    return receive_answers(connection, 1, bodiless)[0]
