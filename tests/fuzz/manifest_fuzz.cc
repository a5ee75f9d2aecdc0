// Manifests and an API server's objects from anyone: reading, compiling and looking up must neither crash nor hang nor
// contradict themselves.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "routing/compile.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

using namespace adit::routing;

/// What the operator reads back from the status of each object.
Holders recorded(const Compiled& compiled) {
  std::vector<Claim> claims;
  for (const Outcome& outcome : compiled.outcomes) claims.push_back({outcome.name, outcome.hosts, outcome.shared});
  return holders_of(claims);
}

void check(const ParsedManifest& parsed, std::string_view text) {
  if (!parsed.problems.empty()) expect(parsed.objects.tunnels.empty() && parsed.objects.secrets.empty());
  for (const Problem& problem : parsed.problems) expect(!problem.text().empty());

  const Compiled compiled = compile(parsed.objects, {});
  const Compiled again = compile(parsed.objects, compiled.holders);
  expect(again.holders == compiled.holders);
  expect(recorded(compiled) == compiled.holders);
  const auto table = build_table(configurations(compiled));
  for (const TunnelObject& tunnel : parsed.objects.tunnels) {
    for (const RouteSpec& rule : tunnel.routes) {
      const Route* found = table->find(rule.host, rule.path);
      // Whoever won: the rule's own host and path lead to the rule that has just these, or to nobody's.
      if (found != nullptr && found->host == rule.host) expect(found->path.size() <= rule.path.size());
      table->server_name(rule.host);
    }
  }
  // The same bytes as a host and path of a visitor.
  table->find(text.substr(0, 300), text);
  table->server_name(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(parse_manifest(text, "fuzz.yaml"), text);
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_discarded()) check(parse_object(object), text);
  return 0;
}
