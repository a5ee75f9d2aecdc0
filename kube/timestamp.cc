#include "kube/timestamp.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace adit::kube {
namespace {

using std::chrono::floor;

/// "2026-11-21T05:07:09", in UTC.
std::string date_and_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::system_clock::to_time_t(floor<std::chrono::seconds>(time));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return {text.data(), length};
}

}  // namespace

std::string timestamp(std::chrono::system_clock::time_point time) { return date_and_time(time) + "Z"; }

std::string micro_timestamp(std::chrono::system_clock::time_point time) {
  const auto past_second = floor<std::chrono::microseconds>(time - floor<std::chrono::seconds>(time)).count();
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(past_second));
  return date_and_time(time) + fraction.data();
}

}  // namespace adit::kube
