#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/listener.hpp"
#include "net/poller.hpp"
#include "net/wakeup.hpp"
#include "server/admission.hpp"
#include "server/connection.hpp"
#include "server/connection_table.hpp"
#include "server/lending.hpp"
#include "server/observer_rest.hpp"

namespace equinox::server {

class Reactor;

struct AnswerMail {
  http::ExchangeLink::Shared link;
  std::optional<Response> response;  ///< none: nobody will answer
};
struct ResumeMail {
  http::ExchangeLink::Shared link;
};
struct CloseMail {
  ConnectionId connection;
  CloseReason reason{CloseReason::app_close};
  FixedText<16> actor{};
};
using TaskMail = std::function<void(Reactor&)>;
/// What another thread may want of a reactor.
using Mail = std::variant<AnswerMail, ResumeMail, CloseMail, TaskMail>;
using ReactorMailbox = net::Mailbox<Mail>;

/// A drain as every reactor is told it.
struct DrainPlan {
  Duration delay{0};
  Duration timeout{0};
  bool keep_listeners{false};
  bool ends_queues{false};  ///< nobody else holds the inherited sockets: what is still queued is reset with them
  CloseReason reason{CloseReason::drain};
  FixedText<16> by{};  ///< who asked for it; empty: nobody with a name
};

/// One thread, one loop: wait, dispatch, run again, expire, read mail, reap. Nothing below calls back into it; ids, not
/// pointers, come out of the kernel and out of the mailbox.
class Reactor {
 public:
  struct Listening {
    std::shared_ptr<net::Listener> listener;  ///< kept open a moment longer by whoever reads its accept queue
    bool is_shared{false};                    ///< inherited: several reactors poll the same socket
  };
  struct Setup {
    ReactorIndex index{0};
    Clock clock{};
    std::string name;  ///< of the thread
    std::string server_field;
    std::shared_ptr<const Settings> settings;
    std::vector<Listening> listeners;
    Admission* admission{nullptr};
    telemetry::ReactorTelemetry* telemetry{nullptr};
    ObserverRest* observer_rest{nullptr};  ///< none where nobody observes
    LogProducer log;
    LogProducer access_log;
    const Hooks* hooks{nullptr};
    std::uint64_t request_id_process{0};
    std::size_t refusal_slots{1};
    /// Reactor 0 alone counts what the logs lost, and rotates ticket keys.
    Log server_log{};
    Log access{};
  };

  /// @throws std::system_error when epoll or eventfd cannot be had
  explicit Reactor(Setup setup);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  /// The thread's body; returns after stop(), or when a drain without kept listeners is complete.
  void run();

  /// Any thread. False once the reactor has ended.
  bool post(Mail mail) { return mailbox_->push(std::move(mail)); }

  // By mail only: the reactor's own thread.
  void begin_drain(const DrainPlan& plan);
  void end_drain();
  void stop(CloseReason reason);
  void apply(std::shared_ptr<const Settings> settings);
  [[nodiscard]] Connection* find(ConnectionId id) noexcept { return table_.find(id); }
  [[nodiscard]] const Lending& lending() const noexcept { return lent_; }
  /// @error system, out_of_memory: the poller took not all listeners, and now has none
  Result<void> set_accepting(bool is_accepting);

 private:
  struct Drain {
    DrainPlan plan;
    TimePoint close_at{kNever};
    TimePoint final_at{kNever};
    TimePoint timeout_at{kNever};
  };

  void turn();
  [[nodiscard]] Duration patience() const noexcept;
  /// There is more to this turn than its events.
  [[nodiscard]] bool has_due_work() const noexcept;
  void dispatch(const net::ReadyEvent& ready);
  /// @return there may be more: the turn's share is used up
  bool accept_from(std::size_t which);
  void admit(std::size_t which, net::Accepted accepted);
  void refuse(std::size_t which, net::Accepted accepted, ConnectionRejectReason reason);
  bool evict_longest_idle();
  void tell_exhausted(std::size_t which, const Error& error);
  void pause_accepting();
  void resume_accepting();
  void run_queued();
  void expire_deadlines();
  void read_mail();
  void take(Mail& mail);
  void keep_house();
  void advance_drain();
  void close_listeners();
  void handle(Connection& connection, Turn outcome);
  void finish(Connection& connection);
  void reap();
  /// @param after  the timer that ended them; zero: none
  void abandon_all(CloseReason reason, Duration after = Duration{0}, TimePoint opened_before = kNever);
  void tick_second();
  void publish_pools();
  void watch_memory();

  Lending lent_;
  std::string name_;
  net::Poller poller_;
  std::shared_ptr<ReactorMailbox> mailbox_;
  std::vector<Listening> listeners_;
  Admission* admission_;
  ObserverRest* observer_rest_;
  ConnectionTable table_;
  RefusalSlots refusals_;
  std::vector<ConnectionId> run_queue_;
  std::vector<ConnectionId> running_;
  std::vector<ConnectionId> finished_;
  std::vector<std::uint64_t> expired_;
  std::vector<Mail> mail_;
  std::vector<std::pair<TimePoint, ConnectionId>> idle_candidates_;  ///< longest idle last
  TimePoint candidates_at_{};
  std::optional<Drain> drain_;
  TimePoint accept_again_at_{kNever};
  TimePoint exhausted_told_{};
  TimePoint last_second_{};  ///< when the wall clock's second began
  TimePoint turn_ended_{};
  std::int64_t wall_offset_ns_{0};
  std::uint32_t events_{0};
  bool descriptors_exhausted_{false};
  bool is_stopping_{false};
  bool is_accepting_{true};
  Log server_log_;
  Log access_log_;
  std::uint64_t server_log_dropped_{0};
  std::uint64_t access_log_dropped_{0};
  std::uint64_t memory_told_{0};  ///< of all buffers
};

}  // namespace equinox::server
