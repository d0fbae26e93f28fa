#include "net/tls_transport.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/syscalls.hpp"
#include "net/tcp_transport.hpp"

namespace equinox::net {
namespace {

bool is_again(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

// Lent to one write at a time.
std::span<char> record_scratch() noexcept {
  thread_local std::array<char, TlsTransport::kRecordBytes> bytes;
  return bytes;
}

struct Plain {
  std::string_view bytes;
  Error error{};
  bool has_failed{false};
};

// Fills `into` from a file range; fewer bytes when the file is shorter than it was.
ssize_t read_file(const EgressBatch::Segment& segment, std::span<char> into) noexcept {
  std::size_t have = 0;
  while (have < into.size()) {
    const auto offset = static_cast<off_t>(segment.offset + have);
    const ssize_t count = syscalls().pread(segment.file->fd.get(), into.data() + have, into.size() - have, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return have != 0 ? static_cast<ssize_t>(have) : -1;
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(have);
}

// The next record's bytes: straight from a large segment, gathered from small ones and files otherwise. A record that
// OpenSSL holds already is offered with the length it had; its bytes are not looked at again.
Plain gather(const EgressBatch& batch, std::size_t retry_bytes) noexcept {
  const std::span<char> scratch = record_scratch();
  const std::size_t wanted = retry_bytes != 0 ? retry_bytes : scratch.size();
  std::size_t have = 0;
  for (const EgressBatch::Segment& segment : batch.segments()) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(segment.length, wanted - have));
    if (segment.kind != EgressBatch::Kind::file) {
      const std::string_view bytes = batch.bytes_of(segment).substr(0, size);
      if (have == 0 && (size == wanted || batch.segments().size() == 1)) return {bytes};
      std::memcpy(scratch.data() + have, bytes.data(), size);
      have += size;
    } else {
      const ssize_t count = read_file(segment, scratch.subspan(have, size));
      if (count <= 0 && have == 0 && retry_bytes == 0) {
        return {{}, count < 0 ? Error{Errc::system, errno} : Error{Errc::file_changed}, true};
      }
      have += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
      if (count < static_cast<ssize_t>(size)) break;  // what is there still goes out; the next round says why it ends
    }
    if (have == wanted) break;
  }
  // OpenSSL may have wanted to send something of its own first and hold nothing yet: then these bytes go out, and where
  // the file has become shorter they must not be what the scratch held of another connection.
  if (have < retry_bytes) std::memset(scratch.data() + have, 0, retry_bytes - have);
  return {{scratch.data(), retry_bytes != 0 ? retry_bytes : have}};
}

/// SSL_get_error() looks at the thread's queue, so it must be empty before a call. It nearly always is, and clearing an
/// empty one costs 700 instructions.
void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

Errc handshake_errc(int reason) noexcept {
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return Errc::tls_plaintext;
    case SSL_R_NO_SHARED_CIPHER: return Errc::tls_no_shared_cipher;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return Errc::tls_version;
    default: return Errc::tls_handshake;
  }
}

// The alert that the peer sent, as OpenSSL's queue has it; its own failures lie far above.
bool is_alert_of_peer(int reason) noexcept {
  return reason >= SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255;
}

// What failed on this machine, inside OpenSSL, as an errno; 0: nothing did.
int errno_of(unsigned long error) noexcept {
  if (ERR_GET_LIB(error) == ERR_LIB_SYS) return ERR_GET_REASON(error);
  return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? ENOMEM : 0;
}

}  // namespace

/// Reads and writes through the system-call table instead of OpenSSL's socket BIO, which writes without MSG_NOSIGNAL.
struct TlsTransport::Bio {
  static int read(BIO* bio, char* into, int size) noexcept {
    auto& self = *static_cast<TlsTransport*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.is_drained_) return again(bio, true);
    if (self.is_flooded()) {
      self.has_flooded_ = true;
      return -1;
    }
    if (self.raw_left_ == 0) {
      self.is_interrupted_ = true;
      return again(bio, true);
    }
    const std::size_t wanted = std::min(static_cast<std::size_t>(size), self.raw_left_);
    ssize_t count = 0;
    do {
      count = syscalls().recv(self.socket_.get(), into, wanted, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && is_again(errno)) {
      self.is_drained_ = true;
      return again(bio, true);
    }
    if (count < 0) self.io_errno_ = errno;
    if (count == 0) self.has_ended_ = true;
    if (count <= 0) return static_cast<int>(count);
    self.socket_bytes_.received += static_cast<std::size_t>(count);
    self.raw_left_ -= static_cast<std::size_t>(count);
    self.is_drained_ = static_cast<std::size_t>(count) < wanted && !self.has_hung_up_;
    if (!self.saw_first_byte_) {
      self.saw_first_byte_ = true;
      // No TLS record begins with a capital letter, every HTTP request does.
      self.saw_plaintext_ = into[0] >= 'A' && into[0] <= 'Z';
      if (self.saw_plaintext_) return -1;
    }
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* from, int size) noexcept {
    auto& self = *static_cast<TlsTransport*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t count = 0;
    do {
      count = syscalls().send(self.socket_.get(), from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && is_again(errno)) return again(bio, false);
    if (count < 0) self.io_errno_ = errno;
    if (count > 0) self.socket_bytes_.sent += static_cast<std::size_t>(count);
    return static_cast<int>(count);
  }

  static long control(BIO* bio, int command, long number, void* pointer) noexcept {
    static_cast<void>(number);
    static_cast<void>(pointer);
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF && static_cast<TlsTransport*>(BIO_get_data(bio))->has_ended_ ? 1 : 0;
  }

  static int again(BIO* bio, bool is_read) noexcept {
    if (is_read) {
      BIO_set_retry_read(bio);
    } else {
      BIO_set_retry_write(bio);
    }
    return -1;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "equinox socket");
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

TlsTransport::TlsTransport(UniqueFd socket, std::shared_ptr<const TlsContext> context,
                           std::uint64_t* handshake_bytes) noexcept
    : socket_{std::move(socket)}, context_{std::move(context)}, handshake_bytes_{handshake_bytes} {}

TlsTransport::~TlsTransport() {
  count_handshake(0);
  SSL_free(ssl_);
}

void TlsTransport::count_handshake(std::size_t bytes) noexcept {
  if (handshake_bytes_ != nullptr) *handshake_bytes_ += bytes - counted_bytes_;  // wraps, as it should
  counted_bytes_ = bytes;
}

bool TlsTransport::open() noexcept {
  ssl_ = syscalls().ssl_new(context_->native());
  BIO* bio = ssl_ != nullptr ? BIO_new(Bio::method()) : nullptr;
  if (bio == nullptr) {
    ERR_clear_error();
    return false;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, &notes_);
  SSL_set_accept_state(ssl_);
  count_handshake(kHandshakeBytes);
  return true;
}

// A look at the queue, not a read: what waits for its first byte is a socket and nothing else.
IoResult TlsTransport::await_first_byte() noexcept {
  char first = 0;
  ssize_t count = 0;
  do {
    count = syscalls().recv(socket_.get(), &first, 1, MSG_PEEK);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return {};
  if (count == 0) return {IoStatus::closed, 0, Error{Errc::peer_closed, 0, 1}};
  if (is_again(errno)) return {IoStatus::would_block, 0, {}};
  return {IoStatus::failed, 0, io_error(errno)};
}

// A client may change its keys now and then (RFC 8446 §4.6.3), and must after some 2^24 records. Each change costs us
// derivations and an answer, and OpenSSL takes any number of them within one read.
bool TlsTransport::is_flooded() const noexcept {
  constexpr std::uint32_t kLateSteps = 128;
  constexpr std::uint64_t kBytesPerStep = 1024 * 1024;
  return notes_.late_steps > kLateSteps + moved_bytes_ / kBytesPerStep;
}

IoResult TlsTransport::handshake() {
  if (is_established_) return {};
  if (ssl_ == nullptr) {
    if (const IoResult first = await_first_byte(); first.status != IoStatus::ok) return first;
    if (!open()) return {IoStatus::failed, 0, io_error(ENOMEM)};
  }
  is_drained_ = false;
  raw_left_ = SIZE_MAX;  // a handshake is bounded by its messages
  forget_errors();
  const int result = syscalls().ssl_do_handshake(ssl_);
  if (result == 1) {
    settle();
    return {};
  }
  const int reason = SSL_get_error(ssl_, result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return {IoStatus::would_block, 0, {}};
  is_broken_ = true;
  return handshake_failure();
}

IoResult TlsTransport::handshake_failure() {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  ERR_clear_error();
  if (io_errno_ == 0) io_errno_ = errno_of(error);
  const std::uint32_t alert = notes_.alert;
  if (saw_plaintext_) return {IoStatus::failed, 0, Error{Errc::tls_plaintext}};
  if (notes_.sni_refused) return {IoStatus::failed, 0, Error{Errc::tls_sni_unknown, 0, alert}};
  if (io_errno_ != 0) return {IoStatus::failed, 0, io_error(io_errno_)};
  if (has_ended_ && alert == 0) return {IoStatus::closed, 0, Error{Errc::peer_closed, 0, 1}};
  const Errc code = handshake_errc(reason);
  if (code == Errc::tls_handshake && is_alert_of_peer(reason)) {  // the peer's own words
    return {IoStatus::failed, 0, Error{Errc::tls_alert, 0, static_cast<std::uint32_t>(reason - SSL_AD_REASON_OFFSET)}};
  }
  return {IoStatus::failed, 0, Error{code, 0, alert}};
}

void TlsTransport::settle() {
  is_established_ = notes_.is_established = true;
  count_handshake(0);
  const unsigned char* protocol = nullptr;
  unsigned protocol_size = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &protocol_size);
  facts_ = {.version = SSL_get_version(ssl_),
            .cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_)),
            .alpn = {reinterpret_cast<const char*>(protocol), protocol_size},
            .sni = notes_.server_name,
            .certificate = context_->certificate_of(SSL_get_SSL_CTX(ssl_)),
            .resumed = SSL_session_reused(ssl_) == 1};
}

// Why a read or write after the handshake did not go on.
IoResult TlsTransport::stop(int result, std::size_t moved) {
  const int kind = SSL_get_error(ssl_, result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
    return {is_interrupted_ ? IoStatus::ok : IoStatus::would_block, moved, {}};
  }
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  ERR_clear_error();
  if (has_flooded_) {
    is_broken_ = true;
    return {IoStatus::failed, moved, Error{Errc::tls_flood}};
  }
  if (kind == SSL_ERROR_ZERO_RETURN)
    return {IoStatus::closed, moved, Error{Errc::peer_closed, 0, has_ended_ ? 1U : 0U}};
  is_broken_ = true;
  if (io_errno_ == 0) io_errno_ = errno_of(error);
  if (io_errno_ != 0) return {IoStatus::failed, moved, io_error(io_errno_)};
  if (has_ended_ && kind == SSL_ERROR_SYSCALL) return {IoStatus::closed, moved, Error{Errc::peer_closed, 0, 1}};
  if (!is_alert_of_peer(reason)) return {IoStatus::failed, moved, broken_record()};
  return {IoStatus::failed, moved,
          Error{Errc::tls_alert, 0, static_cast<std::uint32_t>(reason - SSL_AD_REASON_OFFSET)}};
}

/// OpenSSL answers a key update with its next record, or before it looks at a second one. It would do so over a record
/// that is half sent, and fail for good. Other reading goes on: a peer may upload before it takes what it is sent.
bool TlsTransport::must_write_first() const noexcept {
  return retry_bytes_ != 0 && SSL_get_key_update_type(ssl_) != SSL_KEY_UPDATE_NONE;
}

/// While a record is half sent none is read ahead: of several key updates in one buffer OpenSSL would take all at once.
void TlsTransport::keep_for_retry(std::size_t bytes) noexcept {
  if ((bytes != 0) != (retry_bytes_ != 0)) SSL_set_read_ahead(ssl_, bytes == 0 ? 1 : 0);
  retry_bytes_ = bytes;
}

Error TlsTransport::broken_record() const noexcept { return {Errc::tls_record, 0, notes_.alert}; }

IoResult TlsTransport::read(std::span<std::byte> into) {
  is_drained_ = is_cut_short_ = is_interrupted_ = waits_for_write_ = may_read_on_ = false;
  // Enough for records of full size. Tiny ones, empty ones and key updates are the same work for fewer bytes.
  raw_left_ = into.size() + kRecordBytes;
  if (is_broken_) return {IoStatus::failed, 0, broken_record()};
  std::size_t moved = 0;
  while (moved < into.size()) {
    if (must_write_first()) {
      waits_for_write_ = true;
      return {IoStatus::would_block, moved, {}};
    }
    forget_errors();
    std::size_t count = 0;
    const int result = syscalls().ssl_read_ex(ssl_, into.data() + moved, into.size() - moved, &count);
    if (result != 1) {
      const int kind = SSL_get_error(ssl_, result);
      // It stops behind each message that is no data, with more of them in the socket.
      if (kind == SSL_ERROR_WANT_READ && !is_drained_ && !is_interrupted_) continue;
      waits_for_write_ = kind == SSL_ERROR_WANT_WRITE;
      return stop(result, moved);
    }
    moved += count;
    moved_bytes_ += count;
    // Asked once more OpenSSL would only take a buffer, find the socket drained, and say so.
    if (is_drained_ && SSL_has_pending(ssl_) == 0) return {IoStatus::would_block, moved, {}};
  }
  is_cut_short_ = true;
  return {IoStatus::ok, moved, {}};
}

IoResult TlsTransport::write(EgressBatch& batch) {
  if (is_broken_) return {IoStatus::failed, 0, broken_record()};
  is_interrupted_ = false;
  std::size_t moved = 0;
  while (!batch.empty()) {
    const Plain plain = gather(batch, retry_bytes_);
    if (plain.has_failed) return {IoStatus::failed, moved, plain.error};
    forget_errors();
    std::size_t count = 0;
    const int result = syscalls().ssl_write_ex(ssl_, plain.bytes.data(), plain.bytes.size(), &count);
    if (result != 1) {
      keep_for_retry(plain.bytes.size());
      return stop(result, moved);
    }
    keep_for_retry(0);
    may_read_on_ |= std::exchange(waits_for_write_, false);
    batch.consume(count);
    moved += count;
    moved_bytes_ += count;
    if (moved >= kWriteShareBytes) break;
  }
  return {IoStatus::ok, moved, {}};
}

bool TlsTransport::has_pending() const noexcept {
  return may_read_on_ || (is_cut_short_ && SSL_has_pending(ssl_) == 1);
}

void TlsTransport::shutdown_send() noexcept {
  // A record cut in two must stay cut: close_notify behind it would call the answer complete.
  if (is_established_ && !is_broken_ && retry_bytes_ == 0) {
    ERR_clear_error();
    static_cast<void>(SSL_shutdown(ssl_));
    ERR_clear_error();
  }
  static_cast<void>(syscalls().shutdown(socket_.get(), SHUT_WR));
}

}  // namespace equinox::net
