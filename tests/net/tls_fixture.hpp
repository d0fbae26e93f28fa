#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "net/tls_context.hpp"
#include "net/tls_transport.hpp"

namespace equinox::net {

/// Certificate and key files that live as long as the folder.
class CertificateFolder {
 public:
  CertificateFolder();
  ~CertificateFolder();
  CertificateFolder(const CertificateFolder&) = delete;
  CertificateFolder& operator=(const CertificateFolder&) = delete;

  /// Makes NAME.crt and NAME.key: self-signed, for these DNS names, valid for `days` from now.
  TlsCertificateFiles make(const std::string& name, const std::vector<std::string>& dns_names, int days = 30);
  /// Makes a file with this content.
  std::string write(const std::string& name, const std::string& content);
  /// The key encrypted with a passphrase.
  std::string encrypt_key(const TlsCertificateFiles& files);
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

struct ClientOptions {
  std::string server_name{};
  std::string alpn{};  ///< wire format
  int min_version{TLS1_2_VERSION};
  int max_version{TLS1_3_VERSION};
  std::string cipher_list{};
  SSL_SESSION* session{nullptr};
};

/// The other end: OpenSSL's own client on a non-blocking socket.
class TlsClient {
 public:
  TlsClient(UniqueFd socket, const ClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// One step; 1 done, 0 goes on, -1 failed.
  int handshake();
  std::string read();                 ///< everything there is now
  bool write(std::string_view text);  ///< whole or not at all
  void close_notify() { SSL_shutdown(ssl_); }
  [[nodiscard]] bool saw_close_notify() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  [[nodiscard]] int received_alert() const { return alert_; }
  [[nodiscard]] std::string subject() const;  ///< of the server's certificate
  [[nodiscard]] SSL_SESSION* session() const { return SSL_get1_session(ssl_); }
  [[nodiscard]] SSL* native() const { return ssl_; }
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  void close() { socket_.reset(); }

 private:
  UniqueFd socket_;
  SSL_CTX* context_{nullptr};
  SSL* ssl_{nullptr};
  int alert_{0};
};

/// A server transport and a client on two connected sockets.
struct TlsPair {
  std::unique_ptr<TlsTransport> server;
  std::unique_ptr<TlsClient> client;
  IoResult result{};  ///< of the last server step

  TlsPair(std::shared_ptr<const TlsContext> context, const ClientOptions& options = {});
  /// Lets both sides take turns until both are done or the server is.
  bool shake_hands();
};

/// A context that must load.
std::shared_ptr<const TlsContext> load(TlsSettings settings);

inline constexpr char kAlpnBoth[] = "\x02h2\x08http/1.1";

}  // namespace equinox::net
