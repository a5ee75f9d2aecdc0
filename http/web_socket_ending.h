#pragma once
// How a relayed WebSocket is ended from the middle: Close 1001 to both ends (RFC 6455 §7.4.1). Sans-io.

#include <cstddef>
#include <span>

#include "http/web_socket_frames.h"

namespace adit::http {

/// One end of the relay, as the relay sees it: what it says, and whether it may still be told something. Until
/// WebSocketEnding::begin() bytes pass unchanged.
class WebSocketEnding {
 public:
  enum class End : bool { visitor, service };

  /// What becomes of bytes that an end has sent: the first `passes` go on to the other end, and then, if `then_close`,
  /// a Close frame of the relay's own; the rest is dropped.
  struct Step {
    std::size_t passes = 0;
    bool then_close = false;
  };
  Step take(End from, std::span<const char> bytes);

  /// From here on each end is told 1001 at the next boundary of what it is being sent. Returns whether `to` is to be
  /// told now; ask once for each end.
  bool begin(End to);

  /// What `to` is being sent, from us or from the other end, has closed.
  bool told(End to) const { return way_to(to).told || way_to(to).frames.closed(); }
  /// Both ends were told, and both have answered: nothing is lost by closing.
  bool done() const;

 private:
  /// What goes to one end.
  struct Way {
    WebSocketFrames frames;  ///< as the other end has sent them
    bool ending = false;
    bool told = false;  ///< by us
  };
  Way& way_to(End end) { return end == End::visitor ? to_visitor_ : to_service_; }
  const Way& way_to(End end) const { return end == End::visitor ? to_visitor_ : to_service_; }

  Way to_visitor_;
  Way to_service_;
};

}  // namespace adit::http
