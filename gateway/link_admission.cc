#include "gateway/link_admission.h"

#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace adit::gateway {
namespace {

using TunnelPtr = std::shared_ptr<const routing::Tunnel>;

routing::TokenHash hash(const std::string& token) {
  routing::TokenHash digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

/// Compares with every token, in constant time for each.
bool is_token_of(const routing::Tunnel& tunnel, const routing::TokenHash& presented) {
  bool found = false;
  for (const auto& token : tunnel.tokens) {
    found |= CRYPTO_memcmp(token.data(), presented.data(), presented.size()) == 0;
  }
  return found;
}

/// The tunnels that a connector may mean: that of its id, or every one that has its token when it names none. Looking
/// at all is for dials only, which are rare and limited.
std::vector<TunnelPtr> tunnels_of(const routing::Table& table, const std::string& id, const routing::TokenHash& token) {
  std::vector<TunnelPtr> found;
  if (!id.empty()) {
    const auto* named = table.tunnel(id);
    if (named != nullptr && is_token_of(**named, token)) found.push_back(*named);
    return found;
  }
  for (auto& tunnel : table.all_tunnels()) {
    if (is_token_of(*tunnel, token)) found.push_back(std::move(tunnel));
  }
  return found;
}

LinkVerdict refuse(int status, std::string reason, std::chrono::seconds retry_after = std::chrono::seconds(0)) {
  LinkVerdict verdict;
  verdict.refusal = link::Refusal{status, std::move(reason), retry_after};
  return verdict;
}

}  // namespace

LinkVerdict LinkAdmission::admit(const link::Hello& hello, const base::IpAddress& from, const routing::Table& table,
                                 const LinkDirectory& links, base::TimePoint now) {
  const auto source = FailureLimiter::source_of(from);
  if (!failures_.allows(source, now)) {
    return refuse(429, "too many wrong tokens from this address", std::chrono::seconds(10));
  }
  LinkVerdict verdict;
  verdict.token = hash(hello.token);
  auto tunnels = tunnels_of(table, hello.tunnel_id, verdict.token);
  if (tunnels.empty()) {
    failures_.failed(source, now);
    // The same answer for an unknown tunnel as for a wrong token: ids are not to be found out by asking.
    return refuse(401, hello.tunnel_id.empty() ? "the gateway knows no tunnel with this token"
                                               : "the gateway knows no tunnel with this id and token");
  }
  if (tunnels.size() > 1) return refuse(409, "several tunnels have this token: name one of them with --tunnel");
  verdict.tunnel = std::move(tunnels.front());
  const auto count = links.count(verdict.tunnel->id, hello.instance);
  if (count.of_instance >= kMostOfInstance) {
    return refuse(409, "this gateway has " + std::to_string(count.of_instance) +
                           " links of this instance: lower --links, or wait until lost ones have ended");
  }
  if (count.of_tunnel >= kMostOfTunnel) {
    return refuse(409, "this gateway has " + std::to_string(count.of_tunnel) +
                           " links of this tunnel: lower --links or the number of connectors");
  }
  return verdict;
}

}  // namespace adit::gateway
