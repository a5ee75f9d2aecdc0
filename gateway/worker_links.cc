// A worker's links: which one a stream is opened on, its own, another worker's or another gateway's.

#include "gateway/peers.h"
#include "gateway/remote_stream.h"
#include "gateway/worker.h"

namespace adit::gateway {

link::Stream* Worker::open_stream(const Upstream& upstream, const link::Opening& opening,
                                  const std::vector<std::uint64_t>& tried, link::StreamHandler& handler,
                                  std::shared_ptr<const LinkInfo>& link) {
  GatewayLink* own = links_.pick(upstream.tunnel_id, opening.service, tried, &upstream.ejections, opening.instance);
  if (const Trouble trouble = trouble_of(own, upstream); trouble != kNoTrouble) {
    // A link of one's own is better, but not if it has trouble that the other has not.
    const auto other = shared_.directory.pick(upstream.tunnel_id, opening.service, index_, tried, &upstream.ejections,
                                              trouble, opening.instance);
    const bool lives =
        trouble < kMayBeDead || (other && other->state.load(std::memory_order_relaxed) == LinkState::live);
    if (!lives) {
      const bool live_only = own != nullptr || other != nullptr;
      if (auto* stream = open_at_peer(upstream, opening, tried, handler, live_only, link)) return stream;
    }
    if (other) {
      link = other;
      return open_far(opening, *other, handler);
    }
  }
  if (own == nullptr) return nullptr;
  if (auto* stream = own->open(opening, handler)) {
    link = own->info();
    metrics_.streams_opened.add();
    return stream;
  }
  auto others = tried;  // it takes no more: full, or its stream ids are used up
  others.push_back(own->info()->id);
  return open_stream(upstream, opening, others, handler, link);
}

link::Stream* Worker::open_far(const link::Opening& opening, const LinkInfo& link, link::StreamHandler& handler) {
  metrics_.streams_opened.add();
  metrics_.remote_streams.add();
  Worker& far = *shared_.workers[link.worker];
  return open_remote_stream(loop_, far.loop_, far.links_, RemoteOpening(link.id, opening), handler);
}

/// Where no link of this gateway's own serves, another gateway's may.
link::Stream* Worker::open_at_peer(const Upstream& upstream, const link::Opening& opening,
                                   const std::vector<std::uint64_t>& tried, link::StreamHandler& handler,
                                   bool live_only, std::shared_ptr<const LinkInfo>& link) {
  if (shared_.peers == nullptr) return nullptr;
  const auto peer = shared_.peers->pick(upstream.tunnel_id, opening.service, tried, opening.instance);
  if (!peer || (live_only && peer->state.load(std::memory_order_relaxed) != LinkState::live)) return nullptr;
  link = peer;
  metrics_.streams_opened.add();
  return shared_.peers->open(loop_, opening, *peer, handler);
}

void Worker::doubt(const LinkInfo& link) {
  if (!link.peer.empty()) return shared_.peers->doubt(link);
  if (link.worker != index_) {
    Worker& far = *shared_.workers[link.worker];
    return suspect_remote_link(far.loop_, far.links_, link.id);
  }
  if (GatewayLink* own = links_.find(link.id)) own->suspect();
}

bool Worker::has_nearer_link(const Upstream& upstream, const LinkInfo& link, link::InstanceKey only) {
  if (!link.peer.empty()) {
    if (link.connector_leaves) return true;
    return shared_.directory.pick(upstream.tunnel_id, upstream.service, shared_.workers.size(), {}, &upstream.ejections,
                                  kMayBeDead, only) != nullptr;
  }
  if (link.worker == index_) return false;
  const auto* own = links_.pick(upstream.tunnel_id, upstream.service, {}, &upstream.ejections, only);
  return trouble_of(own, upstream) == kNoTrouble;
}

link::InstanceKey Worker::instance_for(Upstream& upstream, const AffinityWish& wish) {
  refresh_instances(upstream);
  const auto chosen = choose_instance(wish, upstream.instances, upstream.ejections, net::Loop::now());
  return chosen != 0 ? chosen : instance_of_newcomer(upstream);
}

/// Directories lock, so they are asked only when something has changed.
void Worker::refresh_instances(Upstream& upstream) {
  auto version = shared_.directory.changes();
  if (shared_.peers != nullptr) version += shared_.peers->changes();
  if (version == upstream.instances_version) return;
  upstream.instances_version = version;
  upstream.instances.clear();
  shared_.directory.instances(upstream.tunnel_id, upstream.service, upstream.instances);
  if (shared_.peers != nullptr) {
    shared_.peers->instances(upstream.tunnel_id, upstream.service, upstream.instances);
  }
}

/// As links are chosen otherwise, and before idle streams are looked at: the last one that was used leads to the same
/// instance again and again.
link::InstanceKey Worker::instance_of_newcomer(const Upstream& upstream) {
  const auto* own = links_.pick(upstream.tunnel_id, upstream.service, {}, &upstream.ejections);
  const auto trouble = trouble_of(own, upstream);
  if (trouble != kNoTrouble) {
    const auto other =
        shared_.directory.pick(upstream.tunnel_id, upstream.service, index_, {}, &upstream.ejections, trouble);
    if (other) return other->instance_key;
  }
  if (own != nullptr) return own->info()->instance_key;
  if (upstream.instances.empty()) return 0;
  return upstream.instances[random_.up_to(upstream.instances.size() - 1)].instance;
}

/// Of a link that was picked; nullptr: the most that there is.
Trouble Worker::trouble_of(const GatewayLink* link, const Upstream& upstream) {
  if (link == nullptr) return kAnyTrouble;
  return link->standing(upstream.service, &upstream.ejections, net::Loop::now()).trouble();
}

bool Worker::has_sound_link(const Upstream& upstream, const std::vector<std::uint64_t>& tried) {
  const auto* own = links_.pick(upstream.tunnel_id, upstream.service, tried, &upstream.ejections);
  if (trouble_of(own, upstream) == kNoTrouble) return true;
  constexpr Trouble kLeast = 1;
  if (shared_.directory.pick(upstream.tunnel_id, upstream.service, index_, tried, &upstream.ejections, kLeast))
    return true;
  return trouble_of(own, upstream) >= kMayBeDead && shared_.peers != nullptr &&
         shared_.peers->pick(upstream.tunnel_id, upstream.service, tried) != nullptr;
}

bool Worker::is_down(const Upstream& upstream, const LinkInfo& link) {
  if (link.worker != index_) return shared_.directory.is_down(link, upstream.service);
  const GatewayLink* own = links_.find(link.id);
  return own != nullptr && own->is_down(upstream.service);
}

bool Worker::is_served(const routing::Route& rule) {
  const std::string& tunnel = rule.tunnel->id;
  if (links_.serves(tunnel, rule.service) || shared_.directory.serves(tunnel, rule.service)) return true;
  const auto peer = shared_.peers != nullptr ? shared_.peers->pick(tunnel, rule.service, {}) : nullptr;
  return peer != nullptr && peer->state.load(std::memory_order_relaxed) == LinkState::live;
}

Unserved Worker::why_unserved(const Upstream& upstream) { return shared_.directory.why_unserved(upstream.tunnel_id); }

void Worker::adopt(net::Stream::Parts parts, std::shared_ptr<LinkInfo> info) {
  auto shared_parts = std::make_shared<net::Stream::Parts>(std::move(parts));
  loop_.post([this, shared_parts, info = std::move(info)] {
    const net::StreamPtr stream(new net::Stream(loop_, std::move(*shared_parts)));
    links_.adopt(stream, info);
    links_.revoke(table());  // its token may have been revoked on the way
    links_open_.store(links_.size(), std::memory_order_relaxed);
  });
}

void Worker::slot_taken(std::uint64_t link_id, bool unheard) {
  loop_.post([this, link_id, unheard] { links_.slot_taken(link_id, unheard); });
}

/// Whoever died did so with all its links, and nobody may use the others soon.
void Worker::connector_is_doubtful(const LinkInfo& link) {
  for (Worker* worker : shared_.workers) {
    worker->loop_.post(
        [worker, tunnel = link.tunnel_id, instance = link.instance] { worker->links_.ask(tunnel, instance); });
  }
}

/// Streams on this worker's link may be idle at any worker.
void Worker::link_is_leaving(std::uint64_t link_id) {
  for (Worker* worker : shared_.workers) worker->drop_idle(link_id);
}

void Worker::drop_idle(std::uint64_t link_id) {
  loop_.post([this, link_id] { pool_.drop_idle(link_id); });
}

void Worker::drop_idle_of(std::string peer) {
  loop_.post([this, peer = std::move(peer)] { pool_.drop_idle_of(peer); });
}

void Worker::announce(std::shared_ptr<const link::Gateways> gateways) {
  loop_.post([this, gateways = std::move(gateways)] { links_.announce(*gateways); });
}

}  // namespace adit::gateway
