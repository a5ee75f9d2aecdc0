#include "routing/connector_token.h"

#include "routing/digest.h"
#include "routing/problem.h"

namespace adit::routing {
namespace {

std::string_view without_line_break(std::string_view token) {
  if (token.ends_with('\n')) token.remove_suffix(1);
  if (token.ends_with('\r')) token.remove_suffix(1);
  return token;
}

base::Result<TokenHash> hash(std::string_view token, const std::string& key) {
  if (token.size() < 16) return base::Error{"has a " + key + " shorter than 16 characters, which could be guessed"};
  if (token.size() > 4096) return base::Error{"has a " + key + " longer than 4096 characters"};
  // What an Authorization header can carry (b64token of RFC 6750 §2.1).
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  if (token.find_first_not_of(kAllowed) != std::string_view::npos) {
    return base::Error{"has a " + key + " with other characters than letters, digits and -._~+/="};
  }
  return sha256({token});
}

}  // namespace

base::Result<std::vector<TokenHash>> read_connector_token(const SecretObject& secret) {
  if (secret.type != "adit.dev/connector-token" && secret.type != "Opaque") {
    return base::Error{"has type " + in_quotes(secret.type) + ", not adit.dev/connector-token"};
  }
  std::vector<TokenHash> hashes;
  for (const std::string key : {"token", "previous-token"}) {
    const auto found = secret.data.find(key);
    const auto token = found == secret.data.end() ? std::string_view{} : without_line_break(found->second);
    if (key == "token" && found == secret.data.end()) return base::Error{"has no key \"token\""};
    if (key != "token" && token.empty()) continue;
    const auto one = hash(token, key);
    if (!one) return base::Error{one.error()};
    hashes.push_back(*one);
  }
  return hashes;
}

}  // namespace adit::routing
