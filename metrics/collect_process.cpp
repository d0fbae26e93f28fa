#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

#include "metrics/family_builder.hpp"
#include "metrics/scrape.hpp"

namespace equinox::metrics {

namespace {

/// The fields of /proc/self/stat (proc(5)) that matter here.
struct ProcessStat {
  double cpu_seconds{0};
  double start_ticks{0};
  double threads{0};
  double virtual_bytes{0};
  double resident_bytes{0};
};

std::optional<ProcessStat> read_stat() {
  std::ifstream file{"/proc/self/stat"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  // The command's name may hold spaces and parentheses: fields are counted from the last one.
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  std::istringstream fields{text.substr(end_of_name + 1)};
  std::string state;
  fields >> state;
  std::vector<double> numbers;
  for (double number = 0; fields >> number;) numbers.push_back(number);
  if (numbers.size() < 21) return std::nullopt;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto field = [&](std::size_t number) { return numbers[number - 4]; };  // proc(5) counts from 1; 3 is the state
  return ProcessStat{(field(14) + field(15)) / ticks, field(22) / ticks, field(20), field(23),
                     field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE))};
}

std::optional<double> boot_time() {
  std::ifstream file{"/proc/stat"};
  for (std::string word; file >> word;) {
    if (word != "btime") continue;
    double seconds = 0;
    if (file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  struct stat directory {};
  // Since Linux 6.2 the size says how many there are; counting a hundred thousand entries would take longer than the
  // rest of the scrape.
  if (::stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0) return static_cast<double>(directory.st_size);
  DIR* open = ::opendir("/proc/self/fd");
  if (open == nullptr) return std::nullopt;
  double count = -1;  // the descriptor that reads the directory
  while (const dirent* entry = ::readdir(open)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(open);
  return count;
}

void add(Page& page, Metric metric, std::optional<double> value) {
  if (!value) return;
  FamilyBuilder family{metric};
  family.value({}, *value);
  std::move(family).add_to(page.families);
}

}  // namespace

void collect_process(Page& page) {
  const auto stat = read_stat();
  const auto of_stat = [&](double ProcessStat::*member) {
    return stat ? std::optional<double>{(*stat).*member} : std::nullopt;
  };
  add(page, Metric::process_cpu, of_stat(&ProcessStat::cpu_seconds));
  add(page, Metric::process_resident, of_stat(&ProcessStat::resident_bytes));
  add(page, Metric::process_virtual, of_stat(&ProcessStat::virtual_bytes));
  add(page, Metric::process_open_fds, open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add(page, Metric::process_max_fds, static_cast<double>(limit.rlim_cur));
  }
  if (const auto booted = boot_time(); booted && stat)
    add(page, Metric::process_start_time, *booted + stat->start_ticks);
  add(page, Metric::process_threads, of_stat(&ProcessStat::threads));
}

}  // namespace equinox::metrics
