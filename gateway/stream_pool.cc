#include "gateway/stream_pool.h"

#include <algorithm>

namespace adit::gateway {
namespace {

// Shorter than the keep-alive of the usual services (nginx 75 s, Go and Tomcat 60 s and more), so that they rarely
// close a connection at the moment when we use it. Node's 5 s is met by the one repeat that an exchange allows itself.
constexpr auto kMostIdle = std::chrono::seconds(30);
constexpr auto kSweep = std::chrono::seconds(5);
constexpr std::size_t kMostIdlePerService = 512;
constexpr std::size_t kMostLookedAt = 16;        // idle streams tried for one on a live link
constexpr std::size_t kMostLookedThrough = 256;  // for one that leads to a certain instance
// Then a stream is opened anew, wherever the choice among links falls: under steady load a connector that came later
// would get nothing otherwise. Spread, since those of a burst were opened together.
constexpr auto kMostAge = std::chrono::seconds(30);
constexpr unsigned kMostAgeSpread = 16;   // seconds
constexpr std::size_t kMostSpare = 4096;  // unused ServiceStream objects kept for the next request

}  // namespace

void ServiceStream::occupy(link::StreamHandler& user) {
  user_ = &user;
  link_->requests.fetch_add(1, std::memory_order_relaxed);
}

link::StreamHandler* ServiceStream::vacate() {
  auto* user = std::exchange(user_, nullptr);
  if (user != nullptr) link_->requests.fetch_sub(1, std::memory_order_relaxed);
  return user;
}

void ServiceStream::on_answer(int status, std::string_view reason) {
  if (user_ != nullptr) user_->on_answer(status, reason);
}

void ServiceStream::on_data(std::span<const char> bytes) {
  if (user_ != nullptr) return user_->on_data(bytes);
  pool_.drop(*this);  // nobody asked the service for anything
}

void ServiceStream::on_end() {
  if (user_ != nullptr) return user_->on_end();
  pool_.drop(*this);
}

void ServiceStream::on_closed(link::Closed why) {
  stream_ = nullptr;
  auto* user = vacate();
  if (user == nullptr) upstream_->idle.erase(upstream_->idle.iterator_to(*this));
  pool_.forget(*this);
  if (user != nullptr) user->on_closed(why);
}

std::span<const char> ServiceStream::to_send() { return user_ != nullptr ? user_->to_send() : std::span<const char>(); }

void ServiceStream::on_sent(std::size_t size) {
  if (user_ != nullptr) user_->on_sent(size);
}

StreamPool::StreamPool(net::Loop& loop, StreamOpener& opener, TunnelMetrics& metrics)
    : opener_(opener), metrics_(metrics), sweep_(net::Deadline::of<&StreamPool::on_sweep>(loop, this)) {}

StreamPool::~StreamPool() { clear(); }

Upstream& StreamPool::upstream(const routing::Tunnel& tunnel, std::string_view service) {
  if (const auto found = upstreams_.find(Key{tunnel.id, service}); found != upstreams_.end()) return *found->second;
  auto made = std::make_unique<Upstream>();
  made->tunnel_id = tunnel.id;
  made->tunnel_name = tunnel.name;
  made->service = service;
  made->cells = metrics_.cells(tunnel.id, tunnel.name);
  made->budget = budget_of(tunnel.id);
  Upstream& upstream = *made;
  upstreams_.emplace(Key{upstream.tunnel_id, upstream.service}, std::move(made));
  if (!sweep_.is_set()) sweep_.set(net::Loop::now() + kSweep);
  return upstream;
}

ServiceStream* StreamPool::take(Upstream& upstream, link::StreamHandler& user, link::InstanceKey only) {
  const auto now = upstream.ejections.empty() ? base::TimePoint() : net::Loop::now();
  ServiceStream* doubtful = nullptr;
  std::size_t looked_at = 0;
  const std::size_t most = only != 0 ? kMostLookedThrough : kMostLookedAt;
  for (auto next = upstream.idle.begin(); next != upstream.idle.end() && looked_at < most; ++looked_at) {
    ServiceStream& stream = *next++;
    if (only != 0 && stream.instance_ != only) continue;
    const auto state = stream.link_->state.load(std::memory_order_relaxed);
    if (state == LinkState::over) drop(stream);
    if (state != LinkState::live) continue;
    if (in_trouble(upstream, stream, now)) {
      if (doubtful == nullptr) doubtful = &stream;
      continue;
    }
    upstream.idle.erase(upstream.idle.iterator_to(stream));
    stream.occupy(user);
    return &stream;
  }
  // Where all have trouble a connection that stands is better than one to be made.
  if (doubtful == nullptr || opener_.has_sound_link(upstream, {})) return nullptr;
  upstream.idle.erase(upstream.idle.iterator_to(*doubtful));
  doubtful->occupy(user);
  return doubtful;
}

bool StreamPool::in_trouble(const Upstream& upstream, const ServiceStream& stream, base::TimePoint now) {
  const LinkInfo& link = *stream.link_;
  if (!upstream.ejections.empty() && upstream.ejections.contains(stream.connector(), now)) return true;
  return link.services_down.load(std::memory_order_relaxed) != 0 && opener_.is_down(upstream, link);
}

std::shared_ptr<RetryBudget> StreamPool::budget_of(const std::string& tunnel_id) {
  auto& known = budgets_[tunnel_id];
  auto budget = known.lock();
  if (budget == nullptr) known = budget = std::make_shared<RetryBudget>(net::Loop::now());
  return budget;
}

ServiceStream* StreamPool::open(Upstream& upstream, const link::Opening& opening,
                                const std::vector<std::uint64_t>& tried, link::StreamHandler& user) {
  ServiceStream* stream = fresh();
  stream->upstream_ = &upstream;
  stream->reused_ = false;
  stream->asked_ = opening.instance;
  stream->stream_ = opener_.open_stream(upstream, opening, tried, *stream, stream->link_);
  if (stream->stream_ == nullptr && opening.instance != 0) {
    auto any = opening;
    any.instance = stream->asked_ = 0;
    stream->stream_ = opener_.open_stream(upstream, any, tried, *stream, stream->link_);
  }
  if (stream->stream_ == nullptr) {
    forget(*stream);
    return nullptr;
  }
  stream->instance_ = stream->link_->instance_key != 0 ? stream->link_->instance_key : stream->asked_;
  stream->occupy(user);
  stream->keep_until_ = net::Loop::now() + kMostAge + std::chrono::seconds(opened_++ % kMostAgeSpread);
  return stream;
}

void StreamPool::give_back(ServiceStream& stream) {
  const bool leaving = stream.link_->state.load(std::memory_order_relaxed) == LinkState::over;
  const bool full = stream.upstream_->idle.size() >= kMostIdlePerService;
  const auto now = net::Loop::now();
  const bool old = now >= stream.keep_until_;
  // A stream that crosses threads costs more for each of its requests than opening one here costs once.
  if (closing_ || leaving || full || old || opener_.has_nearer_link(*stream.upstream_, *stream.link_, stream.asked_))
    return drop(stream);
  stream.vacate();
  stream.reused_ = true;
  stream.idle_since_ = now;
  stream.upstream_->idle.push_front(stream);
}

void StreamPool::drop(ServiceStream& stream) {
  if (stream.vacate() == nullptr) {
    stream.upstream_->idle.erase(stream.upstream_->idle.iterator_to(stream));
  }
  std::exchange(stream.stream_, nullptr)->reset();
  forget(stream);
}

template <class Which>
void StreamPool::drop_idle_if(Which which) {
  for (auto& [key, upstream] : upstreams_) {
    for (auto next = upstream->idle.begin(); next != upstream->idle.end();) {
      ServiceStream& stream = *next++;
      if (which(*stream.link_)) drop(stream);
    }
  }
}

void StreamPool::drop_idle(std::uint64_t link_id) {
  drop_idle_if([link_id](const LinkInfo& link) { return link.id == link_id; });
}

void StreamPool::drop_idle_of(std::string_view peer) {
  drop_idle_if([peer](const LinkInfo& link) { return link.peer == peer; });
}

void StreamPool::clear() {
  closing_ = true;
  for (auto& [key, upstream] : upstreams_) {
    while (!upstream->idle.empty()) drop(upstream->idle.front());
  }
}

ServiceStream* StreamPool::fresh() {
  if (free_.empty()) return std::make_unique<ServiceStream>(*this).release();
  auto* stream = free_.back().release();
  free_.pop_back();
  return stream;
}

void StreamPool::forget(ServiceStream& stream) {
  stream.link_.reset();
  stream.upstream_ = nullptr;
  std::unique_ptr<ServiceStream> owned(&stream);
  if (free_.size() < kMostSpare) free_.push_back(std::move(owned));
}

void StreamPool::on_sweep() {
  sweep(net::Loop::now());
  if (!upstreams_.empty()) sweep_.set(net::Loop::now() + kSweep);
}

void StreamPool::sweep(base::TimePoint now) {
  const auto oldest = now - kMostIdle;
  for (auto entry = upstreams_.begin(); entry != upstreams_.end();) {
    auto& upstream = *entry->second;
    while (!upstream.idle.empty() && upstream.idle.back().idle_since_ < oldest) drop(upstream.idle.back());
    upstream.ejections.forget_old(now);
    const bool unused = upstream.idle.empty() && upstream.users == 0 && upstream.ejections.empty();
    entry = unused ? upstreams_.erase(entry) : std::next(entry);
  }
  std::erase_if(budgets_, [](const auto& item) { return item.second.expired(); });
}

}  // namespace adit::gateway
