#pragma once
// The links of a loop as other loops reach them.

#include <cstdint>

#include "link/session.h"
#include "link/stream.h"

namespace adit::gateway {

/// Called on the loop that owns the links.
class FarLinks {
 public:
  /// Opens a stream on that link; nullptr when it is gone or takes no more.
  virtual link::Stream* open(std::uint64_t link_id, const link::Opening& opening, link::StreamHandler& handler) = 0;
  /// Nothing came from that link for a while; no effect when it is gone.
  virtual void suspect(std::uint64_t link_id) = 0;
  /// What became of an opening: the status of its answer; 0: it was refused, or lost before an answer.
  virtual void on_opened(std::uint64_t /*link_id*/, int /*status*/) {}

 protected:
  ~FarLinks() = default;
};

}  // namespace adit::gateway
