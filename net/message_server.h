#pragma once
// The end of message channels that listens: a thread with its own loop.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/message_channel.h"

namespace adit::net {

struct MessageServerOptions {
  asio::ip::tcp::endpoint where;
  std::size_t most_sessions = 1000;          ///< those in their handshake included; more are closed at once
  std::size_t most_per_address = 64;         ///< sessions from one address, likewise
  std::chrono::milliseconds decide{10'000};  ///< for the decision; without one the answer is 503
  ChannelLimits limits;
};

/// A client's request, before it is accepted.
struct ChannelHello {
  std::string remote;  ///< "ADDRESS:PORT"
  std::string path;    ///< of the request line, with query
  std::string bearer;  ///< of the Authorization header; empty without one. A secret
};

/// Why a request is not accepted: an HTTP answer with the reason as text/plain.
struct ChannelRefusal {
  unsigned status = 503;
  std::string reason;  ///< for the client's log
  std::optional<std::chrono::seconds> retry_after;
};

/// Serves from start() to its destructor.
class MessageServer {
 public:
  /// The outcome of a decision: nothing accepts. Call it once, from any thread, now or later; it may outlive the
  /// server. Destroying it uncalled refuses with 503.
  using Answer = std::function<void(std::optional<ChannelRefusal> refusal)>;
  /// On the server's thread: must not block. Path and method have been looked at only as far as WebSocket asks.
  using Decide = std::function<void(const ChannelHello& hello, Answer answer)>;
  /// On the server's thread, after the client has been answered. Whoever takes the channel keeps it, and uses it on
  /// the server's thread (post()) only.
  using Accepted = std::function<void(std::unique_ptr<MessageChannel> channel, const ChannelHello& hello)>;

  /// Listens and starts the thread. Fails when the address cannot be bound.
  static base::Result<std::unique_ptr<MessageServer>> start(const MessageServerOptions& options, TlsContext tls,
                                                            Decide decide, Accepted accepted);
  /// Ends the thread; not to be called on it. Channels that are still held have ended (no call comes any more) and may
  /// be destroyed later.
  ~MessageServer();
  MessageServer(const MessageServer&) = delete;
  MessageServer& operator=(const MessageServer&) = delete;

  /// From any thread: handshakes that begin later use `tls`; sessions go on.
  void set_tls(TlsContext tls);
  /// The loop of the server's thread, for post() and for deadlines of what lives there.
  Loop& loop();
  /// With the port that the kernel chose if it was 0.
  asio::ip::tcp::endpoint endpoint() const;

 private:
  class Server;
  explicit MessageServer(std::shared_ptr<Server> server);
  std::shared_ptr<Server> server_;
};

}  // namespace adit::net
