#include "base/utc.h"

#include <ctime>

namespace adit::base {

std::string utc_text(std::chrono::system_clock::time_point time) {
  constexpr int kFirstYear = 1900;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr || parts.tm_year < -kFirstYear || parts.tm_year > 9999 - kFirstYear) {
    return {};
  }
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace adit::base
