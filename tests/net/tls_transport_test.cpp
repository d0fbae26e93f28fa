#include "net/tls_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.hpp"
#include "net/sockets.hpp"
#include "net/system_faults.hpp"
#include "net/tls_fixture.hpp"

namespace equinox::net {
namespace {

using namespace std::chrono_literals;

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

// Everything the server can read now; `last` is how it ended.
std::string read_server(TlsTransport& server, IoResult& last, std::size_t chunk_bytes = 4096) {
  std::vector<std::byte> chunk(chunk_bytes);
  std::string out;
  do {
    last = server.read(chunk);
    out.append(reinterpret_cast<const char*>(chunk.data()), last.bytes);
  } while (last.status == IoStatus::ok);
  return out;
}

std::string write_all(TlsPair& pair, EgressBatch& batch) {
  std::string received;
  for (int turn = 0; turn < 100'000 && !batch.empty(); ++turn) {
    const IoResult wrote = pair.server->write(batch);
    if (wrote.status == IoStatus::failed) {
      ADD_FAILURE() << to_string(wrote.error.code);
      break;
    }
    received += pair.client->read();
  }
  return received + pair.client->read();
}

class TlsConnection : public testing::Test {
 protected:
  std::shared_ptr<const TlsContext> context_ = load({.self_signed = true});
};

struct VersionCase {
  const char* name;
  int version;
  const char* text;
};

class TlsVersions : public TlsConnection, public testing::WithParamInterface<VersionCase> {};

TEST_P(TlsVersions, CarryBytesBothWaysAndCloseOnBothSides) {
  TlsPair pair{context_,
               {.server_name = "LocalHost",
                .alpn = kAlpnBoth,
                .min_version = GetParam().version,
                .max_version = GetParam().version}};
  EXPECT_EQ(pair.server->tls(), nullptr);
  ASSERT_TRUE(pair.shake_hands());
  const TlsFacts* facts = pair.server->tls();
  ASSERT_NE(facts, nullptr);
  EXPECT_EQ(facts->version, GetParam().text);
  EXPECT_EQ(facts->alpn, "h2");
  EXPECT_EQ(facts->sni, "LocalHost");
  EXPECT_EQ(facts->cipher, SSL_get_cipher_name(pair.client->native()));
  EXPECT_FALSE(facts->resumed);

  IoResult last;
  ASSERT_TRUE(pair.client->write("hello"));
  EXPECT_EQ(read_server(*pair.server, last), "hello");
  EXPECT_EQ(last.status, IoStatus::would_block);
  EgressBatch batch;
  batch.append("good day");
  EXPECT_EQ(write_all(pair, batch), "good day");

  pair.client->close_notify();
  EXPECT_EQ(read_server(*pair.server, last), "");
  EXPECT_EQ(last.status, IoStatus::closed);
  EXPECT_EQ(last.error, (Error{Errc::peer_closed, 0, 0}));
  batch.append("a last word");
  EXPECT_EQ(pair.server->write(batch).status, IoStatus::ok) << "half-closed: answers still go out";
  pair.server->shutdown_send();
  static_cast<void>(pair.client->read());
  EXPECT_TRUE(pair.client->saw_close_notify());
}

INSTANTIATE_TEST_SUITE_P(Both, TlsVersions,
                         testing::Values(VersionCase{"Tls12", TLS1_2_VERSION, "TLSv1.2"},
                                         VersionCase{"Tls13", TLS1_3_VERSION, "TLSv1.3"}),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST_F(TlsConnection, TellsTruncationFromAnOrderlyEnd) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  ASSERT_TRUE(pair.client->write("half a request"));
  static_cast<void>(pair.client->read());  // unread tickets would turn the end into a reset
  pair.client->close();
  IoResult last;
  std::string read = read_server(*pair.server, last);
  if (last.status == IoStatus::would_block) read += read_server(*pair.server, last);
  EXPECT_EQ(read, "half a request");
  EXPECT_EQ(last.status, IoStatus::closed);
  EXPECT_EQ(last.error, (Error{Errc::peer_closed, 0, 1}));
}

TEST_F(TlsConnection, HasPendingBytesWhenARecordIsReadInPieces) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  ASSERT_TRUE(pair.client->write(patterned(1000)));
  std::array<std::byte, 600> chunk;
  const IoResult first = pair.server->read(chunk);
  EXPECT_EQ(first.status, IoStatus::ok);
  EXPECT_EQ(first.bytes, 600U);
  EXPECT_TRUE(pair.server->has_pending()) << "no edge will announce these";
  const IoResult second = pair.server->read(chunk);
  EXPECT_EQ(second.status, IoStatus::would_block);
  EXPECT_EQ(second.bytes, 400U);
  EXPECT_FALSE(pair.server->has_pending());
}

TEST_F(TlsConnection, IsNotPendingOnARecordThatIsCutInTwo) {
  auto [ours, between] = socket_pair();
  auto server = std::make_unique<TlsTransport>(std::move(ours), context_);
  auto [middle, theirs] = socket_pair();
  TlsClient client{std::move(theirs), {}};
  IoResult result;
  for (int turn = 0; turn < 20 && !(result.status == IoStatus::ok && server->tls() != nullptr); ++turn) {
    static_cast<void>(client.handshake());
    std::string bytes = read_now(middle.get());
    ::send(between.get(), bytes.data(), bytes.size(), 0);
    result = server->handshake();
    bytes = read_now(between.get());
    ::send(middle.get(), bytes.data(), bytes.size(), 0);
  }
  ASSERT_NE(server->tls(), nullptr);
  static_cast<void>(client.handshake());
  ASSERT_TRUE(client.write("whole"));
  const std::string record = read_now(middle.get());
  IoResult last;
  std::string got;
  for (const char c : record) {
    ASSERT_EQ(::send(between.get(), &c, 1, 0), 1);
    got += read_server(*server, last);
    ASSERT_EQ(last.status, IoStatus::would_block);
    ASSERT_FALSE(server->has_pending());
  }
  EXPECT_EQ(got, "whole");
}

TEST_F(TlsConnection, KeyUpdatesWithoutEndEndIt) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  std::vector<std::byte> chunk(4096);
  IoResult last;
  int updates = 0;
  for (; updates < 1000 && last.status != IoStatus::failed; ++updates) {
    ASSERT_EQ(SSL_key_update(pair.client->native(), SSL_KEY_UPDATE_REQUESTED), 1);
    static_cast<void>(SSL_do_handshake(pair.client->native()));
    static_cast<void>(pair.client->read());
    last = pair.server->read(chunk);
  }
  EXPECT_EQ(last.error.code, Errc::tls_flood);
  EXPECT_GT(updates, 20) << "a few are anybody's right";
  EXPECT_LT(updates, 200);
}

TEST_F(TlsConnection, BytesThatMovedAllowForMoreKeyUpdates) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  const std::string megabyte(1024 * 1024, 'm');
  for (int turn = 0; turn < 40; ++turn) {
    EgressBatch batch;
    for (int i = 0; i < 4; ++i) batch.append_borrowed(megabyte, nullptr);
    ASSERT_EQ(write_all(pair, batch).size(), 4 * megabyte.size());
    ASSERT_EQ(SSL_key_update(pair.client->native(), SSL_KEY_UPDATE_REQUESTED), 1);
    static_cast<void>(SSL_do_handshake(pair.client->native()));
    IoResult last;
    static_cast<void>(read_server(*pair.server, last));
    ASSERT_EQ(last.status, IoStatus::would_block) << turn;
  }
}

TEST_F(TlsConnection, TinyRecordsGetNoMoreOfATurnThanLargeOnes) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  // Collected and sent at once: a socket holds few segments that are this small.
  BIO* const records = BIO_new(BIO_s_mem());
  SSL_set0_wbio(pair.client->native(), records);
  constexpr std::size_t sent = 3'000;
  for (std::size_t i = 0; i < sent; ++i) ASSERT_TRUE(pair.client->write("x"));
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(records, &bytes);
  ASSERT_EQ(::send(pair.client->descriptor(), bytes, static_cast<std::size_t>(size), 0), size);
  std::vector<std::byte> chunk(16 * 1024);
  const IoResult first = pair.server->read(chunk);
  EXPECT_EQ(first.status, IoStatus::ok) << "there is more";
  EXPECT_LT(first.bytes, chunk.size()) << "but not in this turn";
  std::size_t got = first.bytes;
  IoResult last;
  got += read_server(*pair.server, last).size();
  EXPECT_EQ(got, sent);
}

TEST(TlsTransportMemory, ASilentPeerCostsNoneOfOpenSsls) {
  auto [ours, theirs] = socket_pair();
  TlsTransport server{std::move(ours), nullptr};  // which it would need to begin
  EXPECT_EQ(server.handshake().status, IoStatus::would_block);
  theirs.reset();
  EXPECT_EQ(server.handshake().status, IoStatus::closed);
}

TEST_F(TlsConnection, ReadsOnceForWhatHasCome) {
  TlsPair pair{context_, {.max_version = TLS1_2_VERSION}};
  ASSERT_TRUE(pair.shake_hands());
  SystemFaults faults;
  static int reads = 0;
  reads = 0;
  faults->recv = [](int fd, void* into, std::size_t size, int flags) {
    ++reads;
    return ::recv(fd, into, size, flags);
  };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.client->write("request"));
  IoResult last;
  EXPECT_EQ(read_server(*pair.server, last), "requestrequestrequest");
  EXPECT_EQ(reads, 1);
}

TEST_F(TlsConnection, SendsSmallSegmentsInOneRecordAndFilesWithTheirHead) {
  TlsPair pair{context_, {.max_version = TLS1_2_VERSION}};
  ASSERT_TRUE(pair.shake_hands());
  SystemFaults faults;
  static int writes = 0;
  writes = 0;
  faults->send = [](int fd, const void* from, std::size_t size, int flags) {
    ++writes;
    return ::send(fd, from, size, flags);
  };
  EgressBatch batch;
  batch.append("head ");
  batch.append_borrowed("borrowed ", nullptr);
  batch.append_file(file_of("..file.."), 2, 4);
  batch.append(" tail");
  EXPECT_EQ(write_all(pair, batch), "head borrowed file tail");
  EXPECT_EQ(writes, 1);
}

TEST_F(TlsConnection, CarriesLargeBodiesWhileThePeerReadsSlowly) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  const std::string content = patterned(3'000'000);
  EgressBatch batch;
  batch.append("head");
  batch.append_file(file_of(content), 0, content.size());
  batch.append_borrowed(content, nullptr);
  batch.append("tail");
  EXPECT_EQ(write_all(pair, batch), "head" + content + content + "tail");
}

TEST_F(TlsConnection, SendsWhatIsLeftOfAFileThatBecameShorter) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  EgressBatch batch;
  batch.append("head ");
  batch.append_file(file_of("short"), 0, 100);
  const IoResult wrote = pair.server->write(batch);
  EXPECT_EQ(wrote.status, IoStatus::failed);
  EXPECT_EQ(wrote.error.code, Errc::file_changed);
  EXPECT_EQ(wrote.bytes, 10U);
  EXPECT_EQ(pair.client->read(), "head short");
}

TEST_F(TlsConnection, KeepsEveryByteThroughFaultsOfTheKernel) {
  SystemFaults faults;
  static unsigned turn = 0;
  faults->recv = [](int fd, void* into, std::size_t size, int flags) -> ssize_t {
    errno = ++turn % 4 == 0 ? EINTR : EAGAIN;
    return turn % 4 == 1 || turn % 4 == 2 ? ::recv(fd, into, size, flags) : -1;
  };
  faults->send = [](int fd, const void* from, std::size_t size, int flags) -> ssize_t {
    errno = ++turn % 3 == 0 ? EINTR : EAGAIN;
    return turn % 3 == 1 ? ::send(fd, from, turn % 2 == 0 ? 1 : std::min<std::size_t>(size, 37), flags) : -1;
  };
  faults->pread = [](int fd, void* into, std::size_t size, off_t offset) -> ssize_t {
    errno = EINTR;
    return ++turn % 2 == 0 ? -1 : ::pread(fd, into, std::min<std::size_t>(size, 100), offset);
  };
  TlsPair pair{context_, {.alpn = kAlpnBoth}};
  bool is_ready = false;
  for (int round = 0; round < 2000 && !is_ready; ++round) is_ready = pair.shake_hands();
  ASSERT_TRUE(is_ready);
  const std::string content = patterned(7'000);
  EgressBatch batch;
  batch.append("head");
  batch.append_file(file_of(content), 0, content.size());
  batch.append(content);
  EXPECT_EQ(write_all(pair, batch), "head" + content + content);
  std::string got;
  IoResult last;
  ASSERT_TRUE(pair.client->write(content.substr(0, 5000)));
  for (int round = 0; round < 1000 && got.size() < 5000; ++round) got += read_server(*pair.server, last, 100);
  EXPECT_EQ(got, content.substr(0, 5000));
}

TEST_F(TlsConnection, NamesErrorsOfTheSocket) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  SystemFaults faults;
  faults->recv = [](int, void*, std::size_t, int) -> ssize_t {
    errno = ECONNRESET;
    return -1;
  };
  std::array<std::byte, 16> into;
  const IoResult read = pair.server->read(into);
  EXPECT_EQ(read.status, IoStatus::failed);
  EXPECT_EQ(read.error, (Error{Errc::peer_reset, ECONNRESET}));

  TlsPair other{context_};
  syscalls() = real_syscalls();
  ASSERT_TRUE(other.shake_hands());
  syscalls().send = [](int, const void*, std::size_t, int) -> ssize_t {
    errno = ETIMEDOUT;
    return -1;
  };
  EgressBatch batch;
  batch.append("x");
  EXPECT_EQ(other.server->write(batch).error, (Error{Errc::timed_out, ETIMEDOUT}));
}

TEST_F(TlsConnection, NamesAnAlertOfThePeer) {
  TlsPair pair{context_, {.max_version = TLS1_2_VERSION}};
  ASSERT_TRUE(pair.shake_hands());
  // Bytes that are no record: the client answers bad_record_mac or unexpected_message, which are fatal.
  const std::string junk{"\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37};
  ASSERT_EQ(::send(pair.server->descriptor(), junk.data(), junk.size(), 0), 37);
  static_cast<void>(pair.client->read());
  IoResult last;
  EXPECT_EQ(read_server(*pair.server, last), "");
  EXPECT_EQ(last.status, IoStatus::failed);
  EXPECT_EQ(last.error, (Error{Errc::tls_alert, 0, SSL_AD_BAD_RECORD_MAC}));
  EgressBatch batch;
  batch.append("x");
  EXPECT_EQ(pair.server->write(batch).status, IoStatus::failed);
}

TEST_F(TlsConnection, NamesTheAlertItSendsForABrokenRecord) {
  TlsPair pair{context_, {.max_version = TLS1_2_VERSION}};
  ASSERT_TRUE(pair.shake_hands());
  const std::string junk{"\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37};
  ASSERT_EQ(::send(pair.client->descriptor(), junk.data(), junk.size(), 0), 37);
  IoResult last;
  EXPECT_EQ(read_server(*pair.server, last), "");
  EXPECT_EQ(last.status, IoStatus::failed);
  EXPECT_EQ(last.error, (Error{Errc::tls_record, 0, SSL_AD_BAD_RECORD_MAC}));
  EXPECT_EQ(read_server(*pair.server, last), "");
  EXPECT_EQ(last.error, (Error{Errc::tls_record, 0, SSL_AD_BAD_RECORD_MAC}));
}

class TlsHandshake : public TlsConnection {};

TEST_F(TlsHandshake, WithoutACommonCipherIsNamed) {
  TlsPair pair{context_, {.max_version = TLS1_2_VERSION, .cipher_list = "AES128-SHA"}};
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.result.error, (Error{Errc::tls_no_shared_cipher, 0, SSL_AD_HANDSHAKE_FAILURE}));
  EXPECT_EQ(pair.client->received_alert(), SSL_AD_HANDSHAKE_FAILURE);
}

TEST_F(TlsHandshake, WithAnOldVersionIsNamed) {
  TlsPair old{context_,
              {.min_version = TLS1_VERSION, .max_version = TLS1_1_VERSION, .cipher_list = "DEFAULT:@SECLEVEL=0"}};
  EXPECT_FALSE(old.shake_hands());
  EXPECT_EQ(old.result.error, (Error{Errc::tls_version, 0, SSL_AD_PROTOCOL_VERSION}));
  TlsPair too_old{load({.self_signed = true, .min_version = TlsVersion::v1_3}), {.max_version = TLS1_2_VERSION}};
  EXPECT_FALSE(too_old.shake_hands());
  EXPECT_EQ(too_old.result.error.code, Errc::tls_version);
}

TEST_F(TlsHandshake, WithoutACommonProtocolEndsWithNoApplicationProtocol) {
  TlsPair pair{context_, {.alpn = "\x04smtp"}};
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.result.error, (Error{Errc::tls_handshake, 0, SSL_AD_NO_APPLICATION_PROTOCOL}));
  EXPECT_EQ(pair.client->received_alert(), SSL_AD_NO_APPLICATION_PROTOCOL);
}

TEST_F(TlsHandshake, SettlesTheProtocolByOurPreferenceAndOurSettings) {
  const auto only_http1 = load({.self_signed = true, .alpn_h2 = false});
  for (const auto& [context, alpn, expected] : {std::tuple{context_, std::string{"\x08http/1.1\x02h2"}, "h2"},
                                                {context_, std::string{"\x08http/1.1"}, "http/1.1"},
                                                {context_, std::string{}, ""},
                                                {only_http1, std::string{kAlpnBoth}, "http/1.1"}}) {
    TlsPair pair{context, {.alpn = alpn}};
    ASSERT_TRUE(pair.shake_hands());
    EXPECT_EQ(pair.server->tls()->alpn, expected);
  }
}

class PlaintextOnTls : public TlsConnection, public testing::WithParamInterface<const char*> {};

TEST_P(PlaintextOnTls, IsRecognised) {
  auto [ours, theirs] = socket_pair();
  auto server = std::make_unique<TlsTransport>(std::move(ours), context_);
  const std::string text = GetParam();
  ASSERT_EQ(::send(theirs.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  const IoResult result = server->handshake();
  EXPECT_EQ(result.status, IoStatus::failed);
  EXPECT_EQ(result.error.code, Errc::tls_plaintext);
}

INSTANTIATE_TEST_SUITE_P(Requests, PlaintextOnTls,
                         testing::Values("GET / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "P",
                                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"));

TEST_F(TlsHandshake, WithRubbishFailsWithoutBeingTakenForHttp) {
  auto [ours, theirs] = socket_pair();
  auto server = std::make_unique<TlsTransport>(std::move(ours), context_);
  ASSERT_EQ(::send(theirs.get(), "\x01\x02\x03\x04\x05\x06\x07", 7, 0), 7);
  const IoResult result = server->handshake();
  EXPECT_EQ(result.status, IoStatus::failed);
  EXPECT_EQ(result.error.code, Errc::tls_handshake);
  server->shutdown_send();
}

TEST_F(TlsHandshake, ThatThePeerGivesUpIsClosedNotFailed) {
  auto [ours, theirs] = socket_pair();
  auto server = std::make_unique<TlsTransport>(std::move(ours), context_);
  EXPECT_EQ(server->handshake().status, IoStatus::would_block);
  theirs.reset();
  const IoResult result = server->handshake();
  EXPECT_EQ(result.status, IoStatus::closed);
  EXPECT_EQ(result.error.code, Errc::peer_closed);
}

/// What the peer has said and its end come with one edge: there is no second one to read the end by.
TEST_F(TlsHandshake, AfterAHangUpAShortReadIsNotTheEnd) {
  auto [ours, theirs] = socket_pair();
  auto server = std::make_unique<TlsTransport>(std::move(ours), context_);
  ASSERT_EQ(::send(theirs.get(), "\x16\x03\x01\x02\x00", 5, 0), 5);
  theirs.reset();
  server->note_hang_up();
  EXPECT_EQ(server->handshake().status, IoStatus::closed);
}

TEST_F(TlsConnection, AfterAHangUpHalfARecordIsNotTheEnd) {
  TlsPair pair{context_};
  ASSERT_TRUE(pair.shake_hands());
  static_cast<void>(pair.client->read());  // unread tickets would turn the end into a reset
  ASSERT_EQ(::send(pair.client->descriptor(), "\x17\x03\x03\x01\x00half", 9, 0), 9);
  pair.client->close();
  pair.server->note_hang_up();
  IoResult last;
  EXPECT_EQ(read_server(*pair.server, last), "");
  EXPECT_EQ(last.status, IoStatus::closed);
}

class TlsNames : public testing::Test {
 protected:
  TlsSettings settings() {
    return {.certificates = {folder_.make("first", {"first.example"}), folder_.make("wild", {"*.example.com"}),
                             folder_.make("exact", {"exact.example.com"})}};
  }
  CertificateFolder folder_;
};

TEST_F(TlsNames, ChooseTheCertificate) {
  const auto context = load(settings());
  for (const auto& [name, expected] : {std::pair{"first.example", "first"},
                                       {"a.example.com", "wild"},
                                       {"EXACT.example.com", "exact"},
                                       {"unknown.org", "first"},
                                       {"", "first"}}) {
    TlsPair pair{context, {.server_name = name}};
    ASSERT_TRUE(pair.shake_hands()) << name;
    EXPECT_EQ(pair.client->subject(), expected) << name;
    EXPECT_EQ(pair.server->tls()->sni, name);
  }
}

TEST_F(TlsNames, ThatAreUnknownAreRefusedWhenStrict) {
  TlsSettings strict = settings();
  strict.strict_sni = true;
  const auto context = load(strict);
  TlsPair unknown{context, {.server_name = "unknown.org"}};
  EXPECT_FALSE(unknown.shake_hands());
  EXPECT_EQ(unknown.result.error, (Error{Errc::tls_sni_unknown, 0, SSL_AD_UNRECOGNIZED_NAME}));
  EXPECT_EQ(unknown.client->received_alert(), SSL_AD_UNRECOGNIZED_NAME);
  EXPECT_EQ(unknown.server->server_name(), "unknown.org");
  TlsPair known{context, {.server_name = "a.example.com"}};
  EXPECT_TRUE(known.shake_hands());
  TlsPair unnamed{context};
  EXPECT_TRUE(unnamed.shake_hands()) << "a client without SNI asks for the default";
}

class TlsResumption : public TlsVersions {
 protected:
  static bool resumes(const std::shared_ptr<const TlsContext>& context, SSL_SESSION* session, int version) {
    TlsPair pair{context,
                 {.server_name = "localhost", .min_version = version, .max_version = version, .session = session}};
    EXPECT_TRUE(pair.shake_hands());
    return pair.server->tls()->resumed;
  }
  SSL_SESSION* first_session(int version) {
    TlsPair pair{context_, {.server_name = "localhost", .min_version = version, .max_version = version}};
    EXPECT_TRUE(pair.shake_hands());
    EgressBatch batch;
    batch.append("x");
    EXPECT_EQ(write_all(pair, batch), "x");  // the ticket comes before it
    return pair.client->session();
  }
};

TEST_P(TlsResumption, WorksAlsoAfterAReloadAndOneRotationOfTheKeys) {
  SSL_SESSION* const session = first_session(GetParam().version);
  EXPECT_TRUE(resumes(context_, session, GetParam().version));
  const auto reloaded = load({.self_signed = true, .ticket_keys = context_->ticket_keys()});
  EXPECT_TRUE(resumes(reloaded, session, GetParam().version));
  reloaded->ticket_keys()->rotate();
  EXPECT_TRUE(resumes(reloaded, session, GetParam().version));
  reloaded->ticket_keys()->rotate();
  EXPECT_FALSE(resumes(reloaded, session, GetParam().version));
  EXPECT_FALSE(resumes(load({.self_signed = true}), session, GetParam().version)) << "foreign keys";
  SSL_SESSION_free(session);
}

TEST_P(TlsResumption, EndsWithTheSecondPeriodOfTheKey) {
  TlsTicketKeys& keys = *context_->ticket_keys();
  ManualClock clock;
  const auto pass = [&](Duration time) {
    clock.advance(time);
    keys.rotate_if_due(clock.now());
  };
  pass(0ns);
  SSL_SESSION* const session = first_session(GetParam().version);
  pass(TlsTicketKeys::kPeriod);
  EXPECT_TRUE(resumes(context_, session, GetParam().version));
  pass(TlsTicketKeys::kPeriod - 1ns);
  EXPECT_TRUE(resumes(context_, session, GetParam().version));
  pass(1ns);
  EXPECT_FALSE(resumes(context_, session, GetParam().version));
  SSL_SESSION_free(session);
}

INSTANTIATE_TEST_SUITE_P(Both, TlsResumption,
                         testing::Values(VersionCase{"Tls12", TLS1_2_VERSION, "TLSv1.2"},
                                         VersionCase{"Tls13", TLS1_3_VERSION, "TLSv1.3"}),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST_F(TlsHandshake, IsNotRepeatedOnAConnection) {
  TlsPair pair{context_, {.max_version = TLS1_2_VERSION}};
  ASSERT_TRUE(pair.shake_hands());
  ASSERT_EQ(SSL_renegotiate(pair.client->native()), 1);
  static_cast<void>(pair.client->handshake());
  IoResult last;
  EXPECT_EQ(read_server(*pair.server, last), "");
  static_cast<void>(pair.client->read());
  EXPECT_EQ(SSL_session_reused(pair.client->native()), 0);
  EXPECT_NE(pair.client->handshake(), 1) << "the server answered no_renegotiation";
}

}  // namespace
}  // namespace equinox::net
