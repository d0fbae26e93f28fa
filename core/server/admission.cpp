#include "server/admission.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "http/proxy_protocol.hpp"
#include "net/plain_prefix.hpp"
#include "net/syscalls.hpp"

namespace equinox::server {

namespace {

// Nothing was sent before: there is room, and what fails is not tried again.
void answer(int socket) noexcept {
  ssize_t sent = 0;
  do {
    sent = net::syscalls().send(socket, kBusyAnswer.data(), kBusyAnswer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  static_cast<void>(net::syscalls().shutdown(socket, SHUT_WR));
}

}  // namespace

std::size_t Admission::AddressHash::operator()(const std::array<std::uint8_t, 16>& address) const noexcept {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, address.data(), 8);
  std::memcpy(&low, address.data() + 8, 8);
  return static_cast<std::size_t>((high ^ (low * 0x9e3779b97f4a7c15ULL)) >> 3U);
}

Admission::Verdict Admission::admit(const Endpoint* client, std::uint16_t& counted_in) {
  counted_in = 0;
  const std::uint64_t memory_limit = memory_limit_.load(std::memory_order_relaxed);
  if (memory_limit != 0 && memory_.load(std::memory_order_relaxed) > memory_limit) return Verdict::memory;
  if (open_.fetch_add(1, std::memory_order_relaxed) >= limit()) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::full;
  }
  if (client == nullptr || count_client(*client, counted_in)) return Verdict::admitted;
  open_.fetch_sub(1, std::memory_order_relaxed);
  return Verdict::client_full;
}

bool Admission::count_client(const Endpoint& client, std::uint16_t& counted_in) {
  if (per_client_.load(std::memory_order_relaxed) == 0) return true;
  const std::lock_guard lock{mutex_};
  const std::uint32_t most = per_client_.load(std::memory_order_relaxed);
  if (most == 0) return true;
  std::uint32_t& count = by_client_[client.address];
  if (count >= most) return false;
  ++count;
  counted_in = count_;
  return true;
}

void Admission::release(const Endpoint& client, std::uint16_t counted_in) noexcept {
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (counted_in == 0) return;
  const std::lock_guard lock{mutex_};
  if (counted_in != count_) return;
  const auto found = by_client_.find(client.address);
  if (found != by_client_.end() && --found->second == 0) by_client_.erase(found);
}

void Admission::set_limits(std::uint32_t limit, std::uint32_t per_client) noexcept {
  limit_.store(limit, std::memory_order_relaxed);
  const std::lock_guard lock{mutex_};
  const std::uint32_t before = per_client_.exchange(per_client, std::memory_order_relaxed);
  if ((before == 0) == (per_client == 0)) return;
  // Connections that came while there was no such limit are not known by client.
  by_client_.clear();
  if (++count_ == 0) ++count_;
}

std::optional<std::uint32_t> RefusalSlots::take(UniqueFd socket, TimePoint now, bool expects_proxy_header) {
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].socket) continue;
    ++used_;
    slots_[i] = Slot{};
    slots_[i].socket = std::move(socket);
    slots_[i].due = now + kPatience;
    slots_[i].awaits_proxy_header = expects_proxy_header;
    return i;
  }
  return std::nullopt;
}

void RefusalSlots::on_ready(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  if (!slot.socket || (slot.awaits_proxy_header && !skip_proxy_header(slot))) return;
  std::array<char, 16 * 1024> bytes;
  for (; slot.reads < kMostReads; ++slot.reads) {
    const ssize_t got = net::syscalls().recv(slot.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;  // no edge would announce again what is there
    if (got <= 0) {
      const bool is_waiting = got < 0 && errno == EAGAIN;
      if (!is_waiting) free(slot);
      return;
    }
    if (slot.is_answered) continue;  // lingering: read and forget
    const http::Negotiated spoken = spoken_in(slot, {bytes.data(), static_cast<std::size_t>(got)});
    if (spoken == http::Negotiated::need_more) continue;
    if (spoken != http::Negotiated::http1) {
      free(slot);
      return;
    }
    answer(slot.socket.get());
    slot.is_answered = true;
  }
  free(slot);  // who goes on sending behind its answer must not keep the reactor reading
}

/// It stays in the socket until it is whole: it may be much longer than what a slot keeps.
bool RefusalSlots::skip_proxy_header(Slot& slot) noexcept {
  std::array<std::byte, http::kProxyHeaderMaxBytes> bytes;
  const net::IoResult seen = net::peek_plain(slot.socket.get(), bytes);
  if (seen.status == net::IoStatus::would_block) return false;
  const http::ProxyHeader header = http::parse_proxy_header({reinterpret_cast<const char*>(bytes.data()), seen.bytes});
  if (seen.status == net::IoStatus::ok && header.status == http::ProxyStatus::need_more) return false;
  const bool is_whole = header.status == http::ProxyStatus::complete;
  if (!is_whole || net::take_plain(slot.socket.get(), std::span{bytes}.first(header.size)).bytes != header.size) {
    free(slot);
    return false;
  }
  slot.awaits_proxy_header = false;
  return true;
}

/// What the peer speaks, as far as its first bytes tell: they may come one by one.
http::Negotiated RefusalSlots::spoken_in(Slot& slot, std::string_view bytes) noexcept {
  if (slot.begun_bytes == 0) {
    const http::Negotiated spoken = http::negotiate(bytes);
    if (spoken != http::Negotiated::need_more) return spoken;
  }
  const std::size_t kept = std::min(bytes.size(), slot.begun.size() - slot.begun_bytes);
  std::memcpy(slot.begun.data() + slot.begun_bytes, bytes.data(), kept);
  slot.begun_bytes += kept;
  const http::Negotiated spoken = http::negotiate({slot.begun.data(), slot.begun_bytes});
  const bool is_full = slot.begun_bytes == slot.begun.size();
  return is_full && spoken == http::Negotiated::need_more ? http::Negotiated::wrong_protocol : spoken;
}

void RefusalSlots::expire(TimePoint now) noexcept {
  for (Slot& slot : slots_) {
    if (slot.socket && slot.due <= now) free(slot);
  }
}

void RefusalSlots::free(Slot& slot) noexcept {
  slot.socket.reset();
  --used_;
}

TimePoint RefusalSlots::first_due() const noexcept {
  TimePoint next = kNever;
  for (const Slot& slot : slots_) {
    if (slot.socket) next = std::min(next, slot.due);
  }
  return next;
}

}  // namespace equinox::server
