// Manifests from anyone: reading, compiling and looking up must neither crash nor hang nor contradict themselves.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "routing/compile.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adit::routing;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParsedManifest parsed = parse_manifest(text, "fuzz.yaml");
  if (!parsed.problems.empty()) expect(parsed.objects.tunnels.empty() && parsed.objects.secrets.empty());
  for (const Problem& problem : parsed.problems) expect(!problem.text().empty());

  const Compiled compiled = compile(parsed.objects, {});
  const Compiled again = compile(parsed.objects, compiled.holders);
  expect(again.holders == compiled.holders);
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
  return 0;
}
