"""The harness of the black-box tests: it talks to a running server over sockets and includes no header."""
