#include "control/replica.h"

#include <algorithm>
#include <set>
#include <utility>

#include "control/configuration_copy.h"
#include "routing/certificates.h"
#include "routing/problem.h"

namespace adit::control {
namespace {

constexpr std::size_t kMostTunnels = 200'000;
constexpr std::size_t kMostPeers = 1'000;
constexpr std::size_t kMostCertificates = 200'000;
constexpr std::size_t kLongestId = 64;  // beyond that it is not even refused by name

/// The certificates of a message by fingerprint, for the account of what is at hand.
std::vector<std::string> fingerprints_of(const TunnelMessage& message) {
  std::vector<std::string> fingerprints;
  for (const auto& named : message.certificates) fingerprints.push_back(named.fingerprint);
  return fingerprints;
}

}  // namespace

void Replica::begin_session() {
  said_.reset();
  is_copy_ = false;
  synced_ = false;
  changes_.clear();
  certificate_use_ = {};
  certificates_.clear();
  refusals_.clear();
  acknowledge_ = false;
  news_ = set_changed_ || !warnings_.empty();
}

base::Result<void> Replica::take(std::string_view text) {
  auto message = read_operator_message(text);
  if (!message) return base::Error{message.error()};
  if (!*message) return {};
  return std::visit([this](auto& typed) { return on(typed); }, **message);
}

base::Result<void> Replica::check_version(const Version& version) {
  const auto error = [&](const std::string& why) { return base::Error{"version " + to_string(version) + " " + why}; };
  if (version_ && version.term < version_->term) {
    return error("is of an earlier leader than " + to_string(*version_) + ", which is in force");
  }
  if (said_ && version.term != said_->term) return error("is of another leader than the session's");
  if (said_ && version < *said_) return error("comes after " + to_string(*said_));
  said_ = version;
  return {};
}

base::Result<void> Replica::on(CertificateMessage& message) {
  auto& certificate = message.certificate;
  if (certificates_.size() >= kMostCertificates) return base::Error{"more certificates than a gateway takes"};
  CheckedCertificate checked;
  if (const auto known = known_.find(certificate->fingerprint); known != known_.end()) {
    checked.certificate = known->second.lock();
    if (checked.certificate &&
        (checked.certificate->chain_pem != certificate->chain_pem ||
         checked.certificate->key_pem != certificate->key_pem || checked.certificate->ocsp != certificate->ocsp)) {
      checked.certificate = nullptr;
    }
  }
  if (!checked.certificate) checked = is_copy_ ? trust_certificate(certificate) : check_certificate(*certificate);
  if (checked.certificate) known_[certificate->fingerprint] = checked.certificate;
  certificate_use_.add(certificate->fingerprint);
  certificates_[certificate->fingerprint] = std::move(checked);
  return {};
}

base::Result<void> Replica::on(TunnelMessage& message) {
  if (auto checked = check_version(message.version); !checked) return checked;
  std::string id = message.tunnel->id;
  Change change{0, message.version, false, nullptr, {}};
  const bool more = message.more;
  auto fingerprints = fingerprints_of(message);
  auto configuration = check_tunnel(std::move(message), [this](const std::string& fingerprint) {
    const auto found = certificates_.find(fingerprint);
    return found != certificates_.end() ? &found->second : nullptr;
  });
  if (configuration) {
    const auto former = held_.find(id);
    const bool same = former != held_.end() && *former->second == **configuration;
    change.configuration = same ? former->second : std::move(*configuration);
  } else {
    change.refusal = configuration.error();
  }
  return gather(std::move(id), std::move(change), std::move(fingerprints), more);
}

base::Result<void> Replica::on(RemoveMessage& message) {
  if (auto checked = check_version(message.version); !checked) return checked;
  return gather(std::move(message.id), {0, message.version, true, nullptr, {}}, {}, message.more);
}

base::Result<void> Replica::on(KeepMessage& message) {
  if (auto checked = check_version(message.version); !checked) return checked;
  return gather(std::move(message.id), {0, message.version, false, nullptr, {}}, {}, message.more);
}

base::Result<void> Replica::gather(std::string id, Change change, std::vector<std::string> fingerprints, bool more) {
  if (id.size() > kLongestId) return base::Error{"id " + routing::in_quotes(id) + " is longer than any id"};
  if (changes_.size() >= kMostTunnels) return base::Error{"more tunnels than a gateway takes"};
  for (const auto& forgotten : certificate_use_.name(id, std::move(fingerprints))) certificates_.erase(forgotten);
  change.order = ++orders_;
  changes_.insert_or_assign(std::move(id), std::move(change));
  if (synced_ && !more) commit_changes();
  return {};
}

base::Result<void> Replica::on(SyncedMessage& message) {
  if (synced_) return base::Error{"synced came twice"};
  if (auto checked = check_version(message.version); !checked) return checked;
  if (version_ && message.version < *version_) {
    return base::Error{"version " + to_string(message.version) + " is older than " + to_string(*version_) +
                       ", which is in force"};
  }
  synced_ = true;
  commit_whole();
  return {};
}

base::Result<void> Replica::on(LinkCertificateMessage& message) {
  if (link_certificate_ && link_certificate_->chain_pem == message.chain_pem &&
      link_certificate_->key_pem == message.key_pem) {
    return {};
  }
  news_ = true;
  routing::SecretObject secret;
  secret.type = "kubernetes.io/tls";
  secret.data = {{"tls.crt", std::move(message.chain_pem)}, {"tls.key", std::move(message.key_pem)}};
  const auto pair = routing::KeyPair::read(secret);
  if (pair) {
    link_certificate_ = pair->certificate();
  } else {
    warnings_.push_back("the operator's link certificate " + pair.error());
  }
  return {};
}

base::Result<void> Replica::on(PeerCertificateMessage& message) {
  if (peer_certificate_ && *peer_certificate_ == message) return {};
  peer_certificate_ = std::make_shared<const PeerCertificateMessage>(std::move(message));
  news_ = true;
  return {};
}

base::Result<void> Replica::on(PeersMessage& message) {
  if (message.gateways.size() > kMostPeers) return base::Error{"peers: more gateways than a gateway takes"};
  if (peers_ && *peers_ == message) return {};
  peers_ = std::make_shared<const PeersMessage>(std::move(message));
  news_ = true;
  return {};
}

/// What was said in this session is everything there is.
void Replica::commit_whole() {
  const Held former = std::exchange(held_, {});
  claims_.clear();
  refused_.clear();
  former_.clear();
  hold_changes(former);
  set_changed_ = set_changed_ || held_ != former || !version_;
  version_ = said_;
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
}

void Replica::commit_changes() {
  // Former configurations are looked at again each time: they give way to whatever others are given.
  std::set<std::string> ids = former_;
  for (const auto& [id, change] : changes_) ids.insert(id);
  Held former;
  for (const auto& id : ids) {
    const auto held = held_.find(id);
    if (held == held_.end()) continue;
    claims_.remove(*held->second);
    former.insert(held_.extract(held));
  }
  hold_changes(former);
  for (const auto& id : ids) {
    const auto before = former.find(id);
    const auto after = held_.find(id);
    const bool same = before == former.end() ? after == held_.end() : after != held_.end() && *before == *after;
    set_changed_ = set_changed_ || !same;
  }
  version_ = said_;
}

/// Puts the changes into the set, from which `former` was taken out.
void Replica::hold_changes(const Held& former) {
  std::vector<Changes::value_type*> in_order;
  for (auto& change : changes_) in_order.push_back(&change);
  std::sort(in_order.begin(), in_order.end(),
            [](const auto* a, const auto* b) { return a->second.order < b->second.order; });
  for (auto* named : in_order) hold_change(named->first, named->second);
  for (const auto& id : former_) {
    const auto kept = former.find(id);
    if (kept == former.end()) continue;
    const bool whole = claims_.contradiction(*kept->second).empty();
    hold(id, whole
                 ? kept->second
                 : std::make_shared<const routing::TunnelConfiguration>(claims_.without_contradictions(*kept->second)));
  }
  changes_.clear();
  news_ = true;
  acknowledge_ = true;
}

void Replica::hold_change(const std::string& id, Change& change) {
  refused_.erase(id);
  former_.erase(id);
  if (change.removed) return;
  if (change.configuration) change.refusal = claims_.contradiction(*change.configuration);
  if (change.configuration && change.refusal.empty()) return hold(id, std::move(change.configuration));
  former_.insert(id);
  if (change.refusal.empty()) return;  // only kept
  refusals_.push_back({change.version, id, change.refusal});
  refused_[id] = std::move(change.refusal);
}

void Replica::hold(const std::string& id, routing::TunnelConfigurationPtr configuration) {
  claims_.add(*configuration);
  held_[id] = std::move(configuration);
}

Replica::News Replica::apply() {
  News news;
  news.set_changed = std::exchange(set_changed_, false);
  news.warnings = std::exchange(warnings_, {});
  for (auto& refusal : std::exchange(refusals_, {})) {
    news.warnings.push_back("tunnel " + routing::in_quotes(refusal.id) + " refused: " + refusal.reason);
    news.answers.push_back(write(GatewayMessage(std::move(refusal))));
  }
  if (std::exchange(acknowledge_, false)) news.answers.push_back(write(GatewayMessage(AckMessage{*version_})));
  news_ = false;
  return news;
}

std::vector<routing::TunnelConfigurationPtr> Replica::set() const {
  std::vector<routing::TunnelConfigurationPtr> set;
  set.reserve(held_.size());
  for (const auto& [id, configuration] : held_) set.push_back(configuration);
  return set;
}

std::string Replica::write_copy() const {
  std::vector<std::string> messages;
  std::set<std::string_view> written;
  for (const auto& [id, configuration] : held_) {
    TunnelMessage message{*version_, configuration->tunnel, configuration->rules, {}, false};
    for (const auto& [host, certificate] : configuration->certificates) {
      message.certificates.push_back({host, certificate->fingerprint});
      if (!written.insert(certificate->fingerprint).second) continue;
      messages.push_back(write(OperatorMessage(CertificateMessage{certificate})));
    }
    messages.push_back(write(OperatorMessage(std::move(message))));
  }
  if (link_certificate_) {
    messages.push_back(
        write(OperatorMessage(LinkCertificateMessage{link_certificate_->chain_pem, link_certificate_->key_pem})));
  }
  if (peer_certificate_) messages.push_back(write(OperatorMessage(*peer_certificate_)));
  if (peers_) messages.push_back(write(OperatorMessage(*peers_)));
  messages.push_back(write(OperatorMessage(SyncedMessage{*version_})));
  return seal_copy(messages);
}

base::Result<void> Replica::read_copy(std::string_view text) {
  const auto refuse = [this](const std::string& why) {
    *this = Replica();
    return base::Error{why};
  };
  const auto lines = open_copy(text);
  is_copy_ = true;  // what is in it was checked before it was written
  if (!lines) return refuse(lines.error());
  for (const auto line : *lines) {
    if (const auto taken = take(line); !taken) return refuse(taken.error());
  }
  if (!synced_) return refuse("has no end");
  begin_session();
  return {};
}

}  // namespace adit::control
