#pragma once
// A client of a MessageServer until it is accepted or refused.

#include <memory>
#include <optional>
#include <string>

#include "net/message_server.h"
#include "net/web_socket.h"

namespace adit::net {

class ChannelEntrance;

/// Called on the loop's thread.
class EntranceOwner {
 public:
  /// answer() is expected, from within this call or later.
  virtual void decide(ChannelEntrance& entrance) = 0;
  /// The client was told that it is accepted.
  virtual void accepted(ChannelEntrance& entrance) = 0;
  /// The last call: it was accepted, refused, or failed.
  virtual void over(ChannelEntrance& entrance) = 0;

 protected:
  ~EntranceOwner() = default;
};

/// TLS, the request, its answer. Kept alive by its own pending operations and by its owner, which must outlive its
/// part until over(). On the loop's thread only.
class ChannelEntrance final : public std::enable_shared_from_this<ChannelEntrance> {
 public:
  /// `place` is kept until the client is gone, or handed on.
  ChannelEntrance(Loop& loop, EntranceOwner& owner, const MessageServerOptions& options,
                  std::shared_ptr<WebSocket> socket, std::string remote, std::shared_ptr<void> place);

  void start();
  /// The first answer counts.
  void answer(const std::optional<ChannelRefusal>& refusal);
  /// Ends it at once.
  void leave();

  const ChannelHello& hello() const { return hello_; }
  // For accepted().
  std::shared_ptr<WebSocket> take_socket() { return std::move(socket_); }
  std::shared_ptr<void> take_place() { return std::move(place_); }

 private:
  void read_request();
  void on_request();
  void accept();
  void refuse(const ChannelRefusal& refusal);
  void part();
  void on_deadline();

  EntranceOwner& owner_;
  const MessageServerOptions& options_;
  std::shared_ptr<WebSocket> socket_;  ///< kept by what is pending on it, too
  std::shared_ptr<void> place_;
  Deadline deadline_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::request<http::empty_body> request_;
  ChannelHello hello_;
  http::response<http::string_body> refusal_;
  bool deciding_ = false;
  bool over_ = false;
};

}  // namespace adit::net
