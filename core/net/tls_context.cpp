#include "net/tls_context.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "net/tls_certificate.hpp"
#include "net/tls_hooks.hpp"

namespace equinox::net {
namespace {

constexpr char kDefaultCipherList[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr char kDefaultGroups[] = "X25519:P-256:P-384";
// Sessions of one listener resume on every certificate of it and after a reload.
constexpr unsigned char kSessionIdContext[] = "equinox";

tl::unexpected<TlsLoadError> problem(std::string text) {
  return tl::unexpected<TlsLoadError>{TlsLoadError{.text = std::move(text)}};
}

std::string alpn_wire_of(const TlsSettings& settings) {
  return settings.alpn_h2 ? "\x02h2\x08http/1.1" : "\x08http/1.1";
}

bool make_key(TlsTicketKeys::Key& key) {
  return RAND_bytes(key.name, sizeof key.name) == 1 && RAND_priv_bytes(key.cipher, sizeof key.cipher) == 1 &&
         RAND_priv_bytes(key.mac, sizeof key.mac) == 1;
}

// Rules that do not depend on the certificate. Nothing, or what is wrong.
std::optional<TlsLoadError> apply_rules(SSL_CTX* context, const TlsSettings& settings) {
  SSL_CTX_set_min_proto_version(context, settings.min_version == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);  // a read looks at what is unsent before each message
  SSL_CTX_set_read_ahead(context, 1);                // one recv for what has come, instead of two for each record
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets resume, and are kept by those they are for
  SSL_CTX_set_session_id_context(context, kSessionIdContext, sizeof kSessionIdContext - 1);
  ERR_clear_error();
  const std::string& list = settings.cipher_list;
  if (SSL_CTX_set_cipher_list(context, list.empty() ? kDefaultCipherList : list.c_str()) != 1) {
    return TlsLoadError{.part = TlsPart::ciphers, .text = "cipher list \"" + list + "\": " + take_openssl_error()};
  }
  const std::string& suites = settings.cipher_suites;
  if (!suites.empty() && SSL_CTX_set_ciphersuites(context, suites.c_str()) != 1) {
    return TlsLoadError{.part = TlsPart::ciphers, .text = "cipher suites \"" + suites + "\": " + take_openssl_error()};
  }
  if (SSL_CTX_set1_groups_list(context, kDefaultGroups) != 1) {
    return TlsLoadError{.text = "key exchange groups: " + take_openssl_error()};
  }
  return std::nullopt;
}

std::optional<TlsLoadError> install_self_signed(SSL_CTX* context, const SSL_CTX* from) {
  SelfSigned made;
  if (from == nullptr) made = make_self_signed();
  X509* certificate = from == nullptr ? made.certificate.get() : SSL_CTX_get0_certificate(from);
  EVP_PKEY* key = from == nullptr ? made.key.get() : SSL_CTX_get0_privatekey(from);
  if (certificate != nullptr && SSL_CTX_use_certificate(context, certificate) == 1 &&
      SSL_CTX_use_PrivateKey(context, key) == 1) {
    return std::nullopt;
  }
  return TlsLoadError{.text = "self-signed certificate: " + take_openssl_error()};
}

}  // namespace

struct TlsContext::Entry {
  SslContextPointer context;
  std::vector<std::string> names;
};

struct TlsTicketKeys::State {
  mutable std::mutex mutex;
  Key current{};
  Key previous{};
  bool has_previous{false};
  TimePoint due{kNever};  // the end of the current key's period

  // False, and nothing has changed, when there are no random bytes.
  bool rotate() {
    Key fresh{};
    const bool is_made = make_key(fresh);
    if (is_made) {
      previous = std::exchange(current, fresh);
      has_previous = true;
    } else {
      ERR_clear_error();
    }
    OPENSSL_cleanse(&fresh, sizeof fresh);
    return is_made;
  }
};

TlsTicketKeys::TlsTicketKeys() : state_{std::make_unique<State>()} {
  if (!make_key(state_->current)) throw std::runtime_error{"no random bytes for a TLS ticket key"};
}

TlsTicketKeys::~TlsTicketKeys() {
  OPENSSL_cleanse(&state_->current, sizeof(Key));
  OPENSSL_cleanse(&state_->previous, sizeof(Key));
}

void TlsTicketKeys::rotate() {
  const std::lock_guard lock{state_->mutex};
  state_->rotate();
}

void TlsTicketKeys::rotate_if_due(TimePoint now) {
  const std::lock_guard lock{state_->mutex};
  TimePoint& due = state_->due;
  if (due == kNever) due = now + kPeriod;
  if (now < due || !state_->rotate()) return;
  // Looked at a whole period late: the key that has just become the previous one is too old for that as well.
  if (now >= due + kPeriod && !state_->rotate()) return;
  due = now + kPeriod;
}

TlsTicketKeys::Key TlsTicketKeys::current() const {
  const std::lock_guard lock{state_->mutex};
  return state_->current;
}

bool TlsTicketKeys::find(const unsigned char* name, Key& key, bool& is_current) const {
  const std::lock_guard lock{state_->mutex};
  is_current = std::memcmp(name, state_->current.name, sizeof key.name) == 0;
  if (is_current) {
    key = state_->current;
    return true;
  }
  if (!state_->has_previous || std::memcmp(name, state_->previous.name, sizeof key.name) != 0) return false;
  key = state_->previous;
  return true;
}

TlsContext::TlsContext() = default;
TlsContext::~TlsContext() = default;

TlsContext::LoadResult TlsContext::load(const TlsSettings& settings) {
  std::vector<TlsCertificateFiles> wanted = settings.certificates;
  const bool is_self_signed = wanted.empty() && settings.self_signed;
  if (is_self_signed) wanted.push_back({"self-signed", "", ""});
  if (wanted.empty()) return problem("no certificate");
  std::shared_ptr<TlsContext> made{new TlsContext};
  made->alpn_wire_ = alpn_wire_of(settings);
  made->strict_sni_ = settings.strict_sni;
  made->is_self_signed_ = is_self_signed;
  made->ticket_keys_ = settings.ticket_keys ? settings.ticket_keys : std::make_shared<TlsTicketKeys>();
  const TlsContext* before = settings.self_signed_from.get();
  const SSL_CTX* self_signed = before != nullptr && before->is_self_signed_ ? before->native() : nullptr;
  for (const TlsCertificateFiles& files : wanted) {
    SslContextPointer context{SSL_CTX_new(TLS_server_method())};
    if (!context) return problem("OpenSSL: " + take_openssl_error());
    if (auto wrong = apply_rules(context.get(), settings)) return tl::unexpected{std::move(*wrong)};
    auto wrong =
        is_self_signed ? install_self_signed(context.get(), self_signed) : install_certificate(context.get(), files);
    if (wrong) {
      wrong->text = "certificate \"" + files.name + "\": " + wrong->text;
      return tl::unexpected{std::move(*wrong)};
    }
    install_hooks(context.get(), made.get());
    TlsCertificateFacts facts = describe_certificate(SSL_CTX_get0_certificate(context.get()));
    facts.name = files.name;
    made->entries_.push_back(std::make_unique<Entry>(Entry{std::move(context), facts.names}));
    made->facts_.push_back(std::move(facts));
  }
  return std::shared_ptr<const TlsContext>{std::move(made)};
}

ssl_ctx_st* TlsContext::native() const noexcept { return entries_.front()->context.get(); }

std::string_view TlsContext::certificate_of(const ssl_ctx_st* context) const noexcept {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i]->context.get() == context) return facts_[i].name;
  }
  return {};
}

ssl_ctx_st* TlsContext::find(std::string_view server_name) const noexcept {
  std::array<char, 256> lower;
  if (server_name.ends_with('.')) server_name.remove_suffix(1);
  if (server_name.empty() || server_name.size() > lower.size()) return nullptr;
  std::transform(server_name.begin(), server_name.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view name{lower.data(), server_name.size()};
  SSL_CTX* by_wildcard = nullptr;
  for (const auto& entry : entries_) {
    for (const std::string& pattern : entry->names) {
      if (pattern == name) return entry->context.get();
      if (by_wildcard == nullptr && covers_name(pattern, name)) by_wildcard = entry->context.get();
    }
  }
  return by_wildcard;
}

}  // namespace equinox::net
