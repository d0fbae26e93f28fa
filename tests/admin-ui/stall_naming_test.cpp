// How long a handler has slept when it is named: in the server's view, in /stalls and on the event stream, with the
// thresholds and intervals a server has by default.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "admin-ui/watched_server.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr int kTries = 12;
/// What a newcomer is promised, from the beginning of the handler.
constexpr double kPromised = 0.1;
/// What a machine that does other things may make of it in most tries.
constexpr double kBusyMachine = 0.5;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

class StallNaming : public WatchedServerTest {
 protected:
  StallNaming() { config.reactors = 2; }

  void serve() {
    make().get("/sleep/{n}", [this](const Request&) {
      began_ = now_seconds();
      // Until it was named everywhere: a stall is told of while it lasts, or not in time.
      for (int n = 0; n < 10'000 && !may_wake_; ++n) std::this_thread::sleep_for(1ms);
      return Response::text("rested");
    });
    start();
    watch();
    stream_ = std::make_unique<RawClient>(watching_port());
    stream_->send("GET /admin/api/v1/events?topics=stalls HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    ASSERT_NE(stream_->read_for("event: hello").find("event: hello"), std::string::npos);
    stream_->forget();
  }

  /// The row of /stalls that is running.
  json running_row() {
    const json page = json::parse(shown("/admin/api/v1/stalls?limit=10"));
    for (const json& row : page["rows"]) {
      if (row["running"].get<bool>()) return row;
    }
    return {};
  }

  /// One sleep; how long it took until each of them named it.
  struct Named {
    double observer{0};  ///< by its own two time stamps
    double api{0};
    double stream{0};
  };
  Named sleep_once(int n) {
    may_wake_ = false;
    began_ = 0;
    const std::string target = "/sleep/" + std::to_string(n);
    RawClient client{port()};
    client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string peer = "127.0.0.1:" + std::to_string(client.local_port());
    Named named;
    std::thread listener{[&] {
      stream_->read_for("\"peer\":\"" + peer + "\"");
      named.stream = now_seconds() - began_;
    }};
    json row;
    EXPECT_TRUE(eventually([&] {
      row = running_row();
      return !row.is_null() && row["peer"] == peer;
    })) << "not named while it slept";
    named.api = now_seconds() - began_;
    listener.join();
    std::int64_t started = 0;
    server().view().stalls([&](const StallRecord& stall) {
      started = stall.started_ns;
      return false;
    });
    named.observer = row["duration_seconds"];
    EXPECT_LE(static_cast<double>(started) / 1e9, began_ + 1e-6) << "timed from the last reading before it";
    EXPECT_EQ(row["route"], "/sleep/{n}");
    EXPECT_EQ(row["cause"], "handler");
    EXPECT_NE(stream_->received().find("\"running\":true"), std::string::npos) << stream_->received();
    EXPECT_NE(stream_->received().find("\"peer\":\"" + peer + "\""), std::string::npos) << stream_->received();
    may_wake_ = true;
    client.read_for("rested");
    EXPECT_TRUE(eventually([&] { return running_row().is_null(); }));
    stream_->forget();
    return named;
  }

 private:
  std::atomic<bool> may_wake_{false};
  std::atomic<double> began_{0};
  std::unique_ptr<RawClient> stream_;
};

TEST_F(StallNaming, ASleepingHandlerIsNamedWithinATenthOfASecond) {
  serve();
  std::vector<double> observer;
  std::vector<double> api;
  std::vector<double> stream;
  for (int n = 0; n < kTries && !HasFailure(); ++n) {
    const Named named = sleep_once(n);
    observer.push_back(named.observer);
    api.push_back(named.api);
    stream.push_back(named.stream);
  }
  ASSERT_FALSE(HasFailure());
  const auto check = [](const char* where, const std::vector<double>& all) {
    const double best = *std::min_element(all.begin(), all.end());
    std::cout << where << ": median " << median(all) * 1e3 << " ms, " << best * 1e3 << " to "
              << *std::max_element(all.begin(), all.end()) * 1e3 << " ms after the handler began\n";
    EXPECT_LE(best, kPromised) << where;
    EXPECT_LE(median(all), kBusyMachine) << where;
  };
  check("observer", observer);
  check("/stalls", api);
  check("event stream", stream);
}

}  // namespace
}  // namespace equinox::testing
