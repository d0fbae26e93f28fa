#include <gtest/gtest.h>

#include <equinox/request.hpp>
#include <string>
#include <vector>

namespace equinox {
namespace {

TEST(Request, OwnsEverythingOnceCopied) {
  std::optional<Request> owned;
  {
    const std::string bytes = "POST /users/7 token body-text sum";
    const auto part = [&bytes](std::size_t at, std::size_t size) { return std::string_view{bytes}.substr(at, size); };
    RequestHead head;
    head.method = Method::post;
    head.method_name = part(0, 4);
    head.target = head.path = part(5, 8);
    const std::vector<Field> fields{{part(14, 5), part(20, 4)}, {part(0, 4), {}}};
    head.fields = fields;
    RequestContext context;
    context.stream = 9;
    context.request_id = part(14, 5);
    const std::vector<PathParameter> parameters{{part(6, 5), part(12, 1)}};
    const std::vector<Field> trailers{{part(30, 3), part(12, 1)}};
    owned = Request{head, context, part(20, 9), parameters, trailers}.to_owned();
  }
  const Request moved = std::move(*owned);
  EXPECT_TRUE(moved.is_owning());
  EXPECT_EQ(moved.method(), Method::post);
  EXPECT_EQ(moved.method_name(), "POST");
  EXPECT_EQ(moved.path(), "/users/7");
  EXPECT_EQ(moved.field("TOKEN"), "body");
  EXPECT_EQ(moved.body(), "body-text");
  EXPECT_EQ(moved.parameter("users"), "7");
  EXPECT_EQ(moved.parameter("none"), "");
  EXPECT_EQ(moved.trailers()[0].name, "sum");
  EXPECT_EQ(moved.request_id(), "token");
  EXPECT_EQ(moved.context().stream, 9U);
}

TEST(Request, BorrowsUntilItIsCopied) {
  const RequestHead head;
  const RequestContext context;
  const Request request{head, context, "x"};
  EXPECT_FALSE(request.is_owning());
  EXPECT_EQ(&request.head(), &head);
  const Request copy = request.to_owned();
  EXPECT_NE(&copy.head(), &head);
  EXPECT_EQ(copy.body(), "x");
}

bool takes_gzip(const std::vector<Field>& fields) {
  RequestHead head;
  head.fields = fields;
  const RequestContext context;
  return Request{head, context}.accepts_encoding("gzip");
}

TEST(Request, SaysWhichCodingsTheClientTakes) {
  const auto takes = [](std::string_view value) { return takes_gzip({{"Accept-Encoding", value}}); };
  EXPECT_FALSE(takes_gzip({}));
  EXPECT_FALSE(takes(""));
  EXPECT_TRUE(takes("gzip"));
  EXPECT_TRUE(takes("x-gzip"));
  EXPECT_TRUE(takes("br;q=1.0, gzip;q=0.8"));
  EXPECT_FALSE(takes("gzip;q=0, *"));
  EXPECT_TRUE(takes("*;q=0.1"));
  EXPECT_FALSE(takes("br, deflate"));
  EXPECT_FALSE(takes("gzip;q=0.5, identity;q=1")) << "it would rather have it plain";
  EXPECT_TRUE(takes("gzip, identity;q=0.5"));
  EXPECT_TRUE(takes_gzip({{"accept-encoding", "br"}, {"ACCEPT-ENCODING", "gzip"}})) << "two fields are one list";
}

}  // namespace
}  // namespace equinox
