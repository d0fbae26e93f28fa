#include "http/refusal.hpp"

#include <gtest/gtest.h>

namespace equinox::http {
namespace {

TEST(Refusal, HasTheStatusThatSaysWhatWasWrong) {
  struct Case {
    Errc code;
    int status;
  };
  for (const Case& c :
       {Case{Errc::bad_field, 400}, Case{Errc::conflicting_framing, 400}, Case{Errc::timed_out, 408},
        Case{Errc::content_too_large, 413}, Case{Errc::chunk_overhead, 413}, Case{Errc::target_too_long, 414},
        Case{Errc::expectation_failed, 417}, Case{Errc::misdirected, 421}, Case{Errc::head_too_large, 431},
        Case{Errc::method_unknown, 501}, Case{Errc::transfer_coding_unknown, 501},
        Case{Errc::descriptors_exhausted, 503}, Case{Errc::version_unsupported, 505}}) {
    EXPECT_EQ(status_of(c.code).code(), c.status) << to_string(c.code);
    EXPECT_TRUE(refusal_response(c.code).closes_connection());
  }
  EXPECT_EQ(refusal_response(Status{503}).field("Retry-After"), "1");
}

TEST(Refusal, IsNotWrittenToWhomDoesNotSpeakHttp) {
  EXPECT_FALSE(is_answerable(Errc::wrong_protocol));
  EXPECT_FALSE(is_answerable(Errc::peer_reset));
  EXPECT_TRUE(is_answerable(Errc::bad_field));
}

}  // namespace
}  // namespace equinox::http
