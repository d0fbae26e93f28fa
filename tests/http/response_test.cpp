#include <gtest/gtest.h>

#include <equinox/response.hpp>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace equinox {
namespace {

using namespace std::string_view_literals;

TEST(Response, KeepsFieldsInOrderBeyondTheInlineOnes) {
  Response response;
  for (int i = 0; i < 10; ++i) response.with("X", std::to_string(i));
  EXPECT_EQ(response.inline_field_count(), Response::kInlineFields);
  EXPECT_EQ(response.inline_field(7).view(), "7");
  ASSERT_EQ(response.more_fields().size(), 2U);
  EXPECT_EQ(response.more_fields()[1].second, "9");
  const Response moved = std::move(response);
  EXPECT_EQ(moved.inline_field(0).view(), "0");
  EXPECT_EQ(moved.field("x"), "0");
}

TEST(Response, LeavesTheCodecsFieldsToTheCodec) {
  Response response;
  for (const std::string_view name : {"Content-Length", "date", "Connection", "Transfer-Encoding", "Keep-Alive"}) {
    response.with(name, "x").with_dynamic(std::string{name}, "x");
  }
  EXPECT_EQ(response.inline_field_count(), 0U);
  EXPECT_TRUE(response.more_fields().empty());
}

TEST(Response, BecomesAnErrorRatherThanTwoResponses) {
  EXPECT_EQ(Response::redirect("/a\r\nSet-Cookie: x").status(), Status{500});
  Response field;
  field.with("X", "a\nb");
  EXPECT_EQ(field.status(), Status{500});
  EXPECT_EQ(field.inline_field_count(), 0U);
  for (const std::string_view name : {"X Y"sv, "X\r\nSet-Cookie: a"sv, "X:"sv, "X\0Y"sv, ""sv}) {
    for (const auto& set : std::initializer_list<std::function<void(Response&)>>{
             [&](Response& response) { response.with(name, std::string{"z"}); },
             [&](Response& response) { response.with(name, "z"); },
             [&](Response& response) { response.with_dynamic(std::string{name}, "z"); },
             [&](Response& response) { response.trailer(std::string{name}, "z"); }}) {
      Response response;
      set(response);
      EXPECT_EQ(response.status(), Status{500}) << name;
      EXPECT_EQ(response.inline_field_count(), 0U) << name;
      EXPECT_FALSE(response.has_more()) << name;
    }
  }
}

TEST(Response, DropsBlanksAroundValues) {
  Response response;
  response.with("X-A", std::string{" a b\t"}).with("X-B", "\tb ").with("X-C", " \t ").with("content-type", " a/b ");
  response.with_dynamic("X-D", " d").trailer("X-E", "e ");
  EXPECT_EQ(response.status(), Status{200});
  EXPECT_EQ(response.field("X-A"), "a b");
  EXPECT_EQ(response.field("X-B"), "b");
  EXPECT_EQ(response.inline_field(2).view(), "");
  EXPECT_EQ(response.content_type(), "a/b");
  EXPECT_EQ(response.field("X-D"), "d");
  EXPECT_EQ(response.trailers().front().second, "e");
}

TEST(Response, HasOneContentType) {
  Response response = Response::text("x");
  response.with("content-type", "a/b");
  EXPECT_EQ(response.content_type(), "a/b");
  EXPECT_EQ(response.field("Content-Type"), "a/b");
  EXPECT_EQ(response.inline_field_count(), 0U);
}

TEST(Response, KnowsTheLengthOfItsBody) {
  EXPECT_EQ(Response{}.body_length(), 0U);
  EXPECT_EQ(Response::text("abc").body_length(), 3U);
  EXPECT_EQ(Response::file({.file = nullptr, .offset = 5, .length = 7}, "x").body_length(), 0U) << "nothing to send";
  EXPECT_EQ(Response::generate([](std::span<char>, const Resumer&) { return PullResult{}; }, "x").body_length(),
            std::nullopt);
}

TEST(Response, RefusesWhatCouldNeverSendAnything) {
  EXPECT_THROW(Response::generate({}, "x"), std::invalid_argument);
  EXPECT_THROW(Response::events({}), std::invalid_argument);
  EXPECT_THROW(Response::events([](EventStream) {}, {.queue_max_bytes = 0}), std::invalid_argument);
}

TEST(Response, MakesJsonEvenOfBrokenText) {
  EXPECT_EQ(std::get<std::string>(Response::json({{"a", 1}}).body()), "{\"a\":1}");
  EXPECT_NO_THROW(Response::json(nlohmann::json(std::string{"\xff"})));
  EXPECT_EQ(Response::error(404).content_type(), "text/plain; charset=utf-8");
  EXPECT_EQ(std::get<std::string>(Response::error(404).body()), "404 Not Found\n");
}

TEST(Status, HasPhrases) {
  EXPECT_EQ(Status{418}.reason(), "");
  EXPECT_EQ(Status{431}.reason(), "Request Header Fields Too Large");
  EXPECT_TRUE(Status{304}.forbids_body());
  EXPECT_FALSE(Status{200}.forbids_body());
}

}  // namespace
}  // namespace equinox
