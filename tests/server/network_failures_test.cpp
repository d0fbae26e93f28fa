// What only the network can do to a connection, through the system-call seam.

#include <atomic>
#include <cerrno>

#include "net/syscalls.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

std::atomic<int> receive_errno{0};

ssize_t failing_receive(int fd, void* into, std::size_t size, int flags) {
  if (const int wanted = receive_errno.load(); wanted != 0) {
    errno = wanted;
    return -1;
  }
  return net::real_syscalls().recv(fd, into, size, flags);
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
  /// A connection with one request behind it, whose next read fails.
  void fail_with(int wanted) {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    start();
    started_ = true;
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

}  // namespace
}  // namespace equinox::testing
