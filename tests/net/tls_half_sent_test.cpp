// What happens while a record is half sent, or waits behind something that OpenSSL sends of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "net/sockets.hpp"
#include "net/system_faults.hpp"
#include "net/tls_fixture.hpp"

namespace equinox::net {
namespace {

class TlsHalfSent : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(pair_.shake_hands());
    static_cast<void>(pair_.client->read());  // the ticket
  }
  /// Until the socket is full.
  void write_until_blocked() {
    IoResult wrote;
    do {
      wrote = pair_.server->write(batch_);
    } while (wrote.status == IoStatus::ok && !batch_.empty());
    ASSERT_EQ(wrote.status, IoStatus::would_block);
  }
  void update_keys() {
    ASSERT_EQ(SSL_key_update(pair_.client->native(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(pair_.client->native()), 1);
  }
  std::string read_server() {
    std::vector<std::byte> chunk(4096);
    std::string out;
    do {
      last_ = pair_.server->read(chunk);
      out.append(reinterpret_cast<const char*>(chunk.data()), last_.bytes);
    } while (last_.status == IoStatus::ok);
    return out;
  }
  /// Lets the client take everything; the server reads only when it says that something is left.
  std::string finish(std::string& asked) {
    std::string received;
    for (int turn = 0; turn < 100'000 && !batch_.empty(); ++turn) {
      received += pair_.client->read();
      const IoResult wrote = pair_.server->write(batch_);
      if (wrote.status == IoStatus::failed) break;
      if (pair_.server->has_pending()) asked += read_server();
    }
    return received + pair_.client->read();
  }

  TlsPair pair_{load({.self_signed = true}), {.min_version = TLS1_3_VERSION}};
  const std::string content_ = std::string(2'000'000, 'c');
  EgressBatch batch_;
  IoResult last_;
};

TEST_F(TlsHalfSent, KeyUpdatesWaitUntilTheRecordIsOut) {
  for (int updates = 1; updates <= 3; ++updates) {
    batch_.append_borrowed(content_, nullptr);
    write_until_blocked();
    for (int i = 0; i < updates; ++i) update_keys();
    ASSERT_TRUE(pair_.client->write("question"));
    EXPECT_EQ(read_server(), "");
    EXPECT_EQ(last_.status, IoStatus::would_block) << updates;
    EXPECT_FALSE(pair_.server->has_pending()) << "nothing to do before the socket takes more";
    std::string asked;
    EXPECT_TRUE(finish(asked) == content_) << updates;
    EXPECT_EQ(asked, "question") << "without an edge";
    EXPECT_FALSE(pair_.server->has_pending());
  }
}

/// There may be nothing of ours to send behind it, and what was left in the socket makes no edge of its own.
TEST_F(TlsHalfSent, AReadThatMustSendFirstGoesOnWhenTheSocketTakesBytes) {
  for (int i = 0; i < 3; ++i) {  // the answer to one stands in the way of the next
    update_keys();
    ASSERT_TRUE(pair_.client->write("x"));
  }
  SystemFaults faults;
  faults->send = [](int, const void*, std::size_t, int) -> ssize_t {
    errno = EAGAIN;
    return -1;
  };
  std::string asked = read_server();
  EXPECT_EQ(last_.status, IoStatus::would_block);
  EXPECT_FALSE(pair_.server->has_pending());
  syscalls() = real_syscalls();
  pair_.server->note_writable();
  EXPECT_TRUE(pair_.server->has_pending());
  asked += read_server();
  EXPECT_EQ(asked, "xxx");
  EXPECT_FALSE(pair_.server->has_pending());
}

TEST_F(TlsHalfSent, APeerMayUploadBeforeItReads) {
  batch_.append_borrowed(content_, nullptr);
  write_until_blocked();
  ASSERT_TRUE(pair_.client->write("up"));
  ASSERT_TRUE(pair_.client->write("load"));
  EXPECT_EQ(read_server(), "upload");
  EXPECT_EQ(last_.status, IoStatus::would_block);
}

TEST_F(TlsHalfSent, KeyUpdatesBetweenRecordsAreReadOver) {
  std::string sent;
  for (const char c : {'a', 'b', 'c', 'd'}) {
    update_keys();
    sent += c;
    ASSERT_TRUE(pair_.client->write({&c, 1}));
    update_keys();
  }
  EXPECT_EQ(read_server(), sent);
  EXPECT_EQ(last_.status, IoStatus::would_block);
}

TEST_F(TlsHalfSent, AFileThatShrinksBeforeTheRetryLeaksNothingOfOthers) {
  update_keys();
  EXPECT_EQ(read_server(), "");
  SystemFaults faults;
  faults->send = [](int, const void*, std::size_t, int) -> ssize_t {
    errno = EAGAIN;
    return -1;
  };
  const std::string content(10'000, 'f');
  auto file = std::make_shared<OpenFile>();
  file->fd = memory_file(content);
  file->size_bytes = content.size();
  batch_.append_file(file, 0, content.size());
  write_until_blocked();  // the answer to the key update is what waits; the file's record is not begun
  ASSERT_EQ(::ftruncate(file->fd.get(), 4), 0);
  syscalls() = real_syscalls();

  TlsPair other{load({.self_signed = true})};
  ASSERT_TRUE(other.shake_hands());
  EgressBatch secrets;
  secrets.append("between ");
  secrets.append_borrowed(std::string_view{content_}.substr(0, 12'000), nullptr);
  ASSERT_EQ(other.server->write(secrets).status, IoStatus::ok);

  static_cast<void>(pair_.server->write(batch_));
  const std::string received = pair_.client->read();
  EXPECT_THAT(received, testing::StartsWith("ffff"));
  EXPECT_EQ(received.find_first_of("fc", 4), std::string::npos);
}

}  // namespace
}  // namespace equinox::net
