#include "net/tcp_transport.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>
#include <memory>
#include <string>

#include "net/sockets.hpp"
#include "net/system_faults.hpp"

namespace equinox::net {
namespace {

std::string patterned(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i * 7 % 26);
  return out;
}

std::shared_ptr<const OpenFile> file_of(const std::string& content) {
  auto file = std::make_shared<OpenFile>();
  file->fd = memory_file(content);
  file->size_bytes = content.size();
  return file;
}

class TcpPair : public testing::Test {
 protected:
  void SetUp() override {
    auto [ours, theirs] = loopback_pair();
    transport_ = std::make_unique<TcpTransport>(std::move(ours));
    peer_ = std::move(theirs);
  }
  // Writes the whole batch while the peer reads; what the peer got.
  std::string send_all(EgressBatch& batch) {
    std::string received;
    while (!batch.empty()) {
      const IoResult wrote = transport_->write(batch);
      if (wrote.status == IoStatus::failed) {
        ADD_FAILURE() << to_string(wrote.error.code) << " " << wrote.error.os_errno;
        break;
      }
      received += read_now(peer_.get());
    }
    transport_->shutdown_send();
    char chunk[4096];
    ssize_t count = 0;
    while ((count = ::recv(peer_.get(), chunk, sizeof chunk, 0)) > 0)
      received.append(chunk, static_cast<std::size_t>(count));
    return received;
  }
  std::string read_until_blocked() {
    std::array<std::byte, 64> chunk;
    std::string out;
    last_ = {};
    while (last_.status == IoStatus::ok) {
      last_ = transport_->read(chunk);
      out.append(reinterpret_cast<const char*>(chunk.data()), last_.bytes);
    }
    return out;
  }

  std::unique_ptr<TcpTransport> transport_;
  UniqueFd peer_;
  IoResult last_;
};

TEST_F(TcpPair, ReadsWhatWasSentAndKnowsWhenItIsDrained) {
  const std::string text = patterned(150);
  ASSERT_EQ(::send(peer_.get(), text.data(), text.size(), 0), 150);
  wait_readable(transport_->descriptor());
  EXPECT_EQ(read_until_blocked(), text);
  EXPECT_EQ(last_.status, IoStatus::would_block);
  EXPECT_EQ(last_.bytes, 150U % 64U) << "a short read says so without another system call";
  EXPECT_EQ(read_until_blocked(), "");
  peer_.reset();
  wait_readable(transport_->descriptor());
  EXPECT_EQ(read_until_blocked(), "");
  EXPECT_EQ(last_.status, IoStatus::closed);
  EXPECT_EQ(last_.error.code, Errc::peer_closed);
}

TEST_F(TcpPair, SendsEveryKindOfSegmentInOrder) {
  const std::string content = patterned(300'000);
  EgressBatch batch;
  std::string expected;
  for (int i = 0; i < 200; ++i) {  // more than one sendmsg takes
    batch.append("c" + std::to_string(i));
    batch.append_borrowed("|borrowed|", nullptr);
    expected += "c" + std::to_string(i) + "|borrowed|";
  }
  batch.append_file(file_of(content), 1000, 250'000);
  batch.append("tail");
  expected += content.substr(1000, 250'000) + "tail";
  EXPECT_EQ(send_all(batch), expected);
}

TEST_F(TcpPair, SendsTheHeadOfAFileInASendOfItsOwn) {
  static int flags_seen = 0;
  static std::string order;
  flags_seen = 0;
  order.clear();
  SystemFaults faults;
  faults->send = [](int fd, const void* from, std::size_t size, int flags) {
    flags_seen |= flags;
    order += "send ";
    return ::send(fd, from, size, flags);
  };
  faults->sendfile = [](int out, int in, off_t* offset, std::size_t count) {
    order += "sendfile ";
    return real_syscalls().sendfile(out, in, offset, count);
  };
  EgressBatch batch;
  batch.append("head");
  batch.append_file(file_of("body"), 0, 4);
  EXPECT_EQ(send_all(batch), "headbody");
  EXPECT_EQ(order, "send sendfile ");
  EXPECT_EQ(flags_seen, MSG_NOSIGNAL);
}

TEST_F(TcpPair, NoticesAFileThatEndsEarly) {
  EgressBatch batch;
  batch.append_file(file_of("short"), 0, 100);
  const IoResult wrote = transport_->write(batch);
  EXPECT_EQ(wrote.status, IoStatus::failed);
  EXPECT_EQ(wrote.error.code, Errc::file_changed);
  EXPECT_EQ(wrote.bytes, 5U);
  EXPECT_EQ(batch.pending_bytes(), 95U);
}

TEST_F(TcpPair, StopsWhenTheKernelTakesNoMore) {
  EgressBatch batch;
  batch.append(std::string(32 * 1024 * 1024, 'x'));
  const IoResult wrote = transport_->write(batch);
  EXPECT_EQ(wrote.status, IoStatus::would_block);
  EXPECT_GT(wrote.bytes, 0U);
  EXPECT_EQ(batch.pending_bytes(), 32U * 1024 * 1024 - wrote.bytes);
}

TEST_F(TcpPair, LeavesTheTurnToOthersAfterItsShareHoweverFastThePeerReads) {
  SystemFaults faults;
  faults->sendfile = [](int, int, off_t*, std::size_t count) { return static_cast<ssize_t>(count); };
  EgressBatch batch;
  batch.append_file(file_of("as if it were large"), 0, 1U << 30U);
  const IoResult wrote = transport_->write(batch);
  EXPECT_EQ(wrote.status, IoStatus::ok);
  EXPECT_EQ(wrote.bytes, kWriteShareBytes);
  EXPECT_FALSE(batch.empty());
}

TEST_F(TcpPair, NamesAReset) {
  const linger reset{1, 0};
  ::setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  peer_.reset();
  wait_readable(transport_->descriptor());
  EXPECT_EQ(read_until_blocked(), "");
  EXPECT_EQ(last_.status, IoStatus::failed);
  EXPECT_EQ(last_.error, (Error{Errc::peer_reset, ECONNRESET}));
  EgressBatch batch;
  batch.append("too late");
  EXPECT_EQ(transport_->write(batch).error, (Error{Errc::peer_reset, EPIPE})) << "and no SIGPIPE";
}

TEST_F(TcpPair, WritesTheRightBytesOneAtATimeThroughInterruptions) {
  SystemFaults faults;
  static int turn = 0;
  faults->send = [](int fd, const void* from, std::size_t size, int flags) -> ssize_t {
    errno = ++turn % 3 == 0 ? EINTR : EAGAIN;
    return turn % 3 == 1 ? ::send(fd, from, size != 0 ? 1 : 0, flags) : -1;
  };
  faults->sendmsg = [](int fd, const msghdr* message, int flags) -> ssize_t {
    errno = ++turn % 3 == 0 ? EINTR : EAGAIN;
    return turn % 3 == 1 ? ::send(fd, message->msg_iov[0].iov_base, 1, flags) : -1;
  };
  faults->sendfile = [](int out, int in, off_t* offset, std::size_t count) -> ssize_t {
    errno = ++turn % 3 == 0 ? EINTR : EAGAIN;
    return turn % 3 == 1 ? real_syscalls().sendfile(out, in, offset, count != 0 ? 1 : 0) : -1;
  };
  const std::string content = patterned(500);
  EgressBatch batch;
  batch.append("copied ");
  batch.append_borrowed("borrowed ", nullptr);
  batch.append_file(file_of(content), 10, 400);
  batch.append(" end");
  EXPECT_EQ(send_all(batch), "copied borrowed " + content.substr(10, 400) + " end");
}

TEST_F(TcpPair, ReadsThroughInterruptions) {
  SystemFaults faults;
  faults->recv = [](int fd, void* into, std::size_t size, int flags) -> ssize_t {
    return fault_plan.fails() ? -1 : ::recv(fd, into, size, flags);
  };
  ASSERT_EQ(::send(peer_.get(), "abc", 3, 0), 3);
  wait_readable(transport_->descriptor());
  fault_plan.arm(3, EINTR);
  EXPECT_EQ(read_until_blocked(), "abc");
}

struct ErrnoCase {
  const char* name;
  int os_errno;
  Errc code;
};

class SocketErrors : public TcpPair, public testing::WithParamInterface<ErrnoCase> {};

TEST_P(SocketErrors, KeepTheirMeaning) {
  SystemFaults faults;
  faults->recv = [](int, void*, std::size_t, int) -> ssize_t { return fault_plan.fails() ? -1 : 0; };
  faults->send = [](int, const void*, std::size_t, int) -> ssize_t { return fault_plan.fails() ? -1 : 0; };
  faults->sendfile = [](int, int, off_t*, std::size_t) -> ssize_t { return fault_plan.fails() ? -1 : 0; };
  const Error expected{GetParam().code, GetParam().os_errno};
  std::array<std::byte, 8> into;
  fault_plan.arm(1, GetParam().os_errno);
  EXPECT_EQ(transport_->read(into).error, expected);
  EgressBatch bytes;
  bytes.append("x");
  fault_plan.arm(1, GetParam().os_errno);
  EXPECT_EQ(transport_->write(bytes).error, expected);
  EXPECT_EQ(bytes.pending_bytes(), 1U);
  EgressBatch file;
  file.append_file(file_of("x"), 0, 1);
  fault_plan.arm(1, GetParam().os_errno);
  EXPECT_EQ(transport_->write(file).error, expected);
}

INSTANTIATE_TEST_SUITE_P(Errnos, SocketErrors,
                         testing::Values(ErrnoCase{"Reset", ECONNRESET, Errc::peer_reset},
                                         ErrnoCase{"Pipe", EPIPE, Errc::peer_reset},
                                         ErrnoCase{"Timeout", ETIMEDOUT, Errc::timed_out},
                                         ErrnoCase{"NoBuffers", ENOBUFS, Errc::out_of_memory},
                                         ErrnoCase{"NoMemory", ENOMEM, Errc::out_of_memory},
                                         ErrnoCase{"Unreachable", EHOSTUNREACH, Errc::system}),
                         [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace equinox::net
