#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls_context.hpp"

namespace equinox::net {

struct OpensslFree {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using SslContextPointer = std::unique_ptr<SSL_CTX, OpensslFree>;
using CertificatePointer = std::unique_ptr<X509, OpensslFree>;
using KeyPointer = std::unique_ptr<EVP_PKEY, OpensslFree>;

/// "No such file or directory", "bad password read" …: the oldest entry of OpenSSL's error queue, which is emptied.
std::string take_openssl_error();

/// Puts chain and key of `files` into `context` and checks that they belong together.
/// @return nothing, or which of the two is at fault with "path: what is wrong"
std::optional<TlsLoadError> install_certificate(SSL_CTX* context, const TlsCertificateFiles& files);

struct SelfSigned {
  CertificatePointer certificate;
  KeyPointer key;
};
/// ECDSA P-256 for localhost, 127.0.0.1 and ::1, valid for 30 days from now. Null members when OpenSSL fails.
SelfSigned make_self_signed();

/// What people want to know of a certificate; `name` is left empty.
TlsCertificateFacts describe_certificate(X509* certificate);

/// True when `pattern` ("example.com", "*.example.com") covers `name`; both lower case. A wildcard stands for one whole
/// first label (RFC 6125 §6.4.3).
bool covers_name(std::string_view pattern, std::string_view name) noexcept;

}  // namespace equinox::net
