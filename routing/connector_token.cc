#include "routing/connector_token.h"

#include "routing/digest.h"
#include "routing/problem.h"

namespace adit::routing {

base::Result<TokenHash> read_connector_token(const SecretObject& secret) {
  if (secret.type != "adit.dev/connector-token" && secret.type != "Opaque") {
    return base::Error{"has type " + in_quotes(secret.type) + ", not adit.dev/connector-token"};
  }
  const auto found = secret.data.find("token");
  if (found == secret.data.end()) return base::Error{"has no key \"token\""};
  std::string_view token = found->second;
  if (token.ends_with('\n')) token.remove_suffix(1);
  if (token.ends_with('\r')) token.remove_suffix(1);
  if (token.size() < 16) return base::Error{"has a token shorter than 16 characters, which could be guessed"};
  if (token.size() > 4096) return base::Error{"has a token longer than 4096 characters"};
  // What an Authorization header can carry (b64token of RFC 6750 §2.1).
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  if (token.find_first_not_of(kAllowed) != std::string_view::npos) {
    return base::Error{"has a token with other characters than letters, digits and -._~+/="};
  }
  return sha256({token});
}

}  // namespace adit::routing
