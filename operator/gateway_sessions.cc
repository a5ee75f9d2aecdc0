#include "operator/gateway_sessions.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/log.h"

namespace adit::controller {
/// One gateway; for a moment also one whose connection is lost.
class GatewaySessions::Session final : public net::ChannelOwner {
 public:
  Session(GatewaySessions& all, std::unique_ptr<net::MessageChannel> channel, WallTime expires)
      : feed(*all.log_), expires(expires), remote(channel->remote()), all_(all), channel_(std::move(channel)) {}

  void start() { channel_->start(*this); }

  void pull() {
    if (!channel_ || !channel_->is_writable()) return;
    if (auto text = feed.next_message()) channel_->send(std::move(*text));
  }

  void close(const std::string& why) {
    if (channel_) channel_->close(why);
    channel_.reset();
  }
  bool is_connected() const { return channel_ != nullptr; }
  /// What the gateway said is taken for true.
  bool counts() const { return is_connected() || lost_at != base::TimePoint{}; }

  control::GatewayFeed feed;
  WallTime expires;
  std::string remote;
  base::TimePoint lost_at{};
  /// For answers that come later than the session ends.
  std::shared_ptr<Session*> self = std::make_shared<Session*>(this);

 private:
  void on_message(std::string_view text) override {
    auto news = feed.take(text);
    if (news) {
      all_.on_news(*this, *news);
      return pull();  // a first word, or room for more
    }
    if (news.error().later_term) all_.on_later_term(*news.error().later_term);
    all_.end(*this, news.error().message, false);
  }
  void on_writable() override { pull(); }
  void on_closed(std::string_view why) override { all_.end(*this, std::string(why), true); }

  GatewaySessions& all_;
  std::unique_ptr<net::MessageChannel> channel_;
};

GatewaySessions::GatewaySessions(net::Loop& loop, EdgeViews& views, Callbacks callbacks,
                                 GatewaySessionsSettings settings)
    : loop_(loop),
      views_(views),
      callbacks_(std::move(callbacks)),
      settings_(settings),
      tick_(net::Deadline::of<&GatewaySessions::tick>(loop, this)) {}

GatewaySessions::~GatewaySessions() {
  for (auto& session : sessions_) *session->self = nullptr;
  sessions_.clear();  // before the log
}

void GatewaySessions::lead(std::uint64_t term) {
  const auto last = last_;  // of this very process, if it goes on with a higher term
  resign();
  log_ = std::make_unique<control::ConfigurationLog>(term);
  if (!link_certificate_.certificate.empty()) {
    log_->set_link_certificate(link_certificate_.certificate, link_certificate_.key);
  }
  if (!peer_certificate_.chain_pem.empty()) log_->set_peer_certificate(peer_certificate_);
  leads_since_ = net::Loop::now();
  last_synced_ = leads_since_;
  tick_.set(leads_since_ + settings_.tick);
  if (last) update(last);
}

void GatewaySessions::resign() {
  for (auto& session : sessions_) {
    *session->self = nullptr;
    session->close("this operator does not lead any more");
  }
  sessions_.clear();
  log_.reset();
  last_.reset();  // by the next term it will have grown old
  kept_.clear();
  known_ids_.clear();
  views_.clear();
  settled_ = false;
  tick_.clear();
}

void GatewaySessions::update(const CompilationPtr& compilation) {
  if (!log_) return;
  if (!log_->is_filled()) filled_at_ = net::Loop::now();
  last_ = compilation;
  const auto changed = log_->update(compilation->configurations, compilation->keep);
  kept_.clear();
  const std::set<std::string_view> keep(compilation->keep.begin(), compilation->keep.end());
  for (const auto& [key, facts] : compilation->facts) {
    if (keep.contains(facts->id)) kept_.emplace(facts->id, key);
  }
  pull_all();
  refresh(changed);
}

void GatewaySessions::set_link_certificate(const KeyCertificate& pair) {
  link_certificate_ = pair;
  if (!log_) return;
  log_->set_link_certificate(pair.certificate, pair.key);
  pull_all();
}

void GatewaySessions::set_peer_certificate(control::PeerCertificateMessage message) {
  peer_certificate_ = std::move(message);
  if (!log_) return;
  log_->set_peer_certificate(peer_certificate_);
  pull_all();
}

/// A gateway whose connection broke stays for a moment: its peers know better than this operator whether it lives.
void GatewaySessions::tell_peers() {
  std::map<std::string, std::string> by_id;
  for (const auto& session : sessions_) {
    if (session->counts() && !session->feed.peer_address().empty()) {
      by_id[session->feed.gateway()] = session->feed.peer_address();
    }
  }
  control::PeersMessage message;
  for (auto& [gateway, address] : by_id) message.gateways.push_back({gateway, std::move(address)});
  log_->set_peers(std::move(message));
  pull_all();
}

void GatewaySessions::add(std::unique_ptr<net::MessageChannel> channel, WallTime expires) {
  if (!log_) return channel->close("this operator does not lead");
  sessions_.push_back(std::make_unique<Session>(*this, std::move(channel), expires));
  base::log::info("gateway connected", {{"remote", sessions_.back()->remote}});
  sessions_.back()->start();
}

void GatewaySessions::pull_all() {
  for (auto& session : sessions_) session->pull();
}

/// `is_lost`: the connection broke; what the gateway said last still counts for a moment.
void GatewaySessions::end(Session& session, const std::string& why, bool is_lost) {
  base::log::warning("gateway disconnected",
                     {{"gateway", session.feed.gateway()}, {"remote", session.remote}, {"reason", why}});
  session.close(why);
  session.lost_at = is_lost ? net::Loop::now() : base::TimePoint{};
}

void GatewaySessions::on_news(Session& session, const control::GatewayFeed::News& news) {
  if (news.greeted) tell_peers();
  if (news.token) {
    callbacks_.check_token(*news.token, [this, self = session.self](std::optional<WallTime> expires) {
      if (*self == nullptr || !(*self)->is_connected()) return;
      if (expires) {
        (*self)->expires = *expires;
      } else {
        end(**self, "its new token is not accepted", false);
      }
    });
  }
  if (news.synced) {
    base::log::info("gateway has the whole configuration",
                    {{"gateway", session.feed.gateway()}, {"version", session.feed.acknowledged()}});
    last_synced_ = net::Loop::now();
    // The same process with a new connection: what its former one said is over.
    for (auto& other : sessions_) {
      if (other.get() != &session && other->feed.gateway() == session.feed.gateway()) {
        other->close("the gateway has come back");
        other->lost_at = {};
      }
    }
    return refresh_all();
  }
  refresh(news.tunnels);
}

/// Later, since a new term ends the session that is speaking.
void GatewaySessions::on_later_term(std::uint64_t later) {
  loop_.post([this, later] {
    constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
    // One who was suspended meets the gateways of its successor before it has noticed.
    if (!log_ || log_->term() > later || later == kLast || !callbacks_.may_lead()) return;
    base::log::warning("a gateway knows a later term: going on above it", {{"term", later + 1}});
    lead(later + 1);
  });
}

EdgeView GatewaySessions::view_of(const std::string& id) const {
  EdgeView view;
  std::map<std::string, std::set<std::string>> instances;
  for (const auto& session : sessions_) {
    if (!session->counts()) continue;
    const auto& feed = session->feed;
    if (feed.has_synced()) {
      ++view.gateways;
      if (feed.has(id)) ++view.current;
      const auto* refusal = feed.refusal(id);
      if (refusal != nullptr && view.refused.empty()) view.refused = "gateway " + feed.gateway() + ": " + *refusal;
    }
    const auto links = feed.links().find(id);
    if (links == feed.links().end()) continue;
    for (const auto& connector : links->second) {
      instances[connector.instance].insert(connector.services.begin(), connector.services.end());
    }
  }
  for (auto& [instance, services] : instances) {
    view.connectors.push_back({instance, {services.begin(), services.end()}});
  }
  return view;
}

std::string GatewaySessions::name_of(const std::string& id) const {
  if (const auto configuration = log_->configuration_of(id)) return configuration->tunnel->name;
  const auto kept = kept_.find(id);
  return kept == kept_.end() ? std::string() : kept->second;
}

void GatewaySessions::refresh(const std::vector<std::string>& ids) {
  std::vector<std::string> tunnels;
  for (const auto& id : ids) {
    auto name = name_of(id);
    if (name.empty()) {
      views_.erase(id);
      known_ids_.erase(id);
      continue;
    }
    known_ids_.insert(id);
    if (views_.set(id, view_of(id))) tunnels.push_back(std::move(name));
  }
  if (!tunnels.empty()) callbacks_.on_views(tunnels);
}

void GatewaySessions::refresh_all() { refresh({known_ids_.begin(), known_ids_.end()}); }

void GatewaySessions::tick() {
  const auto now = net::Loop::now();
  const auto wall = std::chrono::system_clock::now();
  for (auto& session : sessions_) {
    if (session->is_connected() && session->expires <= wall) end(*session, "its token has expired", true);
  }
  drop_ended();
  settle();
  views_.set_gateways(status());
  tick_.set(now + settings_.tick);
}

void GatewaySessions::drop_ended() {
  const auto until = net::Loop::now() - settings_.lost_for;
  const auto dropped = sessions_.remove_if([&](const std::unique_ptr<Session>& session) {
    const bool is_over = !session->is_connected() && session->lost_at <= until;
    if (is_over) *session->self = nullptr;
    return is_over;
  });
  if (dropped == 0) return;
  tell_peers();
  refresh_all();
}

/// A gateway that has not said yet what it has, or which links, is no reason to call anything missing.
void GatewaySessions::settle() {
  if (settled_ || !log_->is_filled()) return;
  const auto now = net::Loop::now();
  if (now < filled_at_ + settings_.settled_within) {
    const bool is_one_coming = std::any_of(sessions_.begin(), sessions_.end(), [](const auto& session) {
      return session->is_connected() && !session->feed.has_synced();
    });
    const bool has_one = last_synced_ > leads_since_;
    const auto until =
        has_one ? last_synced_ + settings_.reports_come_within : filled_at_ + settings_.gateways_come_within;
    if (is_one_coming || now < until) return;
  }
  settled_ = true;
  views_.set_settled(true);
  callbacks_.on_views({});
}

std::vector<GatewayStatus> GatewaySessions::status() const {
  std::vector<GatewayStatus> list;
  for (const auto& session : sessions_) {
    if (!session->is_connected()) continue;
    const auto& feed = session->feed;
    list.push_back({feed.gateway(), session->remote, feed.program_version(), feed.has_synced(), feed.is_current(),
                    feed.links().size()});
  }
  return list;
}

}  // namespace adit::controller
