#!/usr/bin/python3
"""Reads the output of `equinox token` and writes a tokens file: the entry it prints, in a list where one is needed."""
import json
import re
import sys


def main():
    text = sys.stdin.read()
    found = re.search(r"\{.*\}", text, re.S)
    entry = json.loads(found.group(0)) if found else {}
    json.dump(entry if "tokens" in entry else {"tokens": [entry]}, sys.stdout)


if __name__ == "__main__":
    main()
