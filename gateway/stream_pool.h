#pragma once
// Streams to services: the keep-alive upstream pool of one worker. One stream is one connection to the service.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "base/clock.h"
#include "gateway/affinity.h"
#include "gateway/ejections.h"
#include "gateway/link_directory.h"
#include "gateway/link_table.h"
#include "gateway/metrics.h"
#include "gateway/retry_budget.h"
#include "link/stream.h"
#include "net/loop.h"

namespace adit::gateway {

class StreamPool;
struct Upstream;

/// One stream and the link it runs on, in use by an exchange or idle in the pool. What the link says goes to the user;
/// an idle stream on which anything happens is dropped.
class ServiceStream final : public boost::intrusive::list_base_hook<>, private link::StreamHandler {
 public:
  explicit ServiceStream(StreamPool& pool) : pool_(pool) {}

  const std::shared_ptr<const LinkInfo>& link() const { return link_; }
  /// The connector instance that it leads to; 0: not known.
  link::InstanceKey instance() const { return instance_; }
  /// By which its connector is known to ejections.
  std::uint64_t connector() const { return instance_ != 0 ? instance_ : link_->id; }
  /// Carried an answer before: the service may have closed it in the meantime.
  bool reused() const { return reused_; }
  void resume() { stream_->resume(); }
  void finish() { stream_->finish(); }
  void consume(std::size_t size) { stream_->consume(size); }

 private:
  friend class StreamPool;
  /// From here to vacate() it is a request under way on its link.
  void occupy(link::StreamHandler& user);
  /// Returns who used it; nullptr: it was idle.
  link::StreamHandler* vacate();
  void on_answer(int status, std::string_view reason) override;
  void on_data(std::span<const char> bytes) override;
  void on_end() override;
  void on_closed(link::Closed why) override;
  std::span<const char> to_send() override;
  void on_sent(std::size_t size) override;

  StreamPool& pool_;
  Upstream* upstream_ = nullptr;
  std::shared_ptr<const LinkInfo> link_;
  link::InstanceKey instance_ = 0;
  link::InstanceKey asked_ = 0;  ///< the instance that it was opened for; 0: any
  link::Stream* stream_ = nullptr;
  link::StreamHandler* user_ = nullptr;  ///< nullptr: idle
  base::TimePoint idle_since_;
  base::TimePoint keep_until_;  ///< not given back to the pool any more
  bool reused_ = false;
};

/// A service of a tunnel, as one worker sees it. Owned by the pool; it stays as long as an exchange uses it.
struct Upstream {
  using Idle = boost::intrusive::list<ServiceStream, boost::intrusive::constant_time_size<true>>;

  std::string tunnel_id;
  std::string tunnel_name;
  std::string service;
  std::shared_ptr<TunnelCells> cells;
  std::shared_ptr<RetryBudget> budget;  ///< of the tunnel
  Ejections ejections;
  std::vector<InstanceStanding> instances;  ///< that offer it, here or at peers; as of `instances_version`
  std::uint64_t instances_version = ~std::uint64_t{0};
  Idle idle;              ///< most recently used first
  std::size_t users = 0;  ///< exchanges under way
};

/// Where the pool opens streams when it has no idle one.
class StreamOpener {
 public:
  /// Opens on a link that is not in `tried`, and of `opening.instance` alone unless that is 0; sets `link` to the one
  /// that was chosen. nullptr: there is none.
  virtual link::Stream* open_stream(const Upstream& upstream, const link::Opening& opening,
                                    const std::vector<std::uint64_t>& tried, link::StreamHandler& handler,
                                    std::shared_ptr<const LinkInfo>& link) = 0;
  /// Nothing came from a link for a while. Has no effect on one that heard from its connector in the last second.
  virtual void doubt(const LinkInfo& link) = 0;

  /// The instance that a request with that wish, which is not none, shall go to; 0: any.
  virtual link::InstanceKey instance_for(Upstream&, const AffinityWish&) { return 0; }
  /// True when `link` is another worker's and a link of one's own without trouble offers the service too. `only`: of
  /// that instance; 0: of any.
  virtual bool has_nearer_link(const Upstream&, const LinkInfo&, link::InstanceKey /*only*/) { return false; }
  /// True when a link that is not in `tried` has no trouble (gateway/link_choice.h).
  virtual bool has_sound_link(const Upstream&, const std::vector<std::uint64_t>&) { return true; }
  /// Does the link's connector say that the service is down?
  virtual bool is_down(const Upstream&, const LinkInfo&) { return false; }
  /// Why open_stream had no link without `tried`.
  virtual Unserved why_unserved(const Upstream&) { return Unserved::not_offered; }

 protected:
  ~StreamOpener() = default;
};

/// On its worker's loop only.
class StreamPool {
 public:
  StreamPool(net::Loop& loop, StreamOpener& opener, TunnelMetrics& metrics);
  ~StreamPool();

  /// The service of a route; creates it at its first request. Valid while users > 0.
  Upstream& upstream(const routing::Tunnel& tunnel, std::string_view service);

  /// An idle stream on a live link, or nullptr. One on a link in trouble is taken only while no link is without.
  /// `only`: one that leads to that instance; 0: to any.
  ServiceStream* take(Upstream& upstream, link::StreamHandler& user, link::InstanceKey only = 0);
  /// A fresh stream; bytes may be sent once user.on_answer(200) was called. Where no link of `opening.instance` can
  /// take it, on one of any other. nullptr if no link can.
  ServiceStream* open(Upstream& upstream, const link::Opening& opening, const std::vector<std::uint64_t>& tried,
                      link::StreamHandler& user);
  /// After a whole answer on a connection that the service keeps: idle from here on.
  void give_back(ServiceStream& stream);
  /// Resets a stream in use or idle.
  void drop(ServiceStream& stream);
  // See StreamOpener.
  link::InstanceKey instance_for(Upstream& upstream, const AffinityWish& wish) {
    return opener_.instance_for(upstream, wish);
  }
  void doubt(const ServiceStream& stream) { opener_.doubt(*stream.link_); }
  bool has_sound_link(const Upstream& upstream, const std::vector<std::uint64_t>& tried) {
    return opener_.has_sound_link(upstream, tried);
  }
  Unserved why_unserved(const Upstream& upstream) { return opener_.why_unserved(upstream); }
  /// A link is leaving: its idle streams would only hold it up.
  void drop_idle(std::uint64_t link_id);
  /// The same for all tunnels of a peer.
  void drop_idle_of(std::string_view peer);
  /// No stream is kept idle any more (the gateway is ending).
  void clear();
  /// Drops what has been idle for long and forgets services without use; done by itself every few seconds.
  void sweep(base::TimePoint now);

 private:
  friend class ServiceStream;
  /// After on_closed: the link's stream is gone.
  void forget(ServiceStream& stream);
  void on_sweep();
  template <class Which>
  void drop_idle_if(Which which);
  ServiceStream* fresh();
  bool in_trouble(const Upstream& upstream, const ServiceStream& stream, base::TimePoint now);
  std::shared_ptr<RetryBudget> budget_of(const std::string& tunnel_id);

  struct Key {
    std::string_view tunnel;
    std::string_view service;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>{}(key.tunnel) * 31 + std::hash<std::string_view>{}(key.service);
    }
  };

  StreamOpener& opener_;
  TunnelMetrics& metrics_;
  std::unordered_map<Key, std::unique_ptr<Upstream>, Hash> upstreams_;   ///< keys are views into their values
  std::unordered_map<std::string, std::weak_ptr<RetryBudget>> budgets_;  ///< by tunnel id
  std::vector<std::unique_ptr<ServiceStream>> free_;
  unsigned opened_ = 0;
  net::Deadline sweep_;
  bool closing_ = false;
};

}  // namespace adit::gateway
