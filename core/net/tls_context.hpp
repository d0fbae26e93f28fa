#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

struct ssl_ctx_st;  // SSL_CTX, so that OpenSSL's headers stay out of here

namespace equinox::net {

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

struct TlsCertificateFiles {
  std::string name;              ///< as in metrics, log and dashboard
  std::string certificate_path;  ///< PEM, leaf first, then its chain
  std::string key_path;          ///< PEM, without passphrase
};

/// Keys of session tickets (RFC 5077, RFC 8446 §4.6.1). Shared by successive contexts, so that sessions survive a
/// reload. A key seals tickets for one period and opens them for one more: then it is gone, and with it what recorded
/// tickets could tell. Thread-safe.
class TlsTicketKeys {
 public:
  static constexpr Duration kPeriod = std::chrono::hours{12};

  struct Key {
    unsigned char name[16];
    unsigned char cipher[32];
    unsigned char mac[32];
  };
  TlsTicketKeys();
  ~TlsTicketKeys();
  TlsTicketKeys(const TlsTicketKeys&) = delete;
  TlsTicketKeys& operator=(const TlsTicketKeys&) = delete;

  /// Makes a new key; tickets of the one before are still accepted (and renewed), older ones are not.
  void rotate();
  /// rotate() when the current key's period is over; the first call begins the first one. Whoever calls it does so
  /// often, measured by the period.
  void rotate_if_due(TimePoint now);
  [[nodiscard]] Key current() const;
  /// False when `name` is neither the current nor the previous key.
  bool find(const unsigned char* name, Key& key, bool& is_current) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class TlsContext;

struct TlsSettings {
  std::vector<TlsCertificateFiles> certificates{};  ///< chosen by SNI; the first is the default
  bool self_signed{false};  ///< without certificates: one made in memory for localhost, 127.0.0.1 and ::1
  std::shared_ptr<const TlsContext> self_signed_from{};  ///< its certificate made in memory, if it has one, is taken
  TlsVersion min_version{TlsVersion::v1_2};
  bool alpn_h2{true};
  bool strict_sni{false};       ///< an unknown server name is refused with unrecognized_name (RFC 6066 §3)
  std::string cipher_list{};    ///< TLS 1.2, OpenSSL's syntax; empty: ECDHE with AEAD only
  std::string cipher_suites{};  ///< TLS 1.3; empty: OpenSSL's
  std::shared_ptr<TlsTicketKeys> ticket_keys{};  ///< empty: new ones. Pass context->ticket_keys() on reload
};

/// What of the settings is at fault.
enum class TlsPart : std::uint8_t { other, ciphers, certificate, key };

struct TlsLoadError {
  Errc code{Errc::tls_configuration};
  TlsPart part{TlsPart::other};
  std::string text;  ///< names the file and the cause: "certificate \"main\": tls.key: does not belong to tls.crt"
};

struct TlsCertificateFacts {
  std::string name;
  std::string subject;  ///< RFC 2253 text
  std::string issuer;
  std::string serial;              ///< hexadecimal
  std::string key;                 ///< "RSA 2048", "EC P-256", "ED25519"
  std::vector<std::string> names;  ///< DNS names it covers, lower case; may begin with "*."
  std::chrono::system_clock::time_point not_before{};
  std::chrono::system_clock::time_point not_after{};
};

/// Certificates and rules of a TLS listener: an immutable snapshot shared by its connections. A reload makes a new one.
/// Thread-safe.
class TlsContext {
 public:
  struct Entry;
  using LoadResult = tl::expected<std::shared_ptr<const TlsContext>, TlsLoadError>;

  [[nodiscard]] static LoadResult load(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] const std::vector<TlsCertificateFacts>& certificates() const noexcept { return facts_; }
  [[nodiscard]] const std::shared_ptr<TlsTicketKeys>& ticket_keys() const noexcept { return ticket_keys_; }
  /// True when a certificate covers `server_name` (any case, one label under a wildcard).
  [[nodiscard]] bool covers(std::string_view server_name) const noexcept { return find(server_name) != nullptr; }

  /// For TlsTransport.
  [[nodiscard]] ssl_ctx_st* native() const noexcept;
  /// The context of the certificate for this name; null when none covers it.
  [[nodiscard]] ssl_ctx_st* find(std::string_view server_name) const noexcept;
  /// The configured name of the certificate that a context of ours presents; empty for another's.
  [[nodiscard]] std::string_view certificate_of(const ssl_ctx_st* context) const noexcept;
  /// The configured name of the certificate for this server name; empty when none covers it.
  [[nodiscard]] std::string_view certificate_for(std::string_view server_name) const noexcept {
    const ssl_ctx_st* found = find(server_name);
    return found == nullptr ? std::string_view{} : certificate_of(found);
  }
  [[nodiscard]] bool is_strict() const noexcept { return strict_sni_; }
  /// Protocols offered by ALPN in order of preference, in wire format (RFC 7301 §3.1).
  [[nodiscard]] std::string_view alpn_wire() const noexcept { return alpn_wire_; }

 private:
  TlsContext();

  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<TlsCertificateFacts> facts_;
  std::shared_ptr<TlsTicketKeys> ticket_keys_;
  std::string alpn_wire_;
  bool strict_sni_{false};
  bool is_self_signed_{false};
};

}  // namespace equinox::net
