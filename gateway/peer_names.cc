#include "gateway/peer_names.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"

namespace adit::gateway {
namespace {

constexpr auto kLeast = std::chrono::seconds(1);  // between two look-ups that were asked for

}  // namespace

/// One of them; an answer that comes when it is wanted no more is for nobody.
struct PeerNames::Name {
  Name(net::Loop& loop, net::Target asked) : target(std::move(asked)), resolver(loop.context()) {}

  const net::Target target;
  Resolver resolver;
  std::vector<net::Target> addresses;
  std::string problem;
  bool under_way = false;
  bool tried = false;
  bool wanted = true;
};

PeerNames::PeerNames(net::Loop& loop, Found found)
    : loop_(loop), found_(std::move(found)), deadline_(net::Deadline::of<&PeerNames::look>(loop, this)) {}

PeerNames::~PeerNames() { set({}); }

void PeerNames::set(const std::vector<net::Target>& names) {
  std::vector<std::shared_ptr<Name>> next;
  for (const auto& target : names) {
    const auto known = std::find_if(names_.begin(), names_.end(),
                                    [&](const auto& name) { return name->target.text() == target.text(); });
    next.push_back(known != names_.end() ? *known : std::make_shared<Name>(loop_, target));
  }
  for (const auto& name : names_) name->wanted = std::find(next.begin(), next.end(), name) != next.end();
  names_ = std::move(next);
  names_.empty() ? deadline_.clear() : look();
}

void PeerNames::look_soon() {
  if (names_.empty()) return;
  const auto when = looked_ + kLeast;
  if (when < deadline_.when()) deadline_.set(when);
}

bool PeerNames::tried() const {
  return std::all_of(names_.begin(), names_.end(), [](const auto& name) { return name->tried; });
}

void PeerNames::look() {
  looked_ = net::Loop::now();
  deadline_.set(looked_ + kEvery);
  for (const auto& name : names_) look_up(name);
  tell();
}

void PeerNames::look_up(const std::shared_ptr<Name>& name) {
  net::Error literal;
  net::asio::ip::make_address(name->target.host, literal);
  if (!literal) {
    name->addresses = {name->target};
    name->tried = true;
    return;
  }
  if (std::exchange(name->under_way, true)) return;
  const auto port = std::to_string(name->target.port);
  name->resolver.async_resolve(
      name->target.host, port, net::asio::ip::resolver_base::numeric_service,
      [this, name](net::Error error, const Resolver::results_type& found) {
        if (!name->wanted) return;
        name->under_way = false;
        name->tried = true;
        const auto problem = error ? error.message() : std::string();
        if (error && problem != name->problem) {
          base::log::warning("name of peers not found", {{"name", name->target.text()}, {"reason", problem}});
        }
        name->problem = problem;
        if (error) return tell();
        name->addresses.clear();
        for (const auto& entry : found) {
          net::Target address;
          address.host = net::host_text(entry.endpoint());
          address.port = entry.endpoint().port();
          name->addresses.push_back(std::move(address));
        }
        tell();
      });
}

void PeerNames::tell() {
  std::vector<net::Target> all;
  std::set<std::string> seen;
  for (const auto& name : names_) {
    for (const auto& address : name->addresses) {
      if (seen.insert(address.text()).second) all.push_back(address);
    }
  }
  found_(all);
}

}  // namespace adit::gateway
