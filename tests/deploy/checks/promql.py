"""Finds metric names and their label matchers in PromQL, without a full parser."""
import re

KEYWORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset",
            "inf", "nan"}
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")


def strip_strings(expression):
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)


def selectors(expression):
    """Yields (metric name, set of label names in its braces)."""
    text = GROUPING.sub(" ", strip_strings(expression))
    text = re.sub(r"\[[^\]]*\]", " ", text)
    for match in re.finditer(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\})?(\s*\()?", text):
        name, braces, call = match.groups()
        if call or name in KEYWORDS or name in ("le", "e"):
            continue
        yield name, set(re.findall(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)", braces or ""))


def grouping_labels(expression):
    labels = set()
    for match in GROUPING.finditer(strip_strings(expression)):
        labels |= {label.strip() for label in match.group(1).split(",") if label.strip()}
    return labels
