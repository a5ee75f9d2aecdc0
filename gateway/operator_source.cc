#include "gateway/operator_source.h"

#include <utility>

#include "base/log.h"
#include "base/version.h"
#include "gateway/peers.h"
#include "gateway/worker.h"
#include "net/address.h"
#include "routing/configuration.h"

namespace adit::gateway {
namespace {

// A table takes a while to make: changes that come quickly one after the other share one.
constexpr auto kApplyEvery = std::chrono::milliseconds(250);
// Saving takes at most this share of the time, however often things change.
constexpr int kSaveShare = 20;

std::int64_t milliseconds(base::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

OperatorSource::OperatorSource(OperatorSourceOptions options, GatewayMetrics& metrics)
    : options_(std::move(options)),
      metrics_(metrics),
      apply_(net::Deadline::of<&OperatorSource::apply>(loop_, this)),
      links_check_(net::Deadline::of<&OperatorSource::look_at_links>(loop_, this)),
      save_(net::Deadline::of<&OperatorSource::save>(loop_, this)) {
  status_.url = options_.url;
  metrics_.with_operator = true;
}

base::Result<ConfigurationSource::TablePtr> OperatorSource::first_table() {
  if (!options_.state_dir.empty()) {
    auto state = StateFolder::open(options_.state_dir);
    if (!state) return base::Error{"--state-dir " + state.error()};
    state_.emplace(std::move(*state));
    read_copy();
  }
  const auto table = routing::build_table(replica_.set());
  update_status();
  return table;
}

void OperatorSource::read_copy() {
  const auto ignored = [](const std::string& why) {
    base::log::warning("the copy of the configuration cannot be used", {{"reason", why}});
  };
  const auto text = state_->read();
  if (!text) return ignored(text.error());
  if (!*text) return;
  if (const auto read = replica_.read_copy(**text); !read) return ignored("it " + read.error());
  for (const auto& warning : replica_.apply().warnings) base::log::warning(warning);
  ready_ = true;
  base::log::info("serving the copy of the configuration until the operator is reached",
                  {{"version", to_string(*replica_.version())}, {"tunnels", replica_.tunnels()}});
}

base::Result<void> OperatorSource::start(Shared& shared, Publish publish) {
  shared_ = &shared;
  publish_ = std::move(publish);
  publish_link_certificate();
  publish_peers();
  OperatorClientOwner& owner = *this;
  client_ = std::make_unique<OperatorClient>(loop_, options_.access, owner);
  links_check_.set(net::Loop::now() + options_.link_check);
  loop_.post([this] { client_->start(); });
  thread_ = std::thread([this] { loop_.run(); });
  return {};
}

void OperatorSource::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    client_->stop();
    save();
    loop_.stop();
  });
  thread_.join();
}

base::Result<void> OperatorSource::ready() const {
  if (!ready_) return base::Error{"waiting for the operator"};
  return {};
}

std::optional<OperatorStatus> OperatorSource::operator_status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

void OperatorSource::on_operator_connected(const std::string& remote) {
  base::log::info("connected to the operator", {{"remote", remote}});
  metrics_.operator_sessions.add();
  metrics_.operator_connected.set(1);
  {
    const std::lock_guard lock(status_mutex_);
    status_.connected = true;
    status_.remote = remote;
    status_.problem.clear();
  }
  replica_.begin_session();
  reports_.restart();
  client_->send(write(control::GatewayMessage(
      control::HelloMessage{shared_->gateway_id, base::kVersion, replica_.version(), options_.peer_address})));
  update_status();
}

void OperatorSource::on_operator_lost(const std::string& why) {
  metrics_.operator_failures.add();
  metrics_.operator_connected.set(0);
  const std::lock_guard lock(status_mutex_);
  // An outage is one warning, not one for each dial.
  const bool is_new = status_.connected || status_.problem != why;
  base::log::write(is_new ? base::log::Level::warning : base::log::Level::debug,
                   "no connection to the operator; what is in force goes on", {{"reason", why}});
  status_.connected = false;
  status_.synced = false;
  status_.remote.clear();
  status_.problem = why;
}

base::Result<void> OperatorSource::on_operator_message(std::string_view text) {
  metrics_.operator_messages.add();
  metrics_.operator_last_message.set(milliseconds(net::Loop::now()));
  auto taken = replica_.take(text);
  if (taken && replica_.has_news()) apply_soon();
  return taken;
}

void OperatorSource::apply_soon() {
  const auto next = applied_ + kApplyEvery;
  if (net::Loop::now() >= next) return loop_.defer(*this);
  if (!apply_.is_set()) apply_.set(next);
}

void OperatorSource::apply() {
  applied_ = net::Loop::now();
  const auto news = replica_.apply();
  for (const auto& warning : news.warnings) base::log::warning(warning);
  if (news.set_changed) {
    const auto table = routing::build_table(replica_.set());
    publish_(table);
    metrics_.config_generation.add();
    base::log::info(
        "routes in force",
        {{"tunnels", table->tunnels()}, {"routes", table->routes()}, {"version", to_string(*replica_.version())}});
  }
  publish_link_certificate();
  publish_peers();
  if (replica_.is_synced()) ready_ = true;
  update_status();
  for (const auto& answer : news.answers) client_->send(answer);
  if (replica_.is_synced()) client_->settled();
  unsaved_ = true;
  if (state_ && !save_.is_set()) save_.set(net::Loop::now() + options_.save_after);
}

void OperatorSource::publish_link_certificate() {
  if (!options_.link_certificate || replica_.link_certificate() == shared_->link_certificate.get()) return;
  shared_->link_certificate.publish(replica_.link_certificate());
  base::log::info("the operator's link certificate is in force");
}

void OperatorSource::publish_peers() {
  if (shared_->peers == nullptr || options_.peer_address.empty()) return;
  Peers& peers = *shared_->peers;
  const auto& certificate = replica_.peer_certificate();
  if (certificate && certificate != std::exchange(peer_certificate_seen_, certificate)) {
    peers.keys().publish(std::make_shared<const PeerKeys>(
        PeerKeys{certificate->chain_pem, certificate->key_pem, certificate->trusted_pem}));
  }
  // An operator that says nothing of peers knows of none, and nobody must wait for more.
  const bool none = replica_.is_synced() && replica_.peers() == nullptr && peers.addresses().get() == nullptr;
  if (none) peers.addresses().publish(std::make_shared<const PeerAddresses>());
  const auto& message = replica_.peers();
  if (!message || message == std::exchange(peers_seen_, message)) return;
  PeerAddresses addresses;
  for (const auto& peer : message->gateways) {
    if (peer.gateway == shared_->gateway_id) continue;
    if (auto address = net::parse_host_port(peer.address)) {
      addresses.push_back(*std::move(address));
    } else {
      base::log::warning("the operator names a peer at a wrong address",
                         {{"peer", peer.gateway}, {"address", peer.address}, {"reason", address.error()}});
    }
  }
  peers.addresses().publish(std::make_shared<const PeerAddresses>(std::move(addresses)));
}

void OperatorSource::look_at_links() {
  links_check_.set(net::Loop::now() + options_.link_check);
  // First the count, then the links: what changes in between is seen the next time.
  const auto changes = shared_->directory.changes();
  if (changes != links_seen_) {
    links_seen_ = changes;
    reports_.update(shared_->directory.all());
  }
  report_links();
}

void OperatorSource::report_links() {
  if (!client_->is_writable()) return;
  if (auto report = reports_.next_message()) client_->send(std::move(*report));
}

void OperatorSource::save() {
  save_.clear();
  if (!state_ || !unsaved_ || !replica_.version()) return;
  const auto began = base::Clock::now();
  const auto saved = state_->write(replica_.write_copy());
  unsaved_ = !saved;
  if (!saved && save_problem_ != saved.error()) {
    base::log::warning("the copy of the configuration cannot be written", {{"reason", saved.error()}});
  }
  save_problem_ = saved ? "" : saved.error();
  const auto took = base::Clock::now() - began;
  options_.save_after =
      std::max(options_.save_after, std::chrono::duration_cast<std::chrono::milliseconds>(took * kSaveShare));
}

void OperatorSource::update_status() {
  if (const auto& version = replica_.version()) {
    metrics_.operator_term.set(static_cast<std::int64_t>(version->term));
    metrics_.operator_counter.set(static_cast<std::int64_t>(version->counter));
  }
  const auto refused = static_cast<std::int64_t>(replica_.refused());
  const auto more = refused - metrics_.config_refused.value();
  if (more > 0) metrics_.config_refusals.add(static_cast<std::uint64_t>(more));
  metrics_.config_refused.set(refused);
  metrics_.operator_refused.set(refused);
  const std::lock_guard lock(status_mutex_);
  status_.synced = replica_.is_synced();
  status_.version = replica_.version() ? to_string(*replica_.version()) : "";
  status_.tunnels = replica_.tunnels();
  status_.refused = replica_.refused();
}

}  // namespace adit::gateway
