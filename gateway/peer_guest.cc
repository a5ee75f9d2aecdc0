#include "gateway/peer_guest.h"

#include <utility>

namespace adit::gateway {
namespace {

constexpr std::size_t kMostWaiting = std::size_t{256} * 1024;  // well below what a control stream may hold

}  // namespace

PeerGuest::PeerGuest(net::Loop& loop, net::StreamPtr stream, Facts facts, const link::SessionOptions& options,
                     PeerGuestOwner& owner)
    : facts_(std::move(facts)),
      owner_(owner),
      driver_(loop, std::move(stream), nullptr, link::Role::connector, options, *this) {}

bool PeerGuest::tell(const OwnPresence& presence) {
  auto& session = driver_.session();
  while (!untold_.empty() && driver_.is_open() && session.control_waiting() < kMostWaiting) {
    const auto tunnel = untold_.extract(untold_.begin());
    for (const auto& line : presence.lines(tunnel.value())) session.send_control(line);
  }
  return !untold_.empty();
}

PeerGuestStatus PeerGuest::status() {
  const auto& now = stats();
  return {facts_.id, facts_.version, facts_.remote, facts_.since, now.streams_open, now.bytes_in, now.bytes_out};
}

}  // namespace adit::gateway
