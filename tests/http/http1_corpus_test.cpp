#include "http/http1_corpus.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "http/http1_peer.hpp"

namespace equinox::http::test {
namespace {

/// Everything a connection would have seen and sent, in words.
class Transcript {
 public:
  explicit Transcript(Http1Peer& peer) : peer_{peer} {}

  void feed(std::string_view bytes) {
    if (peer_.has_failed) return;
    peer_.send(bytes);
    while (note() && !peer_.unused.empty()) {
      const std::size_t used = peer_.receive();
      if (used == 0 && peer_.events.empty() && !peer_.has_failed) return;
    }
  }
  std::string finish() {
    if (!peer_.has_failed) text_ += peer_.codec.end_of_input() ? "cut\n" : "end\n";
    return text_ + text_of(peer_.batch);
  }

 private:
  bool note() {
    for (const CodecEvent& event : peer_.events) {
      if (event.kind == EventKind::head) note_head(*event.head);
      if (event.kind == EventKind::body) body_.append(reinterpret_cast<const char*>(event.data), event.size);
      for (const Field& field : event.trailers()) text_.append(field.name).append("~").append(field.value).append("\n");
      if (!event.end_of_message) continue;
      text_ += "body=" + body_ + "\n";
      body_.clear();
      peer_.respond(Response::literal("ok", "text/plain"));
    }
    if (peer_.has_failed) {
      text_ += "refused: " + std::string{to_string(peer_.error)} + "\n";
      peer_.respond(refusal_response(peer_.error));
    }
    return !peer_.has_failed && !peer_.codec.state().is_finished;
  }
  void note_head(const RequestHead& head) {
    text_.append(head.method_name).append(" ").append(head.path).append(" ").append(head.query).append(" ");
    text_.append(head.authority).append("\n");
    for (const Field& field : head.fields) text_.append(field.name).append("=").append(field.value).append("\n");
  }

  Http1Peer& peer_;
  std::string text_;
  std::string body_;
};

std::string whole(const WireCase& wire) {
  Http1Peer peer;
  Transcript transcript{peer};
  transcript.feed(wire.wire);
  return transcript.finish();
}

std::string in_pieces(const WireCase& wire, std::size_t first, std::size_t each) {
  Http1Peer peer;
  Transcript transcript{peer};
  std::string_view rest = wire.wire;
  for (std::size_t size = first; !rest.empty(); size = each) {
    transcript.feed(rest.substr(0, size));
    rest.remove_prefix(std::min(size, rest.size()));
  }
  return transcript.finish();
}

TEST(Http1Corpus, HasAtLeastOneHundredAndFiftyCases) { EXPECT_GE(wire_cases().size(), 150U); }

class EachWire : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] static const WireCase& wire() { return wire_cases()[GetParam()]; }
};

TEST_P(EachWire, IsServedOrRefusedAsTheStandardSays) {
  Http1Peer peer;
  Transcript transcript{peer};
  transcript.feed(wire().wire);
  const std::string seen = transcript.finish();
  if (wire().refusal) {
    ASSERT_TRUE(peer.has_failed) << "accepted: " << seen;
    EXPECT_EQ(peer.error, *wire().refusal) << "got " << to_string(peer.error);
    EXPECT_TRUE(peer.codec.state().is_finished);
  } else {
    EXPECT_FALSE(peer.has_failed) << to_string(peer.error) << "\n" << seen;
    EXPECT_EQ(seen.find("cut\n"), std::string::npos) << seen;
  }
}

TEST_P(EachWire, GivesTheSameAnswerHoweverItIsCut) {
  const std::string expected = whole(wire());
  EXPECT_EQ(in_pieces(wire(), 1, 1), expected) << "byte by byte";
  EXPECT_EQ(in_pieces(wire(), 7, 7), expected) << "seven bytes at a time";
  // Large cases are cut near their ends and at a few hundred places between: the middle is one long run.
  const std::size_t size = wire().wire.size();
  const std::size_t step = std::max<std::size_t>(1, size / 400);
  for (std::size_t cut = 1; cut < size; cut += (cut < 100 || cut + 100 > size) ? 1 : step) {
    ASSERT_EQ(in_pieces(wire(), cut, size), expected) << "cut behind byte " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc9112, EachWire, testing::Range<std::size_t>(0, wire_cases().size()),
                         [](const auto& test) { return wire_cases()[test.param].name; });

}  // namespace
}  // namespace equinox::http::test
