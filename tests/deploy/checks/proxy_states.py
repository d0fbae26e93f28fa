#!/usr/bin/python3
"""Prints backend,server,state of every server behind haproxy. proxy_states.py SOCKET"""
import csv
import socket
import sys


def main(path):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        peer.sendall(b"show stat\n")
        text = b""
        while chunk := peer.recv(65536):
            text += chunk
    for row in csv.DictReader(text.decode().lstrip("# ").splitlines()):
        if row["svname"] not in ("FRONTEND", "BACKEND"):
            print(f"{row['pxname']},{row['svname']},{row['status'].split()[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
