#include "net/tls_fixture.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "net/sockets.hpp"

namespace equinox::net {
namespace {

struct FileClose {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::unique_ptr<std::FILE, FileClose> open_to_write(const std::string& path) {
  std::unique_ptr<std::FILE, FileClose> file{std::fopen(path.c_str(), "w")};
  if (!file) throw std::runtime_error{path};
  return file;
}

void add_names(X509* certificate, const std::vector<std::string>& dns_names) {
  if (dns_names.empty()) return;
  std::string value;
  for (const std::string& name : dns_names) value += (value.empty() ? "DNS:" : ",DNS:") + name;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void note_alert(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL) {
    *static_cast<int*>(SSL_get_app_data(ssl)) = value & 0xff;
  }
}

}  // namespace

CertificateFolder::CertificateFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "equinox-tls-XXXXXX";
  folder_ = ::mkdtemp(pattern.data());
}

CertificateFolder::~CertificateFolder() { std::filesystem::remove_all(folder_); }

TlsCertificateFiles CertificateFolder::make(const std::string& name, const std::vector<std::string>& dns_names,
                                            int days) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x1234);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * days);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, subject);
  add_names(certificate, dns_names);
  X509_sign(certificate, key, EVP_sha256());
  TlsCertificateFiles files{name, path(name + ".crt"), path(name + ".key")};
  PEM_write_X509(open_to_write(files.certificate_path).get(), certificate);
  PEM_write_PrivateKey(open_to_write(files.key_path).get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

std::string CertificateFolder::write(const std::string& name, const std::string& content) {
  std::ofstream{path(name)} << content;
  return path(name);
}

std::string CertificateFolder::encrypt_key(const TlsCertificateFiles& files) {
  std::FILE* in = std::fopen(files.key_path.c_str(), "r");
  EVP_PKEY* key = PEM_read_PrivateKey(in, nullptr, nullptr, nullptr);
  std::fclose(in);
  char passphrase[] = "secret";
  const std::string out = path("encrypted.key");
  PEM_write_PKCS8PrivateKey(open_to_write(out).get(), key, EVP_aes_128_cbc(), passphrase, sizeof passphrase - 1,
                            nullptr, nullptr);
  EVP_PKEY_free(key);
  return out;
}

TlsClient::TlsClient(UniqueFd socket, const ClientOptions& options)
    : socket_{std::move(socket)}, context_{SSL_CTX_new(TLS_client_method())} {
  SSL_CTX_set_min_proto_version(context_, options.min_version);
  SSL_CTX_set_max_proto_version(context_, options.max_version);
  SSL_CTX_set_security_level(context_, 0);
  SSL_CTX_set_info_callback(context_, note_alert);
  if (!options.cipher_list.empty()) SSL_CTX_set_cipher_list(context_, options.cipher_list.c_str());
  ssl_ = SSL_new(context_);
  SSL_set_app_data(ssl_, &alert_);
  SSL_set_fd(ssl_, socket_.get());
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl_, options.server_name.c_str());
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  if (options.session != nullptr) SSL_set_session(ssl_, options.session);
  SSL_set_connect_state(ssl_);
}

TlsClient::~TlsClient() {
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // else its session would not be used again
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

int TlsClient::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return 1;
  const int reason = SSL_get_error(ssl_, result);
  return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

std::string TlsClient::read() {
  std::string out;
  std::array<char, 4096> chunk;
  while (true) {
    ERR_clear_error();
    const int count = SSL_read(ssl_, chunk.data(), static_cast<int>(chunk.size()));
    if (count <= 0) return out;
    out.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

bool TlsClient::write(std::string_view text) {
  ERR_clear_error();
  return SSL_write(ssl_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
}

std::string TlsClient::subject() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  char text[256]{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
  X509_free(certificate);
  return text;
}

TlsPair::TlsPair(std::shared_ptr<const TlsContext> context, const ClientOptions& options) {
  auto [ours, theirs] = socket_pair();
  server = std::make_unique<TlsTransport>(std::move(ours), std::move(context));
  client = std::make_unique<TlsClient>(std::move(theirs), options);
}

bool TlsPair::shake_hands() {
  for (int turn = 0; turn < 20; ++turn) {
    const int theirs = client->handshake();
    result = server->handshake();
    if (result.status == IoStatus::failed || result.status == IoStatus::closed) {
      static_cast<void>(client->handshake());  // so that it sees the alert
      return false;
    }
    if (result.status == IoStatus::ok && theirs == 1) return true;
  }
  return false;
}

std::shared_ptr<const TlsContext> load(TlsSettings settings) {
  auto loaded = TlsContext::load(settings);
  if (!loaded) throw std::runtime_error{loaded.error().text};
  return *std::move(loaded);
}

}  // namespace equinox::net
