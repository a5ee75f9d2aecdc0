#include "routing/logins.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

#include "routing/filter_values.h"
#include "routing/problem.h"

namespace adit::routing {
namespace {

/// Why a line is no login; empty when it is one, which is then the last of `logins`.
std::string line_fault(std::string_view line, std::vector<BasicAuth::Login>& logins) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return "is not USER:HASH";
  const auto user = line.substr(0, colon);
  const auto hash = line.substr(colon + 1);
  if (!is_user_name(user)) return "must begin with a user of 1 to 255 characters";
  if (!is_bcrypt_hash(hash)) return "must have a bcrypt hash of cost 4 to 14, as \"htpasswd -B\" writes it";
  logins.push_back({std::string(user), std::string(hash)});
  return {};
}

}  // namespace

base::Result<std::vector<BasicAuth::Login>> read_logins(const SecretObject& secret) {
  if (secret.type != "Opaque") return base::Error{"has type " + in_quotes(secret.type) + ", not Opaque"};
  const auto found = secret.data.find("auth");
  if (found == secret.data.end()) return base::Error{"has no key \"auth\""};
  std::vector<BasicAuth::Login> logins;
  std::unordered_set<std::string> users;
  std::size_t number = 0;
  for (std::string_view text = found->second; !text.empty();) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto error = [&](const std::string& why) {
      return base::Error{"has line " + std::to_string(number) + " of auth, which " + why};
    };
    if (logins.size() == kMostLogins) return base::Error{"has more than 1000 logins"};
    if (const auto fault = line_fault(line, logins); !fault.empty()) return error(fault);
    if (!users.insert(logins.back().user).second) return error("names a user for the second time");
  }
  if (logins.empty()) return base::Error{"has no login in auth"};
  return logins;
}

}  // namespace adit::routing
