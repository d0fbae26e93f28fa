#include <gtest/gtest.h>

#include <atomic>
#include <equinox/body.hpp>
#include <equinox/response.hpp>
#include <optional>
#include <thread>

#include "http/exchange_link.hpp"

namespace equinox {
namespace {

class EventStreamTest : public testing::Test {
 protected:
  void open(EventStreamOptions options = {}) {
    response = Response::events([this](EventStream stream) { events = std::move(stream); }, options);
    auto mail = std::make_shared<http::ExchangeLink::Mail>();
    mail->resume = [this](const http::ExchangeLink::Shared& resumed_link) {
      ++resumed;
      resumed_link->is_resume_queued = false;  // as the reactor does when it takes the mail
    };
    link = std::make_shared<http::ExchangeLink>();
    link->mail = std::move(mail);
    source().attach(Resumer{link});
  }
  BodySource& source() { return *std::get<std::unique_ptr<BodySource>>(response->body()); }
  std::string pull(std::size_t room = 4096) {
    std::string text(room, '\0');
    last = source().pull(text);
    return text.substr(0, last.count);
  }
  std::optional<Response> response;
  std::optional<EventStream> events;
  std::shared_ptr<http::ExchangeLink> link;
  std::atomic<int> resumed{0};
  PullResult last;
};

TEST_F(EventStreamTest, OneThatWasMovedFromIsClosed) {
  open();
  const EventStream kept = std::move(*events);
  EXPECT_TRUE(kept.is_open());
  EXPECT_FALSE(events->is_open());
  EXPECT_FALSE(events->send({.data = "a"}));
  EXPECT_FALSE(events->comment("a"));
  EXPECT_EQ(events->dropped(), 0U);
  events->close();
  EXPECT_TRUE(kept.is_open()) << "it was not this one's to close";
}

TEST_F(EventStreamTest, WritesEventsAsTheStandardHasThem) {
  open({.queue_max_bytes = 4096, .overflow = Overflow::drop_oldest, .retry_ms = 500});
  EXPECT_TRUE(events->send({.data = "one\ntwo\r\nthree\rfour", .event = "tick", .id = "7"}));
  EXPECT_TRUE(events->comment("alive"));
  EXPECT_TRUE(events->send({.data = "", .event = "bad\nname", .id = {}}));
  EXPECT_EQ(pull(),
            "retry: 500\n\nevent: tick\nid: 7\ndata: one\ndata: two\ndata: three\ndata: four\n\n: alive\n\ndata: \n\n");
  EXPECT_EQ(response->content_type(), "text/event-stream");
}

TEST_F(EventStreamTest, ResumesOnceWhenPulledDry) {
  open();
  EXPECT_EQ(pull(), "");
  EXPECT_EQ(last.status, PullStatus::pending);
  events->send({.data = "a"});
  events->send({.data = "b"});
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(pull(4), "data");
  EXPECT_EQ(pull(), ": a\n\ndata: b\n\n");
}

TEST_F(EventStreamTest, FollowsItsOverflowPolicy) {
  open({.queue_max_bytes = 20, .overflow = Overflow::drop_oldest, .retry_ms = 0});
  for (const char* text : {"a", "b", "c"}) EXPECT_TRUE(events->send({.data = text}));
  EXPECT_EQ(events->dropped(), 1U);
  EXPECT_EQ(pull(), "data: b\n\ndata: c\n\n");

  open({.queue_max_bytes = 20, .overflow = Overflow::drop_newest, .retry_ms = 0});
  for (const char* text : {"a", "b", "c"}) EXPECT_TRUE(events->send({.data = text}));
  EXPECT_EQ(pull(), "data: a\n\ndata: b\n\n");

  open({.queue_max_bytes = 20, .overflow = Overflow::close, .retry_ms = 0});
  EXPECT_TRUE(events->send({.data = "a"}));
  EXPECT_TRUE(events->send({.data = "b"}));
  EXPECT_FALSE(events->send({.data = "c"}));
  EXPECT_EQ(events->dropped(), 1U);
  EXPECT_EQ(pull(), "data: a\n\ndata: b\n\n");
  EXPECT_EQ(last.status, PullStatus::end);
}

TEST_F(EventStreamTest, LosesNoRetryToAnOverflow) {
  open({.queue_max_bytes = 20, .overflow = Overflow::drop_oldest, .retry_ms = 500});
  for (const char* text : {"a", "b", "c"}) EXPECT_TRUE(events->send({.data = text}));
  EXPECT_EQ(events->dropped(), 1U);
  EXPECT_EQ(pull(4), "retr");
  EXPECT_TRUE(events->send({.data = "d"}));
  EXPECT_EQ(pull(), "y: 500\n\ndata: c\n\ndata: d\n\n");
  for (const char* text : {"e", "f", "g"}) EXPECT_TRUE(events->send({.data = text}));
  EXPECT_EQ(pull(), "data: f\n\ndata: g\n\n");
}

TEST_F(EventStreamTest, WhatNeverFitsCostsNoOtherEventItsPlace) {
  open({.queue_max_bytes = 20, .overflow = Overflow::drop_oldest, .retry_ms = 0});
  EXPECT_TRUE(events->send({.data = "a"}));
  EXPECT_TRUE(events->send({.data = std::string(100, 'x')}));
  EXPECT_EQ(events->dropped(), 1U);
  EXPECT_EQ(pull(), "data: a\n\n");
}

TEST_F(EventStreamTest, EndsWhenTheLastCopyIsGone) {
  open();
  {
    const EventStream copy = *events;
    events.reset();
    EXPECT_TRUE(copy.is_open());
  }
  EXPECT_EQ(pull(), "");
  EXPECT_EQ(last.status, PullStatus::end);
}

TEST_F(EventStreamTest, NeverSplicesAHalfSentEvent) {
  open({.queue_max_bytes = 20, .overflow = Overflow::drop_oldest, .retry_ms = 0});
  events->send({.data = "a"});
  EXPECT_EQ(pull(3), "dat");
  events->send({.data = "b"});
  events->send({.data = "c"});
  EXPECT_EQ(pull(), "a: a\n\ndata: c\n\n");
}

TEST_F(EventStreamTest, EndsWhenClosedAndKnowsWhenThePeerIsGone) {
  open();
  events->send({.data = "a"});
  events->close();
  EXPECT_FALSE(events->is_open());
  EXPECT_FALSE(events->send({.data = "b"}));
  EXPECT_EQ(pull(), "data: a\n\n");
  EXPECT_EQ(last.status, PullStatus::end);

  open();
  link->is_gone = true;
  EXPECT_FALSE(events->send({.data = "x"}));
  open();
  response.reset();
  EXPECT_FALSE(events->send({.data = "x"}));
}

TEST_F(EventStreamTest, TakesEventsFromAnotherThread) {
  open({.queue_max_bytes = 1 << 20, .overflow = Overflow::drop_newest, .retry_ms = 0});
  std::thread sender{[this] {
    for (int i = 0; i < 1000; ++i) events->send({.data = "x"});
    events->close();
  }};
  std::size_t bytes = 0;
  do {
    bytes += pull(100).size();
  } while (last.status != PullStatus::end);
  sender.join();
  EXPECT_EQ(bytes, 9000U);
}

}  // namespace
}  // namespace equinox
