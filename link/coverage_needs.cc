#include "link/coverage_needs.h"

#include <algorithm>
#include <numeric>

#include "base/text.h"

namespace adit::link {
namespace {

/// Without a limit: however many a gateway names.
constexpr std::size_t kMostGateways = 256;

std::string need_of(std::size_t address) { return "@" + std::to_string(address); }

/// Addresses of which nothing leads to a link that is held. Any of them may be the way to a gateway that is missing and
/// was met nowhere yet: so many are left out.
void add_places(const CoverageRules& rules, const DialPlaces& places, const LinksHeld& held, CoverageNeeds& needs) {
  const auto ids = ids_of(held);
  const auto met = places.met();
  GatewayIds missing;
  std::size_t lost_ways = 0;
  std::size_t unmet = 0;
  for (const auto& need : needs) {
    missing.insert(need.first);
    if (!met.contains(need.first)) ++lost_ways;
    if (!ids.contains(need.first)) ++unmet;
  }
  // With a limit, addresses are a stock of which no more is opened than that.
  auto room = rules.most_gateways == 0
                  ? places.size()
                  : rules.most_gateways - std::min<std::size_t>(rules.most_gateways, ids.size() + unmet);
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t address = 0; address < places.size(); ++address) {
    order.emplace_back(nearness(rules.instance, need_of(address)), address);
  }
  std::sort(order.rbegin(), order.rend());
  for (const auto& item : order) {
    const auto address = item.second;
    if (places.leads_to(address, ids)) {
      if (rules.most_gateways != 0) continue;
      for (const auto& ip : places.unexplored(address)) {
        if (lost_ways > 0) {
          --lost_ways;
        } else {
          needs[need_of(address) + "/" + ip] = 1;
        }
      }
    } else if (places.leads_to(address, missing)) {
      continue;
    } else if (lost_ways > 0) {
      --lost_ways;
    } else if (room > 0) {
      --room;
      needs[need_of(address)] = rules.links;
    }
  }
}

}  // namespace

GatewayIds wanted_gateways(const CoverageRules& rules, const KnownGateways& known, const LinksHeld& held) {
  auto ids = known.named();
  for (const auto& item : held) {
    if (!known.has_spoken(item.first)) ids.insert(item.first);
  }
  return nearest(rules.instance, ids, rules.most_gateways == 0 ? kMostGateways : rules.most_gateways);
}

GatewayIds kept_gateways(const CoverageRules& rules, const KnownGateways& known, const LinksHeld& held) {
  auto kept = wanted_gateways(rules, known, held);
  GatewayIds others;
  std::size_t reached = 0;
  for (const auto& item : held) {
    if (kept.contains(item.first)) {
      ++reached;
    } else {
      others.insert(item.first);
    }
  }
  if (rules.most_gateways == 0) {
    kept.merge(others);
  } else if (reached < rules.most_gateways) {
    kept.merge(nearest(rules.instance, others, rules.most_gateways - reached));
  }
  return kept;
}

CoverageNeeds find_needs(const CoverageRules& rules, const KnownGateways& known, const DialPlaces& places,
                         const LinksHeld& held) {
  CoverageNeeds needs;
  for (const auto& id : wanted_gateways(rules, known, held)) {
    const auto found = held.find(id);
    const auto have = found == held.end() ? 0 : found->second;
    if (have < rules.links) needs[id] = rules.links - have;
  }
  add_places(rules, places, held, needs);
  return needs;
}

std::optional<std::size_t> address_of(const std::string& need) {
  if (!need.starts_with('@')) return std::nullopt;
  return base::parse_decimal(std::string_view(need).substr(1, need.find('/') - 1));
}

unsigned total(const CoverageNeeds& needs) {
  return std::accumulate(needs.begin(), needs.end(), 0U,
                         [](unsigned sum, const auto& item) { return sum + item.second; });
}

GatewayIds ids_of(const LinksHeld& held) {
  GatewayIds ids;
  for (const auto& item : held) ids.insert(item.first);
  return ids;
}

}  // namespace adit::link
