#include "control/gateway_feed.h"

#include <set>
#include <utility>

#include "base/text.h"
#include "routing/uuid.h"

namespace adit::control {
namespace {

constexpr std::size_t kLongestName = 1024;  // of whatever a gateway names
constexpr std::size_t kLongestReason = 4096;
constexpr std::size_t kLongestToken = 16U << 10U;
constexpr std::size_t kMostLinksBytes = 64U << 20U;  // of all links of one gateway

std::size_t bytes_of(const std::string& tunnel_id, const std::vector<LiveConnector>& connectors) {
  constexpr std::size_t kNode = 64;  // of a map and a vector, about
  std::size_t bytes = kNode + tunnel_id.size();
  for (const auto& connector : connectors) {
    bytes += sizeof(LiveConnector) + connector.instance.size() + connector.name.size();
    for (const auto& service : connector.services) bytes += sizeof(std::string) + service.size();
  }
  return bytes;
}

/// Why a list of connectors cannot be right; empty if it can.
std::string wrong_connectors(const std::vector<LiveConnector>& connectors) {
  for (const auto& connector : connectors) {
    if (connector.instance.size() > kLongestName || connector.name.size() > kLongestName) {
      return "links: a name is too long";
    }
    for (const auto& service : connector.services) {
      if (service.size() > kLongestName) return "links: the name of a service is too long";
    }
  }
  return {};
}

/// Each instance once: a connector chooses its name, so two may look the same.
void drop_repeated(std::vector<LiveConnector>& connectors) {
  std::set<std::string> seen;
  std::erase_if(connectors, [&](const auto& connector) { return !seen.insert(connector.instance).second; });
}

/// Fit for a condition, whatever the gateway wrote.
std::string printable(std::string_view text) {
  std::string out;
  base::append_json_escaped(out, text);
  return out;
}

FeedError wrong(std::string message) { return {std::move(message), std::nullopt}; }

}  // namespace

GatewayFeed::GatewayFeed(ConfigurationLog& log) : log_(log), began_at_(log.counter_) { log_.add(*this); }

GatewayFeed::~GatewayFeed() { log_.remove(*this); }

// What to send.

std::optional<std::string> GatewayFeed::next_message() {
  if (!greeted_ || !log_.filled_) return std::nullopt;
  if (sent_link_certificate_ != log_.link_certificate_) {
    sent_link_certificate_ = log_.link_certificate_;
    return write(OperatorMessage(*sent_link_certificate_));
  }
  if (auto message = peer_message()) return message;
  while (const auto* entry = log_.next(passed_)) {
    const bool is_old_tombstone =
        entry->second.kind == ConfigurationLog::Entry::Kind::removed && entry->first <= began_at_;
    if (!is_old_tombstone) return entry_message(*entry);
    passed_ = entry->first;
  }
  if (sent_synced_) return std::nullopt;
  sent_synced_ = true;
  synced_at_ = log_.counter_;
  return write(OperatorMessage(SyncedMessage{log_.head()}));
}

/// The others are nothing to a gateway that does not take part. Its own certificate goes ahead of whom it is shown to.
std::optional<std::string> GatewayFeed::peer_message() {
  if (peer_address_.empty()) return std::nullopt;
  if (sent_peer_certificate_ != log_.peer_certificate_) {
    sent_peer_certificate_ = log_.peer_certificate_;
    return write(OperatorMessage(*sent_peer_certificate_));
  }
  if (sent_peers_ == log_.peers_) return std::nullopt;
  sent_peers_ = log_.peers_;
  return write(OperatorMessage(*sent_peers_));
}

std::string GatewayFeed::entry_message(const NumberedEntry& entry) {
  using Kind = ConfigurationLog::Entry::Kind;
  const Version version{log_.term_, entry.first};
  // Before synced nothing counts until synced comes, anyway.
  const bool more = sent_synced_ && log_.next(entry.first) != nullptr;
  if (entry.second.kind == Kind::tunnel) {
    if (auto certificate = missing_certificate(entry)) return std::move(*certificate);
    return tunnel_message(entry, version, more);
  }
  const auto& id = entry.second.id;
  auto text = entry.second.kind == Kind::keep ? write(OperatorMessage(KeepMessage{version, id, more}))
                                              : write(OperatorMessage(RemoveMessage{version, id, more}));
  sent_certificates_.name(id, {});
  pass(entry);
  return text;
}

std::optional<std::string> GatewayFeed::missing_certificate(const NumberedEntry& entry) {
  for (const auto& [host, certificate] : entry.second.configuration->certificates) {
    if (sent_certificates_.has(certificate->fingerprint)) continue;
    sent_certificates_.add(certificate->fingerprint);
    auto text = write(OperatorMessage(CertificateMessage{certificate}));
    if (text.size() <= kMostMessageBytes) return text;
    // Without it the gateway refuses the tunnel, which says enough: a Secret cannot be that large.
  }
  return std::nullopt;
}

std::string GatewayFeed::tunnel_message(const NumberedEntry& entry, const Version& version, bool more) {
  const auto& configuration = *entry.second.configuration;
  TunnelMessage message{version, configuration.tunnel, configuration.rules, {}, more};
  std::vector<std::string> fingerprints;
  for (const auto& [host, certificate] : configuration.certificates) {
    message.certificates.push_back({host, certificate->fingerprint});
    fingerprints.push_back(certificate->fingerprint);
  }
  auto text = write(OperatorMessage(std::move(message)));
  if (text.size() > kMostMessageBytes) return keep_too_long(entry, version, more);
  sent_certificates_.name(entry.second.id, std::move(fingerprints));
  pass(entry);
  return text;
}

std::string GatewayFeed::keep_too_long(const NumberedEntry& entry, const Version& version, bool more) {
  const auto& id = entry.second.id;
  sent_certificates_.name(id, {});
  pass(entry);
  refusals_[id] = {entry.first, "the tunnel's message would be longer than 4 MiB"};
  return write(OperatorMessage(KeepMessage{version, id, more}));
}

void GatewayFeed::pass(const NumberedEntry& entry) {
  passed_ = entry.first;
  if (!refusals_.empty()) refusals_.erase(entry.second.id);
  // Last, since it may end the entry.
  if (entry.second.kind == ConfigurationLog::Entry::Kind::removed) log_.trim();
}

// What the gateway said.

base::Result<GatewayFeed::News, FeedError> GatewayFeed::take(std::string_view text) {
  auto message = read_gateway_message(text);
  if (!message) return wrong(message.error());
  if (!*message) return News{};
  if (greeted_ == std::holds_alternative<HelloMessage>(**message)) {
    return wrong(greeted_ ? "a second hello" : "the first message is not hello");
  }
  return std::visit([this](auto& typed) { return on(typed); }, **message);
}

GatewayFeed::Taken GatewayFeed::on(HelloMessage& hello) {
  if (hello.gateway.empty() || hello.gateway.size() > kLongestName) return wrong("hello: gateway is empty or too long");
  if (hello.program_version.size() > kLongestName) return wrong("hello: program is too long");
  if (hello.peer_address.size() > kLongestName) return wrong("hello: peerAddress is too long");
  if (hello.version && *hello.version > Version{log_.term_, log_.counter_} && hello.version->term >= log_.term_) {
    return FeedError{"the gateway has version " + to_string(*hello.version) + ", which is later than " +
                         to_string(log_.head()) + " of this operator",
                     hello.version->term};
  }
  greeted_ = true;
  gateway_ = std::move(hello.gateway);
  program_version_ = std::move(hello.program_version);
  peer_address_ = std::move(hello.peer_address);
  News news;
  news.greeted = true;
  return news;
}

GatewayFeed::Taken GatewayFeed::on(AckMessage& ack) {
  const auto counter = ack.version.counter;
  if (!sent_synced_ || ack.version.term != log_.term_ || counter < synced_at_ ||
      counter > std::max(passed_, synced_at_) || counter < acknowledged_) {
    return wrong("ack: version " + to_string(ack.version) + " is none that it could acknowledge");
  }
  News news;
  news.synced = !std::exchange(has_synced_, true);
  if (!news.synced) {
    const auto& entries = log_.entries_;
    const auto end = entries.upper_bound(counter);
    for (auto entry = entries.upper_bound(acknowledged_); entry != end; ++entry) {
      news.tunnels.push_back(entry->second.id);
    }
  }
  acknowledged_ = counter;
  return news;
}

GatewayFeed::Taken GatewayFeed::on(RefusedMessage& refused) {
  if (refused.version.term != log_.term_ || refused.version.counter > passed_) {
    return wrong("refused: version " + to_string(refused.version) + " was not sent");
  }
  if (refused.reason.size() > kLongestReason) return wrong("refused: the reason is too long");
  News news;
  const auto newest = log_.version_of(refused.id);
  // A newer version may be on its way, or the tunnel may be gone by now.
  if (!newest || newest->counter != refused.version.counter) return news;
  refusals_[refused.id] = {newest->counter, printable(refused.reason)};
  news.tunnels.push_back(std::move(refused.id));
  return news;
}

GatewayFeed::Taken GatewayFeed::on(LinksMessage& links) {
  if (routing::canonical_uuid(links.id) != links.id) return wrong("links: id is not a UUID in lower case");
  if (const auto why = wrong_connectors(links.connectors); !why.empty()) return wrong(why);
  drop_repeated(links.connectors);
  const auto known = links_.find(links.id);
  const bool is_known = known != links_.end();
  if (is_known ? known->second == links.connectors : links.connectors.empty()) return News{};
  if (is_known) {
    links_bytes_ -= bytes_of(known->first, known->second);
    links_.erase(known);
  }
  News news;
  news.tunnels.push_back(links.id);
  const auto bytes = bytes_of(links.id, links.connectors);
  // No reason to end the session: what connectors call themselves is not the gateway's doing.
  if (links.connectors.empty() || links_bytes_ + bytes > kMostLinksBytes) return news;
  links_bytes_ += bytes;
  links_.emplace(std::move(links.id), std::move(links.connectors));
  return news;
}

GatewayFeed::Taken GatewayFeed::on(TokenMessage& token) {
  if (token.token.empty() || token.token.size() > kLongestToken) return wrong("token: empty or too long");
  News news;
  news.token = std::move(token.token);
  return news;
}

bool GatewayFeed::has(std::string_view id) const {
  if (!has_synced_) return false;
  const auto known = log_.by_id_.find(id);
  if (known == log_.by_id_.end()) return true;
  const auto& [counter, entry] = *known->second;
  return counter <= acknowledged_ && entry.kind != ConfigurationLog::Entry::Kind::keep && refusal(id) == nullptr;
}

const std::string* GatewayFeed::refusal(std::string_view id) const {
  const auto found = refusals_.find(id);
  if (found == refusals_.end()) return nullptr;
  const auto newest = log_.version_of(id);
  return newest && newest->counter == found->second.counter ? &found->second.reason : nullptr;
}

}  // namespace adit::control
