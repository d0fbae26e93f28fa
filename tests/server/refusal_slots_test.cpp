// Newcomers that are turned away, as a slot sees them.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "http/proxy_protocol.hpp"
#include "server/admission.hpp"

namespace equinox::server {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class RefusedNewcomer : public testing::Test {
 protected:
  void connect(bool expects_proxy_header) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    theirs_ = UniqueFd{ends[1]};
    ASSERT_TRUE(slots_.take(UniqueFd{ends[0]}, TimePoint{}, expects_proxy_header));
    slots_.on_ready(0);
  }
  void say(std::string_view bytes) {
    static_cast<void>(::send(theirs_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    slots_.on_ready(0);
  }
  [[nodiscard]] std::string answer() const {
    char bytes[1024];
    const ssize_t got = ::recv(theirs_.get(), bytes, sizeof bytes, 0);
    return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  [[nodiscard]] bool is_closed() const { return slots_.next_due() == kNever; }

  RefusalSlots slots_{1};
  UniqueFd theirs_;
};

const std::string kVersion1 = "PROXY TCP6 2001:db8::1111:2222:3333:4444 2001:db8::5555:6666:7777:8888 56324 65535\r\n";
/// LOCAL with 4,000 bytes that nobody looks at.
const std::string kVersion2 =
    std::string{http::kProxySignature2} + "\x20" + std::string("\0\x0f\xa0", 3) + std::string(4000, 'x');

TEST_F(RefusedNewcomer, IsAnsweredBehindItsProxyHeader) {
  for (const std::string& header : {kVersion1, kVersion2}) {
    connect(true);
    say(header + std::string{kGet});
    EXPECT_TRUE(answer().starts_with("HTTP/1.1 503 ")) << header.size();
    theirs_.reset();
    slots_.on_ready(0);
    ASSERT_TRUE(is_closed());
  }
}

TEST_F(RefusedNewcomer, MaySendItsHeaderByteByByte) {
  connect(true);
  for (const char c : kVersion1 + std::string{kGet}) say({&c, 1});
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 503 "));
}

TEST_F(RefusedNewcomer, WithoutItsProxyHeaderIsClosed) {
  connect(true);
  say(kGet);
  EXPECT_EQ(answer(), "");
  EXPECT_TRUE(is_closed());
}

TEST_F(RefusedNewcomer, WithAHeaderThatIsNotExpectedIsClosed) {
  connect(false);
  say(kVersion1 + std::string{kGet});
  EXPECT_EQ(answer(), "");
  EXPECT_TRUE(is_closed());
}

}  // namespace
}  // namespace equinox::server
