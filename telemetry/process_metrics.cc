// What Linux knows of this process (proc(5)), under the names that Prometheus clients agreed on.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "telemetry/metrics.h"

namespace adit::telemetry {
namespace {

/// Fields of /proc/self/stat; times in clock ticks.
struct Stat {
  double cpu_ticks = 0;
  double start_ticks = 0;  // since the machine started
  double resident_pages = 0;
};

std::optional<Stat> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name of the program, in parentheses, may itself hold spaces and parentheses; field 3 follows the last one.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  constexpr int kFirst = 3;
  constexpr int kUserTicks = 14;
  constexpr int kSystemTicks = 15;
  constexpr int kStartTicks = 22;
  constexpr int kResidentPages = 24;
  Stat stat;
  std::string text;
  for (int field = kFirst; field <= kResidentPages; ++field) {
    if (!(rest >> text)) return std::nullopt;
    if (field == kUserTicks || field == kSystemTicks) stat.cpu_ticks += std::strtod(text.c_str(), nullptr);
    if (field == kStartTicks) stat.start_ticks = std::strtod(text.c_str(), nullptr);
    if (field == kResidentPages) stat.resident_pages = std::strtod(text.c_str(), nullptr);
  }
  return stat;
}

/// When the machine started, in seconds since the epoch.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

std::optional<double> open_files() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return std::nullopt;
  // One of them is the directory itself.
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;
}

}  // namespace

void collect_process(Families& families) {
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const auto stat = read_stat()) {
    families.counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.")
        .add({}, stat->cpu_ticks / ticks_per_second);
    families.gauge("process_resident_memory_bytes", "Resident memory, in bytes.")
        .add({}, stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
    if (const auto boot = boot_time()) {
      families.gauge("process_start_time_seconds", "Start of the process, in seconds since the Unix epoch.")
          .add({}, *boot + stat->start_ticks / ticks_per_second);
    }
  }
  if (const auto files = open_files()) {
    families.gauge("process_open_fds", "Open file descriptors.").add({}, *files);
  }
  if (rlimit limit{}; getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.gauge("process_max_fds", "The most file descriptors that may be open.").add({}, limit.rlim_cur);
  }
}

Registry::Collector build_info(std::string program, std::string version) {
  return [program = std::move(program), version = std::move(version)](Families& families) {
    families.gauge("adit_build_info", "Always 1; the labels say what is running.")
        .add({{"program", program}, {"version", version}}, 1);
  };
}

}  // namespace adit::telemetry
