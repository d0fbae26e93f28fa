#include "net/tls_hooks.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "net/tls_transport.hpp"

namespace equinox::net {
namespace {

TlsHandshakeNotes* notes_of(const SSL* ssl) noexcept { return static_cast<TlsHandshakeNotes*>(SSL_get_app_data(ssl)); }

// RFC 6066 §3. A name no certificate covers gets the first certificate, or the alert where that is asked for.
int choose_certificate(SSL* ssl, int* alert, void* argument) noexcept {
  const auto& context = *static_cast<const TlsContext*>(argument);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  TlsHandshakeNotes* notes = notes_of(ssl);
  try {
    if (notes != nullptr) notes->server_name.assign(name, ::strnlen(name, 255));
  } catch (...) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  if (SSL_CTX* chosen = context.find(name)) {
    if (chosen != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, chosen);
    return SSL_TLSEXT_ERR_OK;
  }
  if (!context.is_strict()) return SSL_TLSEXT_ERR_NOACK;
  if (notes != nullptr) notes->sni_refused = true;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

constexpr std::size_t kHostNameMaxBytes = 255;

/// The host name of the hello's server_name extension; empty without one that can be read.
std::string_view asked_name(SSL* ssl) noexcept {
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) != 1) return {};
  constexpr std::size_t kNameAt = 5;  // size of the list, type and size of its first name
  if (size < kNameAt || extension[2] != TLSEXT_NAMETYPE_host_name) return {};
  const std::size_t name_size = static_cast<std::size_t>(extension[3]) << 8U | extension[4];
  if (name_size > kHostNameMaxBytes || name_size > size - kNameAt) return {};
  return {reinterpret_cast<const char*>(extension + kNameAt), name_size};
}

// RFC 6066 §3: a session must not be resumed under another name. Said before the library looks at tickets, which is
// before it looks at names.
int bind_sessions_to_name(SSL* ssl, int* alert, void*) noexcept {
  const std::string_view name = asked_name(ssl);
  if (name.empty()) return SSL_CLIENT_HELLO_SUCCESS;
  std::array<char, kHostNameMaxBytes> lower{};
  std::ranges::transform(name, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> digest{};
  static_assert(SSL_MAX_SID_CTX_LENGTH == 32, "SHA-256 fills it");
  if (EVP_Digest(lower.data(), name.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1 &&
      SSL_set_session_id_context(ssl, digest.data(), digest.size()) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

// Our preference decides. Nothing in common ends the handshake (RFC 7301 §3.2): guessing would let a request for
// another protocol be read as HTTP (ALPACA).
int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* argument) noexcept {
  static_cast<void>(ssl);
  const std::string_view ours = static_cast<const TlsContext*>(argument)->alpn_wire();
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                          static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool set_mac_key(EVP_MAC_CTX* mac, TlsTicketKeys::Key& key) noexcept {
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof key.mac),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 use, 2 use and renew, 0 unknown (full handshake), -1 failure.
int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int for_sealing) noexcept {
  const SSL_CTX* context = SSL_get_SSL_CTX(ssl);
  const auto* keys = static_cast<const TlsTicketKeys*>(SSL_CTX_get_app_data(context));
  if (keys == nullptr) return -1;
  TlsTicketKeys::Key key{};
  bool is_current = true;
  int verdict = -1;
  if (for_sealing != 0) {
    key = keys->current();
    std::memcpy(name, key.name, sizeof key.name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 && set_mac_key(mac, key) &&
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher, iv) == 1) {
      verdict = 1;
    }
  } else if (!keys->find(name, key, is_current)) {
    return 0;
  } else if (set_mac_key(mac, key) && EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher, iv) == 1) {
    // TLS 1.3 tickets are for one use: each resumption gets a new one.
    verdict = is_current && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
  }
  OPENSSL_cleanse(&key, sizeof key);
  return verdict;
}

// Fatal alerts, and what happens to an established connection: each step of a message of the handshake protocol (key
// update) and each warning (refused renegotiation).
void note_event(const SSL* ssl, int where, int value) noexcept {
  TlsHandshakeNotes* notes = notes_of(ssl);
  if (notes == nullptr) return;
  const bool is_alert = (where & SSL_CB_ALERT) != 0;
  if (is_alert && (value >> 8) == SSL3_AL_FATAL) notes->alert = static_cast<std::uint8_t>(value & 0xff);
  if (notes->is_established && (is_alert || (where & SSL_CB_LOOP) != 0)) ++notes->late_steps;
}

}  // namespace

void install_hooks(SSL_CTX* context, const TlsContext* owner) {
  // OpenSSL wants pointers to non-const; the callbacks only read.
  auto* argument = const_cast<TlsContext*>(owner);
  SSL_CTX_set_client_hello_cb(context, bind_sessions_to_name, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(context, argument);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, argument);
  SSL_CTX_set_info_callback(context, note_event);
  SSL_CTX_set_app_data(context, owner->ticket_keys().get());
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
}

}  // namespace equinox::net
