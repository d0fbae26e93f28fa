// What only the network can do to a connection, through the system-call seam.

#include <fcntl.h>
#include <netinet/tcp.h>

#include <atomic>
#include <cerrno>

#include "base/egress_batch.hpp"
#include "handlers/temporary_folder.hpp"
#include "net/syscalls.hpp"
#include "server/failing_receive.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

class SilentBody final : public BodySource {
 public:
  PullResult pull(std::span<char>) override { return {PullStatus::pending, 0}; }
};

void set_option(int fd, int name, int value) {
  ASSERT_EQ(::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value), 0);
}

/// The server's socket of the connection of the client at this port; -1: it is not there.
int socket_to(std::uint16_t client_port) {
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const bool is_connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
    if (is_connected && ntohs(peer.sin_port) == client_port) return fd;
  }
  return -1;
}

class NetworkFailures : public ServerTest {
 protected:
  NetworkFailures() {
    receive_errno = 0;
    net::syscalls().recv = failing_receive;
  }
  ~NetworkFailures() override {
    receive_errno = 0;
    if (started_) server().stop();  // its threads use the seam
    net::syscalls() = net::real_syscalls();
  }
  void start_server() {
    start();
    started_ = true;
  }
  /// A connection with one request behind it, whose next read fails.
  void fail_with(int wanted) {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    start_server();
    RawClient client{port()};
    client.send(kGet);
    client.read_for("hello");
    receive_errno = wanted;
    client.send("G");
    client.read_to_end();
  }

 private:
  bool started_{false};
};

TEST_F(NetworkFailures, AKernelTimeoutIsANetworkTimeout) {
  fail_with(ETIMEDOUT);
  EXPECT_TRUE(closed_once_for(CloseReason::network_timeout));
}

TEST_F(NetworkFailures, AnUnreachableHostIsANetworkErrorWithItsErrno) {
  fail_with(EHOSTUNREACH);
  EXPECT_TRUE(closed_once_for(CloseReason::network_error));
  server().view().closed([](const ClosedRecord& record) {
    EXPECT_EQ(record.os_errno, EHOSTUNREACH);
    return false;
  });
}

// A peer that has half-closed and then goes leaves a socket on which sendfile raises SIGPIPE, which would end whatever
// program the server lives in.
// A FIN alone says only that the client sends no more. Once its kernel has forgotten the connection it answers a
// keepalive probe with a reset.
TEST_F(NetworkFailures, AClientThatClosedDoesNotHoldASilentAnswerForEver) {
  make().get("/", [](const Request&) { return Response::stream(std::make_unique<SilentBody>(), "text/plain"); });
  start_server();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("\r\n\r\n");
  const int served = socket_to(client.local_port());
  ASSERT_NE(served, -1);
  set_option(served, TCP_KEEPIDLE, 1);
  set_option(served, TCP_KEEPINTVL, 1);
  set_option(client.descriptor(), TCP_LINGER2, 1);  // its kernel forgets it a second after the close
  client.close();
  EXPECT_TRUE(closed_once_for(CloseReason::client_reset_mid_request));
}

TEST_F(NetworkFailures, APeerThatGoesWhileAFileIsSentEndsNothingElse) {
  const TemporaryFolder folder;
  auto open = std::make_shared<OpenFile>();
  open->fd = UniqueFd{::open(folder.write("f", std::string(20'000'000, 'f')).c_str(), O_RDONLY | O_CLOEXEC)};
  open->size_bytes = 20'000'000;
  make().get("/", [open](const Request&) { return Response::file({open, 0, open->size_bytes}, "text/plain"); });
  start_server();
  RawClient client{port(), 4096};
  client.send(kGet);
  client.finish();
  client.read_for("fff");
  client.close();  // with bytes unread: the kernel answers what still comes with a reset
  EXPECT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  EXPECT_EQ(closed(CloseReason::client_reset_mid_request), 1u);
}

}  // namespace
}  // namespace equinox::testing
