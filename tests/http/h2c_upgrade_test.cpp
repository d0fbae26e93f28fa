#include "http/h2c_upgrade.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace equinox::http {
namespace {

RequestHead head_with(const std::vector<Field>& fields) {
  RequestHead head;
  head.fields = fields;
  return head;
}

TEST(H2cUpgrade, GivesTheSettingsOfARequestThatAsksExactly) {
  const std::vector<Field> fields{{"Connection", "keep-alive, Upgrade, HTTP2-Settings"},
                                  {"Upgrade", "h2c"},
                                  {"HTTP2-Settings", "AAMAAABkAAQAAP__"}};
  const auto payload = h2c_settings(head_with(fields));
  ASSERT_TRUE(payload);
  EXPECT_EQ(*payload, std::string("\0\3\0\0\0d\0\4\0\0\xff\xff", 12));
}

TEST(H2cUpgrade, StaysOnHttp1OtherwiseWhateverIsMissing) {
  const Field connection{"Connection", "Upgrade, HTTP2-Settings"};
  const Field upgrade{"Upgrade", "h2c"};
  const Field settings{"HTTP2-Settings", ""};
  const std::vector<std::vector<Field>> cases{
      {upgrade, settings},
      {connection, settings},
      {connection, upgrade},
      {connection, upgrade, settings, settings},
      {{"Connection", "Upgrade"}, upgrade, settings},
      {{"Connection", "HTTP2-Settings"}, upgrade, settings},
      {connection, {"Upgrade", "h2"}, settings},
      {connection, upgrade, {"HTTP2-Settings", "AAMAAABkAAQAAP_/"}},
      {connection, upgrade, {"HTTP2-Settings", "AAMAAABkAAQAAP8="}},
      {connection, upgrade, {"HTTP2-Settings", "AAMA"}},
      {connection, upgrade, {"HTTP2-Settings", "AAIAAAAC"}},
      {connection, upgrade, {"HTTP2-Settings", "AASAAAAA"}},
      {connection, upgrade, {"HTTP2-Settings", "AAUAAAAA"}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_FALSE(h2c_settings(head_with(cases[i]))) << i;

  const std::vector<Field> good{connection, upgrade, settings};
  EXPECT_TRUE(h2c_settings(head_with(good)));
  RequestHead old = head_with(good);
  old.version = HttpVersion::http10;
  EXPECT_FALSE(h2c_settings(old));
  RequestHead with_body = head_with(good);
  with_body.has_body = true;
  EXPECT_FALSE(h2c_settings(with_body));
  RequestHead over_tls = head_with(good);
  over_tls.scheme = Scheme::https;
  EXPECT_FALSE(h2c_settings(over_tls));
}

TEST(Base64Url, IsReadStrictly) {
  EXPECT_EQ(decode_base64url("TWFu"), "Man");
  EXPECT_EQ(decode_base64url("TWE"), "Ma");
  EXPECT_EQ(decode_base64url("TQ"), "M");
  EXPECT_EQ(decode_base64url(""), "");
  for (const std::string_view text : {"T", "TR", "TWF", "TQ==", "T Q", "TW+u"})
    EXPECT_FALSE(decode_base64url(text)) << text;
}

}  // namespace
}  // namespace equinox::http
