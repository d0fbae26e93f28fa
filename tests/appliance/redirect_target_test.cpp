#include "deploy/appliance/redirect_target.hpp"

#include <gtest/gtest.h>

namespace equinox::appliance {
namespace {

TEST(RedirectTarget, APlaceholderMayNotNameAnotherHost) {
  EXPECT_EQ(host_naming_placeholder("https://a.example{rest}"), "rest");
  EXPECT_EQ(host_naming_placeholder("https://a.example{id}"), "id");
  EXPECT_EQ(host_naming_placeholder("https://a.example:{id}/"), "id");
  EXPECT_EQ(host_naming_placeholder("https://a.example{query}"), "query");
  EXPECT_EQ(host_naming_placeholder("https://{host}{id}/"), "id");
  EXPECT_EQ(host_naming_placeholder("https://{id}/"), "id");
  EXPECT_EQ(host_naming_placeholder("https://{rest}.a.example/"), "rest") << "it may hold a slash";
  EXPECT_EQ(host_naming_placeholder("https://{path}"), "path");
  EXPECT_EQ(host_naming_placeholder("https:/{rest}"), "rest");
  EXPECT_EQ(host_naming_placeholder("https:///{rest}"), "rest") << "browsers take any number of slashes";
  EXPECT_EQ(host_naming_placeholder("//{id}"), "id");
  EXPECT_EQ(host_naming_placeholder("/\\{id}"), "id");
  EXPECT_EQ(host_naming_placeholder("{query}"), "query");
}

TEST(RedirectTarget, APlaceholderMayFillTheRest) {
  for (const char* to : {"", "/", "/a", "https://a.example", "https://{host}/{rest}?{query}", "https://{host}{path}",
                         "{path}?{query}", "https://{authority}/", "https://{host}:8443/{id}",
                         "https://a.example{path}", "https://a.example?{query}", "https://{id}.a.example/{rest}",
                         "/{query}", "/{id}", "{rest}", "/a:b//{id}", "https://a.example#{id}", "//{"}) {
    EXPECT_EQ(host_naming_placeholder(to), "") << to;
  }
}

}  // namespace
}  // namespace equinox::appliance
