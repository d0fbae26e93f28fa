#include <gtest/gtest.h>

#include <equinox/handler.hpp>
#include <optional>

#include "http/exchange_link.hpp"

namespace equinox {
namespace {

struct Mailbox {
  std::vector<int> answers;
  int unanswered{0};
  int resumed{0};
  std::shared_ptr<http::ExchangeLink> link() {
    auto mail = std::make_shared<http::ExchangeLink::Mail>();
    mail->answer = [this](const http::ExchangeLink::Shared&, Response&& response) {
      answers.push_back(response.status().code());
    };
    mail->unanswered = [this](const http::ExchangeLink::Shared&) { ++unanswered; };
    mail->resume = [this](const http::ExchangeLink::Shared&) { ++resumed; };
    auto made = std::make_shared<http::ExchangeLink>();
    made->mail = std::move(mail);
    return made;
  }
};

TEST(Responder, AnswersOnce) {
  Mailbox box;
  {
    Responder responder{box.link()};
    EXPECT_TRUE(responder.send(Response{201}));
    EXPECT_FALSE(responder.send(Response{202}));
  }
  EXPECT_EQ(box.answers, std::vector<int>{201});
  EXPECT_EQ(box.unanswered, 0);
}

TEST(Responder, SaysOnceThatItWasDropped) {
  Mailbox box;
  {
    Responder first{box.link()};
    Responder second = std::move(first);
    Responder third{box.link()};
    third = std::move(second);  // what third stood for is dropped here
    EXPECT_EQ(box.unanswered, 1);
  }
  EXPECT_EQ(box.unanswered, 2);
  EXPECT_TRUE(box.answers.empty());
}

TEST(Responder, KnowsWhenThePeerIsGone) {
  Mailbox box;
  const auto link = box.link();
  Responder responder{link};
  EXPECT_FALSE(responder.is_gone());
  link->is_gone = true;
  EXPECT_TRUE(responder.is_gone());
  EXPECT_FALSE(responder.send(Response{}));
  EXPECT_TRUE(box.answers.empty());
}

TEST(Resumer, ReachesTheMailboxUntilTheExchangeIsGone) {
  Mailbox box;
  const auto link = box.link();
  const Resumer resumer{link};
  resumer.resume();
  EXPECT_EQ(box.resumed, 1);
  link->is_gone = true;
  resumer.resume();
  EXPECT_EQ(box.resumed, 1);
  EXPECT_TRUE(resumer.is_gone());
  Resumer{}.resume();
}

TEST(Resumer, IsToldOnceUntilItsMailIsTaken) {
  Mailbox box;
  const auto link = box.link();
  for (int i = 0; i < 1000; ++i) Resumer{link}.resume();
  EXPECT_EQ(box.resumed, 1);
  link->is_resume_queued = false;
  Resumer{link}.resume();
  EXPECT_EQ(box.resumed, 2);
}

TEST(Handler, IsRecognisedByItsShape) {
  struct Sink : BodySink {
    SinkStatus receive(std::span<const std::byte>) override { return SinkStatus::more; }
    Response finish() override { return Response{}; }
  };
  EXPECT_NE(Handler{[](const Request&) { return Response{}; }}.sync(), nullptr);
  EXPECT_NE(Handler{[](Request, Responder) {}}.async(), nullptr);
  EXPECT_NE(Handler{[](const Request&) -> std::unique_ptr<BodySink> { return std::make_unique<Sink>(); }}.streaming(),
            nullptr);
}

}  // namespace
}  // namespace equinox
