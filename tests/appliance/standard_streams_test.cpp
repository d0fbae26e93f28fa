#include "deploy/appliance/standard_streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace equinox::appliance {
namespace {

TEST(StandardStreams, NoDescriptorGetsTheNumberOfAClosedOne) {
  const auto take_a_number = [] {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
    hold_standard_streams();
    ::_exit(::open("/", O_RDONLY) > STDERR_FILENO ? 0 : 1);
  };
  EXPECT_EXIT(take_a_number(), testing::ExitedWithCode(0), "");
}

TEST(StandardStreams, AnOpenOneStaysWhatItIsBesideAClosedOne) {
  const auto say_something = [] {
    ::close(STDIN_FILENO);
    hold_standard_streams();
    ::_exit(::write(STDERR_FILENO, "heard", 5) == 5 ? 0 : 1);
  };
  EXPECT_EXIT(say_something(), testing::ExitedWithCode(0), "heard");
}

TEST(StandardStreams, WhoWritesToAClosedOutputIsToldSo) {
  const auto write = [] {
    ::close(STDOUT_FILENO);
    hold_standard_streams();
    ::_exit(::write(STDOUT_FILENO, "lost", 4) < 0 ? 0 : 1);
  };
  EXPECT_EXIT(write(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace equinox::appliance
