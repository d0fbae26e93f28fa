#include "http/http1_codec.hpp"

#include <gtest/gtest.h>

#include "http/http1_peer.hpp"

namespace equinox::http::test {
namespace {

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: x.example\r\nX: 1\r\n\r\n";

TEST(Http1Codec, DeliversAHeadWithItsParts) {
  Http1Peer peer;
  EXPECT_EQ(peer.send(kGet), kGet.size());
  const RequestHead* head = peer.head();
  ASSERT_NE(head, nullptr);
  EXPECT_TRUE(peer.events.front().end_of_message);
  EXPECT_EQ(peer.events.front().stream, 1U);
  EXPECT_EQ(head->method, Method::get);
  EXPECT_EQ(head->version, HttpVersion::http11);
  EXPECT_EQ(head->path, "/a");
  EXPECT_EQ(head->query, "b");
  EXPECT_EQ(head->target, "/a?b");
  EXPECT_EQ(head->authority, "x.example");
  EXPECT_EQ(head->field("x"), "1");
  EXPECT_EQ(head->fields.size(), 2U);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->has_body);
}

TEST(Http1Codec, HoldsAParserOnlyWhileAMessageIsParsedAndAnswered) {
  Http1Peer peer;
  EXPECT_EQ(peer.pool.lent(), 0U);
  peer.send(kGet.substr(0, 20));
  EXPECT_EQ(peer.pool.lent(), 0U);
  peer.send(kGet.substr(20));
  EXPECT_EQ(peer.pool.lent(), 1U);
  peer.respond(Response::literal("ok", "text/plain"));
  EXPECT_EQ(peer.pool.lent(), 0U);
}

TEST(Http1Codec, UsesNothingOfTheNextRequestBeforeTheAnswer) {
  Http1Peer peer;
  const std::string two = std::string{kGet} + std::string{kGet};
  EXPECT_EQ(peer.send(two), kGet.size());
  EXPECT_FALSE(peer.codec.state().can_receive);
  EXPECT_EQ(peer.receive(), 0U);
  peer.respond(Response{});
  EXPECT_TRUE(peer.codec.state().can_receive);
  EXPECT_EQ(peer.receive(), kGet.size());
  EXPECT_EQ(peer.events.front().stream, 2U);
}

TEST(Http1Codec, SaysThatAHeadHasStarted) {
  Http1Peer peer;
  EXPECT_FALSE(peer.codec.state().head_started);
  peer.send("G");
  EXPECT_TRUE(peer.codec.state().head_started);
  peer.send(kGet.substr(1));
  EXPECT_FALSE(peer.codec.state().head_started);
  EXPECT_EQ(peer.codec.state().open_streams, 1U);
}

TEST(Http1Codec, RefusesAnEncodedClimb) {
  Http1Peer peer;
  peer.send("GET /a/%2e%2e/%2E%2e/x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(peer.has_failed);
  EXPECT_EQ(peer.error, Errc::bad_target);
}

TEST(Http1Codec, WritesTheRefusalOnceAndIsFinished) {
  Http1Peer peer;
  peer.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(peer.has_failed);
  peer.codec.respond(0, refusal_response(peer.error), peer.batch, peer.sent_events);
  peer.codec.respond(0, refusal_response(peer.error), peer.batch, peer.sent_events);
  const std::string answer = peer.take_output();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("HTTP/1.1", 8), std::string::npos);
  EXPECT_TRUE(peer.codec.state().is_finished);
  EXPECT_EQ(peer.pool.lent(), 0U);
}

TEST(Http1Codec, AnswersTheGoodRequestBeforeTheBadOne) {
  Http1Peer peer;
  peer.send(std::string{kGet} + "BAD\r\n\r\n");
  ASSERT_FALSE(peer.has_failed);
  peer.respond(Response::literal("ok", "text/plain"));
  peer.receive();
  ASSERT_TRUE(peer.has_failed);
  peer.respond(refusal_response(peer.error));
  const std::string answers = peer.take_output();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 200 OK"));
  EXPECT_NE(answers.find("okHTTP/1.1 400 Bad Request"), std::string::npos) << answers;
}

TEST(Http1Codec, TakesAnUpgradeToH2cOnlyWhereAllowed) {
  constexpr std::string_view kUpgrade =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
  Http1Peer allowed{{.scheme = Scheme::http, .h2c_upgrade_allowed = true}};
  allowed.send(kUpgrade);
  EXPECT_TRUE(allowed.head()->upgrades_to_h2c);
  Http1Peer refused;
  refused.send(kUpgrade);
  EXPECT_FALSE(refused.head()->upgrades_to_h2c);
}

TEST(Http1Codec, ReportsAPeerThatLeavesInsideAMessage) {
  struct Case {
    std::string_view wire;
    bool is_cut;
  };
  for (const Case& c :
       {Case{"", false}, Case{"GET /", true}, Case{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na", true}}) {
    Http1Peer peer;
    peer.send(c.wire);
    EXPECT_EQ(peer.codec.end_of_input(), c.is_cut) << c.wire;
    EXPECT_TRUE(peer.codec.state().is_finished) << c.wire;
  }
}

TEST(Http1Codec, AnswersWhatWasPipelinedBeforeTheFin) {
  Http1Peer peer;
  peer.send(std::string{kGet} + std::string{kGet});
  EXPECT_FALSE(peer.codec.end_of_input());
  peer.respond(Response{});
  EXPECT_FALSE(peer.codec.state().is_finished);
  peer.receive();
  peer.respond(Response{});
  EXPECT_FALSE(peer.codec.end_of_input());
  EXPECT_TRUE(peer.codec.state().is_finished);
}

TEST(Http1Codec, ClosesWhenDrained) {
  Http1Peer idle;
  idle.codec.begin_drain(DrainStep::announce);
  EXPECT_FALSE(idle.codec.state().is_finished);
  idle.codec.begin_drain(DrainStep::final);
  EXPECT_TRUE(idle.codec.state().is_finished);

  Http1Peer busy;
  busy.send(kGet);
  busy.codec.begin_drain(DrainStep::final);
  EXPECT_FALSE(busy.codec.state().is_finished);
  busy.respond(Response{});
  EXPECT_NE(busy.take_output().find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(busy.codec.state().is_finished);
}

TEST(Http1Codec, IsSmall) { EXPECT_LE(sizeof(Http1Codec), 64U); }

TEST(Http1ParserPool, KeepsNoMoreThanItWasTold) {
  Http1ParserPool pool{2};
  std::vector<Http1Parser*> lent;
  for (int i = 0; i < 4; ++i) lent.push_back(pool.borrow());
  EXPECT_EQ(pool.lent(), 4U);
  for (Http1Parser* parser : lent) pool.give_back(parser);
  EXPECT_EQ(pool.lent(), 0U);
  EXPECT_EQ(pool.borrow(), lent.back());  // the last one back may still be looked at: it must not be the one deleted
  pool.give_back(lent.back());
}

}  // namespace
}  // namespace equinox::http::test
