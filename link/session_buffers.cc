// What streams hold: their windows, the budget of their growth, and the connection's credit.

#include <algorithm>
#include <utility>

#include "link/session_impl.h"

namespace adit::link {
namespace {

constexpr base::Duration kLookForIdle = std::chrono::seconds(1);
// Others may have made room meanwhile, and nobody tells a link.
constexpr base::Duration kLookForRoom = std::chrono::milliseconds(100);

}  // namespace

void Session::Impl::received(LinkStream& stream, std::size_t size) {
  stream.held_ += size;
  account_.received(size);
  stats_.buffered = account_.held();
}

void Session::Impl::delivered(LinkStream& stream, std::uint64_t size) {
  size = std::min(size, stream.held_);
  stream.held_ -= size;
  account_.delivered(size);
  stats_.buffered = account_.held();
  if (withheld_ != 0) give_withheld();
}

/// The connection's credit comes back on receipt, so that nobody's stall is another's; unless too much waits already,
/// since then the peer's next bytes would only add to it.
void Session::Impl::give_credit(std::size_t size) {
  if (withheld_ == 0 && !account_.is_full()) {
    nghttp2_session_consume_connection(h2_.get(), size);
    return;
  }
  withheld_ += size;
  stats_.credit_withheld = true;
  look_soon(kLookForRoom);
}

void Session::Impl::give_withheld() {
  if (failed() || account_.is_full()) return;
  nghttp2_session_consume_connection(h2_.get(), std::exchange(withheld_, 0));
  stats_.credit_withheld = false;
  poke();
}

void Session::Impl::fit_window(LinkStream& stream) {
  const auto change = stream.window_.advice(now_, stats_.round_trip, options_.most_window);
  if (change < 0) return resize_window(stream, change);
  if (change == 0) return;
  const auto granted = budget_.grant(static_cast<std::uint64_t>(change));
  if (granted == 0) return;
  resize_window(stream, static_cast<std::int64_t>(granted));
  look_soon(kLookForIdle);
}

/// A window that shrinks gets no credit until the peer has used what it has too much; that it could still send at once.
void Session::Impl::resize_window(LinkStream& stream, std::int64_t change) {
  if (change < 0) budget_.give_back(static_cast<std::uint64_t>(-change));
  stream.window_.resize(change);
  stats_.window_bytes = budget_.granted();
  nghttp2_session_set_local_window_size(h2_.get(), NGHTTP2_FLAG_NONE, stream.id_,
                                        static_cast<std::int32_t>(stream.window_.size()));
}

void Session::Impl::look_soon(base::Duration after) { look_at_ = std::min(look_at_, now_ + after); }

void Session::Impl::look() {
  look_at_ = base::kNever;
  if (withheld_ != 0) give_withheld();
  if (withheld_ != 0) look_soon(kLookForRoom);
  if (budget_.granted() == 0) return;
  for (LinkStream& stream : streams_) {
    const auto grown = static_cast<std::int64_t>(stream.window_.grown());
    if (stream.id_ != 0 && grown != 0 && stream.window_.is_idle(now_, stats_.round_trip)) resize_window(stream, -grown);
  }
  if (budget_.granted() != 0) look_soon(kLookForIdle);
}

}  // namespace adit::link
