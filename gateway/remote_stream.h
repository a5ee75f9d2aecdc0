#pragma once
// A stream on another loop's link: the near half looks like any stream, and messages carry its bytes across.

#include <functional>
#include <memory>
#include <string>

#include "gateway/far_links.h"
#include "link/stream.h"
#include "net/loop.h"

namespace adit::gateway {

/// What it takes to open a stream on another loop. The texts are copied: they cross threads.
struct RemoteOpening {
  RemoteOpening() = default;
  RemoteOpening(std::uint64_t id, const link::Opening& opening)
      : link_id(id),
        service(opening.service),
        visitor(opening.visitor),
        request_id(opening.request_id),
        tunnel(opening.tunnel),
        instance(opening.instance) {}

  std::uint64_t link_id = 0;
  std::string service;
  std::string visitor;
  std::string request_id;
  std::string tunnel;          ///< for a peer's link
  std::uint64_t instance = 0;  ///< the same
};

/// Opens a stream on link `link_id` of the loop `far` that owns `far_links`. The Stream returned lives on
/// `near` and follows the same rules as one of a link; a link that is gone by then shows as on_closed(refused). Used
/// when a visitor's worker has no usable link of its own, so it may allocate: one message for each piece of data.
link::Stream* open_remote_stream(net::Loop& near, net::Loop& far, FarLinks& far_links, RemoteOpening opening,
                                 link::StreamHandler& handler);

/// Asks the far loop to treat a link as suspect.
void suspect_remote_link(net::Loop& far, FarLinks& far_links, std::uint64_t link_id);

}  // namespace adit::gateway
