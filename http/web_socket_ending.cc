#include "http/web_socket_ending.h"

namespace adit::http {

WebSocketEnding::Step WebSocketEnding::take(End from, std::span<const char> bytes) {
  Way& way = way_to(from == End::visitor ? End::service : End::visitor);
  if (way.told) {  // dropped, but its Close frame is looked for
    way.frames.pass(bytes);
    return {};
  }
  if (!way.ending || way.frames.closed()) return {way.frames.pass(bytes), false};
  Step step;
  step.passes = way.frames.pass(bytes, true);
  if (!way.frames.at_boundary() || way.frames.closed()) return step;
  way.told = step.then_close = true;
  way.frames.pass(bytes.subspan(step.passes));
  return step;
}

bool WebSocketEnding::begin(End to) {
  Way& way = way_to(to);
  way.ending = true;
  if (way.told || way.frames.closed() || !way.frames.at_boundary()) return false;
  return way.told = true;
}

bool WebSocketEnding::done() const {
  // The frames on the way to an end are those that the other end has sent: its answer shows there.
  return to_visitor_.frames.closed() && to_service_.frames.closed();
}

}  // namespace adit::http
