"""Certificates for one test run, made by the openssl command, and client contexts."""

import ssl
import subprocess


def make_certificate(folder, name="server", hosts=("localhost",), days=2):
    """A self-signed P-256 certificate; returns (certificate, key) paths."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    alternatives = ",".join([*(f"DNS:{host}" for host in hosts), "IP:127.0.0.1"])
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days),
         "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={alternatives}", "-keyout", str(key),
         "-out", str(certificate)],
        check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return certificate, key


def client_context(alpn=None, certificate=None):
    """Trusts `certificate`, or nobody in particular when it is None."""
    context = ssl.create_default_context(cafile=str(certificate) if certificate else None)
    context.check_hostname = False
    if certificate is None:
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
