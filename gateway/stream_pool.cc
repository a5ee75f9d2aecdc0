#include "gateway/stream_pool.h"

#include <algorithm>

namespace adit::gateway {
namespace {

// Shorter than the keep-alive of the usual services (nginx 75 s, Go and Tomcat 60 s and more), so that they rarely
// close a connection at the moment when we use it. Node's 5 s is met by the one repeat that an exchange allows itself.
constexpr auto kMostIdle = std::chrono::seconds(30);
constexpr auto kSweep = std::chrono::seconds(5);
constexpr std::size_t kMostIdlePerService = 512;
constexpr std::size_t kMostLookedAt = 16;  // idle streams tried for one on a live link
constexpr std::size_t kMostSpare = 4096;   // unused ServiceStream objects kept for the next request

}  // namespace

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
  auto* user = std::exchange(user_, nullptr);
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
  Upstream& upstream = *made;
  upstreams_.emplace(Key{upstream.tunnel_id, upstream.service}, std::move(made));
  if (!sweep_.is_set()) sweep_.set(net::Loop::now() + kSweep);
  return upstream;
}

ServiceStream* StreamPool::take(Upstream& upstream, link::StreamHandler& user) {
  std::size_t looked_at = 0;
  for (auto next = upstream.idle.begin(); next != upstream.idle.end() && looked_at < kMostLookedAt; ++looked_at) {
    ServiceStream& stream = *next++;
    const auto state = stream.link_->state.load(std::memory_order_relaxed);
    if (state == LinkState::over) drop(stream);
    if (state != LinkState::live) continue;
    upstream.idle.erase(upstream.idle.iterator_to(stream));
    stream.user_ = &user;
    return &stream;
  }
  return nullptr;
}

ServiceStream* StreamPool::open(Upstream& upstream, const link::Opening& opening,
                                const std::vector<std::uint64_t>& tried, link::StreamHandler& user) {
  ServiceStream* stream = fresh();
  stream->upstream_ = &upstream;
  stream->user_ = &user;
  stream->reused_ = false;
  stream->stream_ = opener_.open_stream(upstream, opening, tried, *stream, stream->link_);
  if (stream->stream_ != nullptr) return stream;
  stream->user_ = nullptr;
  forget(*stream);
  return nullptr;
}

void StreamPool::give_back(ServiceStream& stream) {
  const bool leaving = stream.link_->state.load(std::memory_order_relaxed) == LinkState::over;
  const bool full = stream.upstream_->idle.size() >= kMostIdlePerService;
  // A stream that crosses threads costs more for each of its requests than opening one here costs once.
  if (closing_ || leaving || full || opener_.has_nearer_link(*stream.upstream_, *stream.link_)) return drop(stream);
  stream.user_ = nullptr;
  stream.reused_ = true;
  stream.idle_since_ = net::Loop::now();
  stream.upstream_->idle.push_front(stream);
}

void StreamPool::drop(ServiceStream& stream) {
  if (std::exchange(stream.user_, nullptr) == nullptr) {
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
    entry = upstream.idle.empty() && upstream.users == 0 ? upstreams_.erase(entry) : std::next(entry);
  }
}

}  // namespace adit::gateway
