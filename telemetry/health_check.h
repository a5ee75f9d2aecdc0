#pragma once
// `PROGRAM healthcheck URL`: asks an admin port whether all is well, for images that hold one program and no shell.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::telemetry {

struct HealthUrl {
  std::string host;  ///< a name or an address; an IPv6 address has no brackets
  std::string port;  ///< a number
  std::string path;  ///< begins with "/"
};

/// "http://HOST[:PORT][/PATH]"; port 80 and the path "/" if none is named. There is no https: admin ports have none.
base::Result<HealthUrl> parse_health_url(std::string_view text);

/// Sends one GET (RFC 9110 §9.3.1) and reads the head of the answer. Success is a status 2xx within `limit`; a redirect
/// is not followed. Blocks the calling thread.
base::Result<void> check_health(const HealthUrl& url, std::chrono::milliseconds limit);

/// What main() is to return if argv is "PROGRAM healthcheck [--timeout T] URL": 0 well, 1 not well, 2 wrong usage; the
/// reason is on standard error. Absent: argv is something else.
std::optional<int> health_check_command(int argc, const char* const* argv);

}  // namespace adit::telemetry
