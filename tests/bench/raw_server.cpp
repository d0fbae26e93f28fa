// The ceiling: what the kernel (and libcrypto) alone cost. One thread, edge-triggered epoll, one canned answer for
// every complete head, nothing parsed, nothing limited, nothing observed. Socket options are those of Equinox.
//
//   raw_server PORT [--tls CERT KEY] [--body BYTES | --file PATH] [--close]

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Options {
  std::uint16_t port{0};
  std::string certificate;
  std::string key;
  std::string file;
  std::size_t body_bytes{0};
  bool closes{false};
};

struct Peer {
  int fd{-1};
  SSL* tls{nullptr};
  unsigned matched{0};       ///< how much of CR LF CR LF has been seen at the end of what was read
  std::string unsent;        ///< canned bytes that the socket did not take
  off_t file_left{0};        ///< bytes of the file that still have to leave
  std::size_t files_due{0};  ///< whole answers behind the one that is leaving
  bool shaking{false};
};

class RawServer {
 public:
  explicit RawServer(const Options& options) : options_{options} { prepare_answer(); }

  int run() {
    if (!options_.certificate.empty() && !prepare_tls()) return 1;
    if (!listen_on_port()) return 1;
    std::array<epoll_event, 256> ready{};
    for (;;) {
      const int count = epoll_wait(poller_, ready.data(), static_cast<int>(ready.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* peer = static_cast<Peer*>(ready[static_cast<std::size_t>(i)].data.ptr);
        if (peer == nullptr) {
          accept_all();
        } else if (!serve(*peer)) {
          drop(peer);
        }
      }
    }
  }

 private:
  void prepare_answer() {
    std::string body = "{\"status\":\"ok\"}";
    std::size_t length = body.size();
    if (options_.body_bytes > 0) body.assign(options_.body_bytes, 'x'), length = body.size();
    if (!options_.file.empty()) {
      file_ = open(options_.file.c_str(), O_RDONLY | O_CLOEXEC);
      struct stat facts {};
      if (file_ < 0 || fstat(file_, &facts) != 0) std::perror("raw_server: file"), std::exit(1);
      file_bytes_ = facts.st_size;
      length = static_cast<std::size_t>(file_bytes_);
      body.clear();
    }
    answer_ =
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(length) + (options_.closes ? "\r\nConnection: close" : "") + "\r\n\r\n" + body;
  }

  bool prepare_tls() {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context_,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(context_, choose_protocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context_, options_.certificate.c_str()) == 1 &&
        SSL_CTX_use_PrivateKey_file(context_, options_.key.c_str(), SSL_FILETYPE_PEM) == 1) {
      return true;
    }
    ERR_print_errors_fp(stderr);
    return false;
  }

  static int choose_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char*, unsigned,
                             void*) {
    *out = reinterpret_cast<const unsigned char*>("http/1.1");
    *length = 8;
    return SSL_TLSEXT_ERR_OK;
  }

  bool listen_on_port() {
    poller_ = epoll_create1(EPOLL_CLOEXEC);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 4096) != 0) {
      std::perror("raw_server: listen");
      return false;
    }
    epoll_event interest{};
    interest.events = EPOLLIN | EPOLLET;
    return epoll_ctl(poller_, EPOLL_CTL_ADD, listener_, &interest) == 0;
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto peer = std::make_unique<Peer>();
      peer->fd = fd;
      if (context_ != nullptr) {
        peer->tls = SSL_new(context_);
        SSL_set_fd(peer->tls, fd);
        SSL_set_accept_state(peer->tls);
        peer->shaking = true;
      }
      epoll_event interest{};
      interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
      interest.data.ptr = peer.get();
      epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &interest);
      static_cast<void>(peer.release());  // owned by the kernel's event from here to drop()
    }
  }

  ssize_t read_some(Peer& peer) {
    if (peer.tls == nullptr) return read(peer.fd, buffer_.data(), buffer_.size());
    ERR_clear_error();
    const int count = SSL_read(peer.tls, buffer_.data(), static_cast<int>(buffer_.size()));
    if (count > 0) return count;
    const int why = SSL_get_error(peer.tls, count);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }

  ssize_t write_some(Peer& peer, std::string_view bytes) {
    if (peer.tls == nullptr) return send(peer.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ERR_clear_error();
    const int count = SSL_write(peer.tls, bytes.data(), static_cast<int>(bytes.size()));
    if (count > 0) return count;
    const int why = SSL_get_error(peer.tls, count);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
  }

  /// @return false when the peer is finished
  bool serve(Peer& peer) {
    if (peer.shaking && !shake(peer)) return errno == EAGAIN;
    if (!flush(peer)) return errno == EAGAIN;
    for (;;) {
      const ssize_t count = read_some(peer);
      if (count == 0) return false;
      if (count < 0) return errno == EAGAIN;
      const std::size_t heads = count_heads(peer, {buffer_.data(), static_cast<std::size_t>(count)});
      if (heads > 0 && !answer(peer, heads)) return errno == EAGAIN;
      if (heads > 0 && options_.closes) return false;
      if (peer.tls == nullptr && static_cast<std::size_t>(count) < buffer_.size()) return true;
    }
  }

  static bool shake(Peer& peer) {
    ERR_clear_error();
    const int done = SSL_do_handshake(peer.tls);
    if (done == 1) {
      peer.shaking = false;
      return true;
    }
    const int why = SSL_get_error(peer.tls, done);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return false;
  }

  static std::size_t count_heads(Peer& peer, std::string_view bytes) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    std::size_t heads = 0;
    if (peer.matched == 0) {  // the usual case: whole heads, found without looking at each byte
      std::size_t at = 0;
      for (std::size_t end = bytes.find(kEnd); end != std::string_view::npos; end = bytes.find(kEnd, at)) {
        at = end + kEnd.size();
        ++heads;
      }
      bytes.remove_prefix(at);
    }
    for (const char c : bytes) {
      if (c == kEnd[peer.matched]) {
        if (++peer.matched == kEnd.size()) peer.matched = 0, ++heads;
      } else {
        peer.matched = c == '\r' ? 1 : 0;
      }
    }
    return heads;
  }

  bool answer(Peer& peer, std::size_t heads) {
    if (file_ >= 0) {
      peer.files_due += heads;
      return flush(peer);
    }
    std::string_view bytes = answer_;
    if (heads > 1) {
      batch_.clear();
      for (std::size_t i = 0; i < heads; ++i) batch_ += answer_;
      bytes = batch_;
    }
    const ssize_t sent = peer.unsent.empty() ? write_some(peer, bytes) : 0;
    if (sent < 0 && errno != EAGAIN) return false;
    peer.unsent.append(bytes.substr(static_cast<std::size_t>(sent < 0 ? 0 : sent)));
    return true;
  }

  bool flush(Peer& peer) {
    for (;;) {
      while (!peer.unsent.empty()) {
        const ssize_t sent = write_some(peer, peer.unsent);
        if (sent < 0) return false;
        peer.unsent.erase(0, static_cast<std::size_t>(sent));
      }
      while (peer.file_left > 0) {
        if (!send_file_part(peer)) return false;
      }
      if (peer.files_due == 0) return true;
      --peer.files_due;
      peer.unsent = answer_;
      peer.file_left = file_bytes_;
    }
  }

  bool send_file_part(Peer& peer) {
    off_t from = file_bytes_ - peer.file_left;
    if (peer.tls == nullptr) {
      const ssize_t sent = sendfile(peer.fd, file_, &from, static_cast<std::size_t>(peer.file_left));
      if (sent <= 0) return false;
      peer.file_left -= sent;
      return true;
    }
    const ssize_t count =
        pread(file_, buffer_.data(), std::min<std::size_t>(16384, static_cast<std::size_t>(peer.file_left)), from);
    if (count <= 0) return false;
    const ssize_t sent = write_some(peer, {buffer_.data(), static_cast<std::size_t>(count)});
    if (sent < 0) return false;
    peer.file_left -= sent;
    return true;
  }

  static void drop(Peer* peer) {
    if (peer->tls != nullptr) {
      SSL_shutdown(peer->tls);
      SSL_free(peer->tls);
    }
    close(peer->fd);
    delete peer;
  }

  Options options_;
  std::string answer_;
  std::string batch_;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
  SSL_CTX* context_{nullptr};
  int poller_{-1};
  int listener_{-1};
  int file_{-1};
  off_t file_bytes_{0};
};

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const int left = argc - i - 1;
    if (word == "--tls" && left >= 2) {
      options.certificate = argv[++i];
      options.key = argv[++i];
    } else if (word == "--body" && left >= 1) {
      options.body_bytes = std::strtoul(argv[++i], nullptr, 10);
    } else if (word == "--file" && left >= 1) {
      options.file = argv[++i];
    } else if (word == "--close") {
      options.closes = true;
    } else {
      options.port = static_cast<std::uint16_t>(std::strtoul(argv[i], nullptr, 10));
    }
  }
  return options.port != 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  if (!read_options(argc, argv, options)) {
    std::fputs("usage: raw_server PORT [--tls CERT KEY] [--body BYTES | --file PATH] [--close]\n", stderr);
    return 2;
  }
  return RawServer{options}.run();
}
