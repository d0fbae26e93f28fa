#include "net/tls_certificate.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

namespace equinox::net {
namespace {

constexpr long kSelfSignedSeconds = 30L * 24 * 60 * 60;

std::string text_of(const X509_NAME* name) {
  BIO* memory = BIO_new(BIO_s_mem());
  if (memory == nullptr) return {};
  X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string out{data, static_cast<std::size_t>(std::max(size, 0L))};
  BIO_free(memory);
  return out;
}

std::chrono::system_clock::time_point moment_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string serial_of(X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  if (number == nullptr) return {};
  char* text = BN_bn2hex(number);
  std::string out{text != nullptr ? text : ""};
  OPENSSL_free(text);
  BN_free(number);
  return out;
}

/// As people name it: OpenSSL says prime256v1 where NIST, and everybody since, says P-256.
std::string key_of(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return {};
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return "RSA " + std::to_string(EVP_PKEY_get_bits(key));
    case EVP_PKEY_RSA_PSS: return "RSA-PSS " + std::to_string(EVP_PKEY_get_bits(key));
    case EVP_PKEY_EC: {
      std::array<char, 64> group{};
      std::size_t size = 0;
      if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return "EC";
      const std::string name{group.data(), size};
      const char* nist = EC_curve_nid2nist(OBJ_sn2nid(name.c_str()));
      return "EC " + (nist != nullptr ? std::string{nist} : name);
    }
    default: {
      const char* name = EVP_PKEY_get0_type_name(key);
      return name != nullptr ? name : "";
    }
  }
}

void append_lower(std::vector<std::string>& names, const ASN1_STRING* text) {
  const unsigned char* data = ASN1_STRING_get0_data(text);
  std::string name{reinterpret_cast<const char*>(data), static_cast<std::size_t>(ASN1_STRING_length(text))};
  // An embedded NUL would let "good.example\0.evil.example" pass for the first half.
  if (name.empty() || name.find('\0') != std::string::npos) return;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  names.push_back(std::move(name));
}

// DNS names of the certificate; its common name only when there is no subjectAltName (RFC 6125 §6.4.4).
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (alternatives != nullptr) {
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
      const GENERAL_NAME* alternative = sk_GENERAL_NAME_value(alternatives, i);
      if (alternative->type == GEN_DNS) append_lower(names, alternative->d.dNSName);
    }
    GENERAL_NAMES_free(alternatives);
    return names;
  }
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index >= 0) append_lower(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  return names;
}

bool add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return false;
  const bool is_added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return is_added;
}

bool fill(X509* certificate, EVP_PKEY* key) {
  BIGNUM* serial = BN_new();
  const bool has_serial = serial != nullptr && BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                          BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(serial);
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* common_name = reinterpret_cast<const unsigned char*>("localhost");
  return has_serial && X509_set_version(certificate, 2) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -300) != nullptr &&  // clocks differ
         X509_gmtime_adj(X509_getm_notAfter(certificate), kSelfSignedSeconds) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 &&
         add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") && X509_sign(certificate, key, EVP_sha256()) > 0;
}

// An encrypted key must be an error, not a question on the terminal.
int refuse_passphrase(char* buffer, int size, int for_writing, void* argument) noexcept {
  static_cast<void>(buffer);
  static_cast<void>(size);
  static_cast<void>(for_writing);
  *static_cast<bool*>(argument) = true;
  return -1;
}

}  // namespace

std::string take_openssl_error() {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
  std::string out = "unknown error";
  if (code != 0 && ERR_SYSTEM_ERROR(code)) {
    out = std::strerror(static_cast<int>(ERR_GET_REASON(code)));
  } else if (const char* reason = ERR_reason_error_string(code); reason != nullptr) {
    out = reason;
  }
  ERR_clear_error();
  return out;
}

std::optional<TlsLoadError> install_certificate(SSL_CTX* context, const TlsCertificateFiles& files) {
  ERR_clear_error();
  bool has_passphrase = false;
  SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &has_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_path.c_str()) != 1) {
    return TlsLoadError{.part = TlsPart::certificate, .text = files.certificate_path + ": " + take_openssl_error()};
  }
  // A key of another type than the certificate's, or of another certificate, is refused right here.
  const bool has_key = SSL_CTX_use_PrivateKey_file(context, files.key_path.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  const auto wrong_key = [&](const std::string& cause) {
    return TlsLoadError{.part = TlsPart::key, .text = files.key_path + ": " + cause};
  };
  if (!has_key && has_passphrase) return wrong_key("is protected by a passphrase");
  if (!has_key || SSL_CTX_check_private_key(context) != 1) {
    const unsigned long code = ERR_peek_error();
    const bool is_foreign = ERR_GET_LIB(code) == ERR_LIB_X509;
    const std::string cause = take_openssl_error();
    return wrong_key(is_foreign ? "does not belong to " + files.certificate_path + " (" + cause + ")" : cause);
  }
  return std::nullopt;
}

SelfSigned make_self_signed() {
  SelfSigned made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  if (!made.key || !made.certificate || !fill(made.certificate.get(), made.key.get())) return {};
  return made;
}

TlsCertificateFacts describe_certificate(X509* certificate) {
  TlsCertificateFacts facts;
  facts.subject = text_of(X509_get_subject_name(certificate));
  facts.issuer = text_of(X509_get_issuer_name(certificate));
  facts.serial = serial_of(certificate);
  facts.key = key_of(certificate);
  facts.names = names_of(certificate);
  facts.not_before = moment_of(X509_get0_notBefore(certificate));
  facts.not_after = moment_of(X509_get0_notAfter(certificate));
  return facts;
}

bool covers_name(std::string_view pattern, std::string_view name) noexcept {
  if (pattern == name) return true;
  if (!pattern.starts_with("*.") || pattern.size() < 3) return false;
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && dot != 0 && name.substr(dot) == pattern.substr(1);
}

}  // namespace equinox::net
