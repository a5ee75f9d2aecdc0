#pragma once
// Dialling out: resolve, then connect to the addresses in turn, all within one time limit.

#include <functional>
#include <string>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "base/clock.h"
#include "net/address.h"
#include "net/asio.h"
#include "net/loop.h"

namespace adit::net {

enum class DialPhase { resolve, connect };

struct DialFailure {
  DialPhase phase = DialPhase::resolve;
  bool timed_out = false;
  std::string reason;  ///< "name not found", "connection refused (127.0.0.1:80)", …
};

/// One attempt to connect. Kept alive by its own pending operations; on the loop's thread only.
class Dial final : public boost::intrusive_ref_counter<Dial, boost::thread_unsafe_counter> {
 public:
  /// Exactly one of the two is called, once, never from within start(); none after cancel().
  using Connected = std::function<void(Socket socket)>;
  using Failed = std::function<void(const DialFailure& failure)>;

  static boost::intrusive_ptr<Dial> start(Loop& loop, const Target& target, base::Duration limit, Connected connected,
                                          Failed failed);
  void cancel();

 private:
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>;

  Dial(Loop& loop, Connected connected, Failed failed);
  void resolve(const Target& target);
  void connect_next();
  void on_connected(Error error);
  void on_deadline();
  void fail(std::string reason, bool timed_out = false);
  void end();

  Socket socket_;
  Resolver resolver_;
  Deadline deadline_;
  Connected connected_;
  Failed failed_;
  std::vector<asio::generic::stream_protocol::endpoint> addresses_;  ///< still to be tried, last first
  std::string trying_;  ///< the address of the attempt under way, for the reason
  DialPhase phase_ = DialPhase::resolve;
  bool ended_ = false;
};

}  // namespace adit::net
