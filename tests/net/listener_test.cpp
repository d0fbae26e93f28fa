#include "net/listener.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string>
#include <vector>

#include "net/sockets.hpp"
#include "net/system_faults.hpp"

namespace equinox::net {
namespace {

Listener listen_on(const char* address, ListenerOptions options = {}) {
  auto listener = Listener::open(*SocketAddress::parse(address), options);
  if (!listener) throw std::runtime_error{"cannot listen on " + std::string{address}};
  return *std::move(listener);
}

bool has_ipv6() {
  const UniqueFd socket{::socket(AF_INET6, SOCK_STREAM, 0)};
  sockaddr_storage storage{};
  const socklen_t length = SocketAddress::parse("[::1]:0")->to_sockaddr(storage);
  return socket && ::bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
}

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  ::getsockopt(fd, level, name, &value, &length);
  return value;
}

Accepted accept_one(Listener& listener) {
  wait_readable(listener.descriptor());
  auto accepted = listener.accept();
  if (!accepted || !*accepted) throw std::runtime_error{"nothing accepted"};
  return *std::move(*accepted);
}

void expect_keepalive(int fd) {
  EXPECT_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1) << "inherited from the listening socket";
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST(ListenerSocket, TakesConnectionsReadyForUse) {
  Listener listener = listen_on("127.0.0.1:0");
  EXPECT_NE(listener.bound_address().port(), 0);
  const UniqueFd client = connect_to(listener.bound_address());
  const Accepted accepted = accept_one(listener);
  EXPECT_EQ(accepted.peer, *local_endpoint(client.get()));
  EXPECT_EQ(option(accepted.socket.get(), IPPROTO_TCP, TCP_NODELAY), 1) << "inherited from the listening socket";
  expect_keepalive(accepted.socket.get());
  EXPECT_NE(::fcntl(accepted.socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::fcntl(accepted.socket.get(), F_GETFD), FD_CLOEXEC);
  const auto none = listener.accept();
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(ListenerSocket, OnAPortAloneTakesBothFamilies) {
  Listener listener = listen_on(":0");
  const std::uint16_t port = listener.bound_address().port();
  const UniqueFd v4 = connect_to(SocketAddress::parse("127.0.0.1:0")->with_port(port));
  ASSERT_TRUE(v4);
  EXPECT_TRUE(accept_one(listener).peer.is_v4());
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  const UniqueFd v6 = connect_to(SocketAddress::parse("[::1]:0")->with_port(port));
  ASSERT_TRUE(v6);
  EXPECT_FALSE(accept_one(listener).peer.is_v4());
}

TEST(ListenerSocket, OnIpv6OnlyRefusesIpv4) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  const Listener listener = listen_on("[::]:0", {.v6_only = true});
  EXPECT_FALSE(connect_to(SocketAddress::parse("127.0.0.1:0")->with_port(listener.bound_address().port())));
}

TEST(ListenerSocket, SharesItsPortOnlyWhenAsked) {
  const Listener first = listen_on("127.0.0.1:0");
  EXPECT_TRUE(Listener::open(first.bound_address()));
  const auto refused = Listener::open(first.bound_address(), {.reuse_port = false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Errc::system, EADDRINUSE}));
}

TEST(ListenerSocket, NamesTheErrorOfAForeignAddress) {
  const auto refused = Listener::open(*SocketAddress::parse("192.0.2.1:0"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().os_errno, EADDRNOTAVAIL);
}

TEST(ListenerSocket, ShowsItsAcceptQueue) {
  Listener listener = listen_on("127.0.0.1:0", {.backlog = 7});
  EXPECT_EQ(listener.accept_queue().length, 0U);
  EXPECT_EQ(listener.accept_queue().limit, 7U);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect_to(listener.bound_address()));
  wait_readable(listener.descriptor());
  while (listener.accept_queue().length < 3) {
  }
  EXPECT_EQ(listener.accept_queue().length, 3U);
  static_cast<void>(accept_one(listener));
  EXPECT_EQ(listener.accept_queue().length, 2U);
}

TEST(ListenerSocket, IsAdoptedOnlyWhenItListens) {
  Listener original = listen_on("127.0.0.1:0");
  const SocketAddress address = original.bound_address();
  UniqueFd given = original.release();
  ::fcntl(given.get(), F_SETFL, 0);
  const int off = 0;
  ::setsockopt(given.get(), SOL_SOCKET, SO_KEEPALIVE, &off, sizeof off);
  auto adopted = Listener::adopt(std::move(given));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->bound_address(), address);
  EXPECT_FALSE(adopted->accept()->has_value()) << "made non-blocking";
  const UniqueFd client = connect_to(address);
  const Accepted accepted = accept_one(*adopted);
  EXPECT_EQ(option(accepted.socket.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  expect_keepalive(accepted.socket.get());

  auto [one, other] = socket_pair();
  EXPECT_FALSE(Listener::adopt(std::move(one)));
  const auto datagrams = Listener::adopt(UniqueFd{::socket(AF_INET, SOCK_DGRAM, 0)});
  ASSERT_FALSE(datagrams);
  EXPECT_EQ(datagrams.error().os_errno, EINVAL) << "never \"Success\"";
  EXPECT_FALSE(Listener::adopt(UniqueFd{::socket(AF_INET, SOCK_STREAM, 0)}));
}

class AcceptFaults : public testing::Test {
 protected:
  void SetUp() override {
    faults_->accept4 = [](int fd, sockaddr* address, socklen_t* length, int flags) {
      return fault_plan.fails() ? -1 : real_syscalls().accept4(fd, address, length, flags);
    };
    client_ = connect_to(listener_.bound_address());
    wait_readable(listener_.descriptor());
  }
  SystemFaults faults_;
  Listener listener_ = listen_on("127.0.0.1:0");
  UniqueFd client_;
};

TEST_F(AcceptFaults, OfOnePeerAreStepsOver) {
  for (const int error : {EINTR, ECONNABORTED, EPROTO, ENETDOWN, EPERM}) {
    fault_plan.arm(3, error);
    if (!client_) client_ = connect_to(listener_.bound_address());
    wait_readable(listener_.descriptor());
    const auto accepted = listener_.accept();
    ASSERT_TRUE(accepted) << error;
    EXPECT_TRUE(accepted->has_value()) << error;
    EXPECT_EQ(fault_plan.calls, 4) << error;
    client_.reset();
  }
}

TEST_F(AcceptFaults, OfTheProcessAreNamedAndLeaveTheConnectionQueued) {
  for (const auto& [error, code] : {std::pair{EMFILE, Errc::descriptors_exhausted},
                                    {ENFILE, Errc::descriptors_exhausted},
                                    {ENOBUFS, Errc::out_of_memory},
                                    {ENOMEM, Errc::out_of_memory},
                                    {EINVAL, Errc::system}}) {
    fault_plan.arm(1, error);
    const auto accepted = listener_.accept();
    ASSERT_FALSE(accepted);
    EXPECT_EQ(accepted.error(), (Error{code, error}));
  }
  EXPECT_TRUE(listener_.accept()->has_value());
}

}  // namespace
}  // namespace equinox::net
