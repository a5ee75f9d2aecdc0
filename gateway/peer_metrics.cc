#include "gateway/peer_metrics.h"

namespace adit::gateway {

void collect_peers(const PeerMetrics& metrics, telemetry::Families& families) {
  families.gauge("adit_gateway_peers", "Addresses of other gateways.").add({}, metrics.known.value());
  families.gauge("adit_gateway_peers_up", "Other gateways to which there is a link.").add({}, metrics.up.value());
  families.gauge("adit_gateway_peers_ready", "Other gateways that say that they are ready.")
      .add({}, metrics.ready.value());
  families.gauge("adit_gateway_peer_links_accepted", "Links that other gateways have dialled.")
      .add({}, metrics.accepted.value());
  auto dials = families.counter("adit_gateway_peer_dials_total", "Dials to other gateways by how they ended.");
  for (std::size_t i = 0; i < metrics.dials.size(); ++i) {
    dials.add({{"result", kPeerDialResultNames[i]}}, metrics.dials[i].value());
  }
  families.counter("adit_gateway_peer_handshakes_refused_total", "Dials of other gateways that were refused.")
      .add({}, metrics.handshakes_refused.value());
  families.counter("adit_gateway_peer_streams_sent_total", "Streams sent to other gateways by what became of them.")
      .add({{"result", "served"}}, metrics.sent_served.value())
      .add({{"result", "refused"}}, metrics.sent_refused.value())
      .add({{"result", "failed"}}, metrics.sent_failed.value());
  families.counter("adit_gateway_peer_streams_taken_total", "Streams taken from other gateways by what became of them.")
      .add({{"result", "served"}}, metrics.taken_served.value())
      .add({{"result", "refused"}}, metrics.taken_refused.value())
      .add({{"result", "failed"}}, metrics.taken_failed.value());
  families.gauge("adit_gateway_peer_streams_taken_open", "Streams of other gateways that are open.")
      .add({}, metrics.taken_open.value());
  families.counter("adit_gateway_peer_sent_bytes_total", "Bytes sent to other gateways on links by who dialled them.")
      .add({{"dialled_by", "this"}}, metrics.sent_bytes_out.value())
      .add({{"dialled_by", "peer"}}, metrics.taken_bytes_out.value());
  families.counter("adit_gateway_peer_received_bytes_total", "Bytes received from other gateways, likewise.")
      .add({{"dialled_by", "this"}}, metrics.sent_bytes_in.value())
      .add({{"dialled_by", "peer"}}, metrics.taken_bytes_in.value());
}

}  // namespace adit::gateway
