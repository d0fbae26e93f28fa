#include "peer_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace bench {

PeerConnection::PeerConnection(PeerConnection&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, tls_{std::exchange(other.tls_, nullptr)}, would_block_{other.would_block_} {}

PeerConnection& PeerConnection::operator=(PeerConnection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(tls_, other.tls_);
  would_block_ = other.would_block_;
  return *this;
}

bool PeerConnection::open(std::uint16_t port, SSL_CTX* context) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    close();
    return false;
  }
  if (context != nullptr) {
    tls_ = SSL_new(context);
    SSL_set_fd(tls_, fd_);
    SSL_set_connect_state(tls_);
  }
  return true;
}

void PeerConnection::close(bool resets) {
  if (tls_ != nullptr) SSL_free(std::exchange(tls_, nullptr));
  if (fd_ < 0) return;
  if (resets) {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::close(std::exchange(fd_, -1));
}

bool PeerConnection::note(int result) {
  const int why = SSL_get_error(tls_, result);
  would_block_ = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  return would_block_;
}

bool PeerConnection::handshake() {
  if (tls_ == nullptr || SSL_is_init_finished(tls_) != 0) return true;
  ERR_clear_error();
  const int done = SSL_do_handshake(tls_);
  if (done == 1) return true;
  note(done);
  return false;
}

long PeerConnection::write(std::string_view bytes) {
  if (tls_ == nullptr) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    return errno == EAGAIN ? 0 : -1;
  }
  ERR_clear_error();
  const int sent = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
  if (sent > 0) return sent;
  return note(sent) ? 0 : -1;
}

long PeerConnection::read(char* into, std::size_t size) {
  if (tls_ == nullptr) {
    const ssize_t count = recv(fd_, into, size, 0);
    would_block_ = count < 0 && errno == EAGAIN;
    return count;
  }
  ERR_clear_error();
  const int count = SSL_read(tls_, into, static_cast<int>(size));
  if (count > 0) return count;
  if (SSL_get_error(tls_, count) == SSL_ERROR_ZERO_RETURN) return 0;
  note(count);
  return -1;
}

std::size_t AnswerCounter::receive(std::string_view bytes) {
  std::size_t finished = 0;
  while (!bytes.empty()) {
    if (body_left_ > 0) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size()));
      bytes.remove_prefix(taken);
      body_left_ -= taken;
      if (body_left_ == 0) ++finished;
      continue;
    }
    if (head_.empty()) {
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end != std::string_view::npos) {
        if (finish_head(bytes.substr(0, end + 2))) ++finished;
        bytes.remove_prefix(end + 4);
        continue;
      }
    }
    const std::size_t before = head_.size();
    head_.append(bytes);
    const std::size_t end = head_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
    if (end == std::string::npos) break;
    bytes.remove_prefix(end + 4 - before);
    if (finish_head(std::string_view{head_}.substr(0, end + 2))) ++finished;
    head_.clear();
  }
  return finished;
}

bool AnswerCounter::finish_head(std::string_view head) {
  if (head != last_head_) {
    last_head_ = head;
    last_refused_ = head.size() < 10 || head[9] != '2';
    std::string lower{head};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    constexpr std::string_view kName = "\r\ncontent-length:";
    const std::size_t at = lower.find(kName);
    last_length_ = 0;
    if (at != std::string::npos) {
      const char* from = lower.data() + at + kName.size();
      while (*from == ' ') ++from;
      std::from_chars(from, lower.data() + lower.size(), last_length_);
    }
  }
  refused_ += last_refused_ ? 1 : 0;
  body_left_ = last_length_;
  return body_left_ == 0;
}

}  // namespace bench
