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
  std::string
      reason;        ///< "name not found", "connection refused (127.0.0.1:80)"; of several addresses, each with its own
  Error error = {};  ///< of the last address, or of the resolver; none when timed out
};

/// In which order the addresses of a name are tried.
struct DialOrder {
  std::vector<std::string> avoid = {};  ///< left out, unless there is nothing else; as text, see host_text()
  unsigned turn = 0;                    ///< of the rest, begin with this one of the resolver's order, counted round
};

/// What is to be tried, in turn. Pure; `found` is not empty.
std::vector<asio::ip::tcp::endpoint> in_order(const DialOrder& order, std::vector<asio::ip::tcp::endpoint> found);

/// One attempt to connect. The name is resolved anew each time. An address that says nothing leaves time for the next
/// ones. Kept alive by its own pending operations; on the loop's thread only.
class Dial final : public boost::intrusive_ref_counter<Dial, boost::thread_unsafe_counter> {
 public:
  /// Exactly one of the two is called, once, never from within start(); none after cancel().
  using Connected = std::function<void(Socket socket)>;
  using Failed = std::function<void(const DialFailure& failure)>;
  using Addresses = std::vector<asio::generic::stream_protocol::endpoint>;  ///< still to be tried, last first

  static boost::intrusive_ptr<Dial> start(Loop& loop, const Target& target, base::Duration limit, Connected connected,
                                          Failed failed, DialOrder order = {});
  void cancel();
  /// The addresses that the name had, "192.0.2.1, 2001:db8::1"; empty before, and for what is no name.
  const std::string& resolved() const { return resolved_; }
  /// The same one by one.
  const std::vector<std::string>& hosts() const { return hosts_; }
  /// Those that were gone to; the last one is that of the connection.
  const std::vector<std::string>& tried() const { return tried_; }

 private:
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>;

  Dial(Loop& loop, Connected connected, Failed failed, DialOrder order);
  void resolve(const Target& target);
  void take(const Resolver::results_type& found);
  void connect_next();
  void on_connected(Error error);
  void on_address_failed(const std::string& reason, Error error, bool timed_out);
  void on_deadline();
  void fail(std::string reason, Error error, bool timed_out = false);
  void end();

  Socket socket_;
  Resolver resolver_;
  Deadline deadline_;      ///< of the resolver or of the address that is tried
  base::TimePoint until_;  ///< of the whole
  Connected connected_;
  Failed failed_;
  DialOrder order_;
  Addresses addresses_;
  std::string resolved_;
  std::vector<std::string> hosts_;
  std::vector<std::string> tried_;
  std::string trying_;     ///< the address of the attempt under way, for the reason
  std::string reasons_;    ///< of the addresses that failed
  unsigned attempts_ = 0;  ///< tells the answer of an attempt that was given up
  DialPhase phase_ = DialPhase::resolve;
  bool ended_ = false;
};

}  // namespace adit::net
