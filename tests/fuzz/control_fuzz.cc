// Lines of text as messages of an operator, of a gateway, and as a cached copy: nothing of it may crash either end, or
// make a set that contradicts itself.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "control/configuration_copy.h"
#include "control/gateway_feed.h"
#include "control/replica.h"

namespace {

using namespace adit::control;

void expect(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

void look_at(const Replica& replica) {
  const auto set = replica.set();
  std::size_t rules = 0;
  for (const auto& configuration : set) rules += configuration->rules.size();
  const auto table = adit::routing::build_table(set);
  expect(table->routes() == rules && table->tunnels() == set.size());
}

void play_operator(const std::vector<std::string>& lines) {
  Replica replica;
  replica.begin_session();
  for (const auto& line : lines) {
    if (!replica.take(line)) replica.begin_session();
    if (!replica.has_news()) continue;
    for (const auto& answer : replica.apply().answers) {
      const auto read = read_gateway_message(answer);
      expect(read && *read);
    }
    look_at(replica);
  }
  if (!replica.version()) return;
  Replica again;
  expect(static_cast<bool>(again.read_copy(replica.write_copy())));
  expect(again.write_copy() == replica.write_copy());
  look_at(again);
}

void play_gateway(const std::vector<std::string>& lines) {
  ConfigurationLog log(3);
  std::vector<adit::routing::TunnelConfigurationPtr> set;
  for (const char* id : {"11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"}) {
    auto configuration = std::make_shared<adit::routing::TunnelConfiguration>();
    configuration->tunnel = std::make_shared<const adit::routing::Tunnel>(adit::routing::Tunnel{id, "team/t", {}});
    set.push_back(std::move(configuration));
  }
  log.update(set, {});
  GatewayFeed feed(log);
  for (const auto& line : lines) {
    if (!feed.take(line)) return;
    while (feed.next_message()) {
    }
    expect(feed.is_greeted() || !feed.has_synced());
    if (feed.has("11111111-1111-4111-8111-111111111111")) expect(feed.acknowledged() >= 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = lines_of(text);
  play_operator(lines);
  play_gateway(lines);
  Replica copy;
  if (copy.read_copy(seal_copy(lines))) look_at(copy);
  Replica raw;
  if (raw.read_copy(text)) look_at(raw);
  return 0;
}
