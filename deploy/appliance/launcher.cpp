#include "launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace equinox::appliance {
namespace {

constexpr int kFirstPassed = 3;
constexpr std::size_t kSocketsAMessage = 250;  // the kernel takes 253 descriptors in one
constexpr std::size_t kNameMax = 256;
constexpr std::array kDeafTo{SIGINT, SIGTERM, SIGHUP, SIGUSR2};  // sent to a whole group, meant for the server

enum class Order : char { sockets = 's', start = 'g', cancel = 'c' };

/// What the program was started as.
struct Program {
  std::string path;
  std::vector<std::string> arguments;
};

Program this_program() {
  Program program;
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length > 0) program.path.assign(path.data(), static_cast<std::size_t>(length));
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  for (std::string argument; std::getline(file, argument, '\0');) program.arguments.push_back(argument);
  return program;
}

/// One message: an order, the sockets' names (one a line), and their descriptors.
bool send_order(int channel, Order order, std::string names, const std::vector<int>& descriptors) {
  names.insert(names.begin(), static_cast<char>(order));
  iovec text{names.data(), names.size()};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (kSocketsAMessage + 1))> room{};
  if (!descriptors.empty()) {
    message.msg_control = room.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
  }
  return ::sendmsg(channel, &message, MSG_NOSIGNAL) >= 0;
}

struct Received {
  Order order{Order::cancel};
  std::string names;
  std::vector<UniqueFd> descriptors;
};

/// Nothing: the server has ended.
std::optional<Received> receive_order(int channel) {
  std::vector<char> bytes(1 + kSocketsAMessage * kNameMax);
  iovec text{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (kSocketsAMessage + 1))> room{};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  Received out;
  out.order = static_cast<Order>(bytes[0]);
  out.names.assign(bytes.data() + 1, static_cast<std::size_t>(got - 1));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      out.descriptors.emplace_back(descriptor);
    }
  }
  return out;
}

/// The launcher's process, from fork to exit.
class LauncherProcess {
 public:
  LauncherProcess(int channel, Program program) : channel_{channel}, program_{std::move(program)} {}

  [[noreturn]] void run() {
    for (const int number : kDeafTo) std::signal(number, SIG_IGN);
    while (auto received = receive_order(channel_)) {
      switch (received->order) {
        case Order::sockets:
          names_ += received->names;
          std::move(received->descriptors.begin(), received->descriptors.end(), std::back_inserter(sockets_));
          break;
        case Order::start:
          if (!received->descriptors.empty()) start(std::move(received->descriptors.front()));
          sockets_.clear();
          names_.clear();
          break;
        case Order::cancel: end_child(SIGKILL); break;
      }
    }
    ::_exit(0);  // a child that is serving by now goes on without us
  }

 private:
  void start(UniqueFd ready) {
    end_child(0);
    child_ = ::fork();
    if (child_ == 0) become(std::move(ready));
  }

  // A child that is not waited for keeps its number: it is safe to signal.
  void end_child(int signal) {
    if (child_ <= 0) return;
    if (signal != 0) ::kill(child_, signal);
    ::waitpid(child_, nullptr, signal != 0 ? 0 : WNOHANG);
    child_ = -1;
  }

  [[noreturn]] void become(UniqueFd ready) {
    for (const int number : kDeafTo) std::signal(number, SIG_DFL);
    // Where they are and where they must be may overlap: first all go above both.
    const int above = kFirstPassed + static_cast<int>(sockets_.size()) + 1;
    for (UniqueFd& socket : sockets_) socket.reset(::fcntl(socket.get(), F_DUPFD_CLOEXEC, above));
    ready.reset(::fcntl(ready.get(), F_DUPFD_CLOEXEC, above));
    int next = kFirstPassed;
    for (const UniqueFd& socket : sockets_) ::dup2(socket.get(), next++);
    ::dup2(ready.get(), next);
    if (!names_.empty()) names_.pop_back();
    std::replace(names_.begin(), names_.end(), '\n', ':');
    ::setenv("LISTEN_FDS", std::to_string(sockets_.size()).c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names_.c_str(), 1);
    ::setenv("EQUINOX_READY_FD", std::to_string(next).c_str(), 1);
    ::unsetenv("WATCHDOG_PID");  // the watchdog is the unit's; the new process feeds it as soon as it is the main one
    std::vector<char*> arguments;
    for (std::string& argument : program_.arguments) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execv(program_.path.c_str(), arguments.data());
    static_cast<void>(!::write(STDERR_FILENO, "equinox: hand-over: exec failed\n", 32));
    ::_exit(127);
  }

  int channel_;
  Program program_;
  std::vector<UniqueFd> sockets_;
  std::string names_;
  pid_t child_{-1};
};

}  // namespace

Launcher::Launcher() {
  Program program = this_program();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error{errno, std::generic_category(), "hand_over: socketpair"};
  }
  channel_.reset(ends[0]);
  const UniqueFd far_end{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error{errno, std::generic_category(), "hand_over: fork"};
  if (child > 0) return;
  // Nothing of the server's stays open here but the standard streams: sockets would outlive it.
  ::dup2(far_end.get(), kFirstPassed);
  ::fcntl(kFirstPassed, F_SETFD, FD_CLOEXEC);
  ::close_range(kFirstPassed + 1, ~0U, 0);
  LauncherProcess{kFirstPassed, std::move(program)}.run();
}

UniqueFd Launcher::start(const std::vector<NamedSocket>& sockets) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return {};
  UniqueFd ours{ends[0]};
  const UniqueFd theirs{ends[1]};
  for (std::size_t at = 0; at < sockets.size(); at += kSocketsAMessage) {
    std::string names;
    std::vector<int> descriptors;
    for (std::size_t i = at; i < std::min(at + kSocketsAMessage, sockets.size()); ++i) {
      descriptors.push_back(sockets[i].descriptor);
      // A name that cannot be passed on is found again by its port.
      const bool passes =
          sockets[i].name.find_first_of(":\n") == std::string::npos && sockets[i].name.size() < kNameMax;
      names += (passes && !sockets[i].name.empty() ? sockets[i].name : "unnamed") + "\n";
    }
    if (!send_order(channel_.get(), Order::sockets, std::move(names), descriptors)) return {};
  }
  if (!send_order(channel_.get(), Order::start, {}, {theirs.get()})) return {};
  return ours;
}

void Launcher::cancel() { static_cast<void>(send_order(channel_.get(), Order::cancel, {}, {})); }

HandOverReceiver::HandOverReceiver() {
  if (const char* number = std::getenv("EQUINOX_READY_FD")) {
    pipe_.reset(static_cast<int>(std::strtol(number, nullptr, 10)));
    if (::fcntl(pipe_.get(), F_SETFD, FD_CLOEXEC) != 0) static_cast<void>(pipe_.release());
  }
  ::unsetenv("EQUINOX_READY_FD");
}

bool HandOverReceiver::ready() {
  if (!pipe_) return true;
  const std::string number = std::to_string(::getpid()) + "\n";
  const bool is_heard = ::write(pipe_.get(), number.data(), number.size()) == static_cast<ssize_t>(number.size());
  pipe_.reset();
  return is_heard;
}

}  // namespace equinox::appliance
