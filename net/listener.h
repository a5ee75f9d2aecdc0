#pragma once
// A listening TCP socket on one loop.

#include <functional>
#include <memory>

#include "base/result.h"
#include "net/asio.h"
#include "net/loop.h"

namespace adit::net {

/// Accepts connections and hands each to `accepted`, on the loop's thread. When the process runs out of descriptors it
/// waits a little instead of spinning.
class Listener {
 public:
  using Accepted = std::function<void(Socket socket, const asio::ip::tcp::endpoint& peer)>;

  /// Binds and listens; accepting begins with start(). `share`: SO_REUSEPORT, one socket for each worker. An IPv6
  /// wildcard address takes IPv4 too, and falls back to IPv4 alone where the machine has no IPv6.
  static base::Result<std::unique_ptr<Listener>> open(Loop& loop, const asio::ip::tcp::endpoint& where, bool share);

  /// On the loop's thread, or before it runs.
  void start(Accepted accepted);
  /// No more connections; those in the backlog are refused. On the loop's thread.
  void close();
  /// The same, but those that are in the backlog are accepted first: to their peers they are made already. The last may
  /// be handed over in the next turn.
  void finish();
  /// With the port that the kernel chose if it was 0.
  asio::ip::tcp::endpoint endpoint() const { return endpoint_; }

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
  using Connection = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

  explicit Listener(Loop& loop);
  base::Result<void> bind(asio::ip::tcp::endpoint where, bool share);
  void accept();
  void pause(Error error);
  static void resume(void* self);

  Loop& loop_;
  Acceptor acceptor_;
  asio::ip::tcp::endpoint endpoint_;
  Accepted accepted_;
  asio::ip::tcp::endpoint peer_;
  Deadline pause_;
  std::shared_ptr<const bool> open_ = std::make_shared<bool>(true);  ///< for the accept under way
};

}  // namespace adit::net
