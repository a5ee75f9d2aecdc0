#pragma once
// A stream that a peer has opened, joined to a stream on a link of this gateway's own (docs/peers.md).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "base/buffer.h"
#include "gateway/link_directory.h"
#include "gateway/peer_metrics.h"
#include "link/session.h"
#include "link/stream.h"
#include "net/loop.h"

namespace adit::gateway {

/// The links of this gateway's own, and nobody else's: a stream of a peer never leads to another peer, whatever either
/// believes of the other.
class OwnLinks {
 public:
  /// Opens on the best link that is not in `tried`; sets `link` to it. nullptr: there is none. `handler` hears nothing
  /// from within.
  virtual link::Stream* open_own(const link::Opening& opening, const std::vector<std::uint64_t>& tried,
                                 link::StreamHandler& handler, std::shared_ptr<const LinkInfo>& link) = 0;
  /// Nothing came from that link for a while.
  virtual void doubt_own(const LinkInfo& link) = 0;

 protected:
  ~OwnLinks() = default;
};

class PeerRelay;

class PeerRelayOwner {
 public:
  /// The relay is over; the owner destroys it later in the turn.
  virtual void on_relay_over(PeerRelay& relay) = 0;

 protected:
  ~PeerRelayOwner() = default;
};

/// Passes bytes, ends and resets both ways, and the connector's answer back; bytes are not looked at. Back-pressure is
/// that of the two streams: credit is given back on one side as the other takes the bytes. Until the connector has
/// answered, the stream is opened on up to three links in turn; when none takes it, the peer is told that it was never
/// looked at, and may open it elsewhere. On one loop.
class PeerRelay final : public link::StreamHandler, public boost::intrusive::list_base_hook<> {
 public:
  static constexpr unsigned kMostAttempts = 3;
  static constexpr base::Duration kAcceptWithin = std::chrono::seconds(1);  ///< then the link is asked if it lives
  static constexpr base::Duration kVerdictWithin = std::chrono::milliseconds(250);
  /// What the connector may take for the last bytes once the peer's stream is over.
  static constexpr base::Duration kLingerLimit = std::chrono::seconds(30);

  PeerRelay(net::Loop& loop, PeerRelayOwner& owner, OwnLinks& links, PeerMetrics& metrics, link::Stream& peer,
            const link::Opening& opening);
  ~PeerRelay();

  /// False: no link of one's own can take it; nothing is reported.
  bool start();

 private:
  // The peer's stream.
  void on_answer(int, std::string_view) override {}
  void on_data(std::span<const char> bytes) override;
  void on_end() override;
  void on_closed(link::Closed why) override;
  std::span<const char> to_send() override { return to_peer_.readable(); }
  void on_sent(std::size_t size) override;

  /// The connector's stream.
  class Back final : public link::StreamHandler {
   public:
    explicit Back(PeerRelay& relay) : relay_(relay) {}
    void on_answer(int status, std::string_view reason) override { relay_.answered(status, reason); }
    void on_data(std::span<const char> bytes) override { relay_.to_peer(bytes); }
    void on_end() override;
    void on_closed(link::Closed why) override { relay_.back_closed(why); }
    std::span<const char> to_send() override { return relay_.to_service_.readable(); }
    void on_sent(std::size_t size) override { relay_.service_took(size); }

   private:
    PeerRelay& relay_;
  };

  bool attempt();
  void answered(int status, std::string_view reason);
  void to_peer(std::span<const char> bytes);
  void back_closed(link::Closed why);
  void service_took(std::size_t size);
  void drop_service();
  void refuse();
  void await_sign();
  void on_deadline();
  void over();

  PeerRelayOwner& owner_;
  OwnLinks& links_;
  PeerMetrics& metrics_;
  link::Stream* peer_;  ///< until it is closed or reset
  Back back_{*this};
  link::Stream* service_ = nullptr;  ///< the connector's
  const std::string tunnel_;
  const std::string name_;  ///< of the service
  const std::string visitor_;
  const std::string request_id_;
  const link::InstanceKey instance_;      ///< to which alone it may go; 0: to any
  std::shared_ptr<const LinkInfo> link_;  ///< of service_
  std::vector<std::uint64_t> tried_;
  base::Buffer to_service_;
  base::Buffer to_peer_;
  net::Deadline deadline_;
  bool answered_ = false;  ///< by the connector, 200
  bool ended_ = false;     ///< the peer ended its half
  bool broken_ = false;    ///< the connector's stream is gone; what it brought before may be left
  bool awaits_ = false;    ///< bytes were passed on, and none has come back since
  bool probed_ = false;    ///< the link was doubted, its verdict is awaited
  bool lingers_ = false;   ///< only the last bytes to the service are waited for
  bool over_ = false;
};

}  // namespace adit::gateway
