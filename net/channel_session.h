#pragma once
// An established message channel, whichever end dialled.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/message_channel.h"
#include "net/web_socket.h"

namespace adit::net {

/// Kept alive by its own pending operations. On its loop's thread only.
class ChannelSession final : public std::enable_shared_from_this<ChannelSession> {
 public:
  /// `place` is kept until the session is over.
  ChannelSession(Loop& loop, std::shared_ptr<WebSocket> socket, std::string remote, const ChannelLimits& limits,
                 std::shared_ptr<void> place);

  void start(ChannelOwner& owner);
  void send(std::string text);
  bool is_writable() const { return waiting_.empty(); }
  void close(std::string_view why);
  const std::string& remote() const { return remote_; }
  /// Ends at once; the owner hears why.
  void end(const std::string& why);
  /// The loop does not run any more and will be destroyed: nothing of the session may refer to it.
  void drop_socket() { socket_.reset(); }

  /// Who uses a session that is over does not hold it.
  std::unique_ptr<MessageChannel> handle();

 private:
  void read();
  void on_read(Error error);
  void write();
  void on_written(Error error);
  void say_goodbye();
  void on_deadline();
  std::string text_of(Error error) const;

  std::shared_ptr<WebSocket> socket_;
  std::string remote_;
  ChannelLimits limits_;
  std::shared_ptr<void> place_;
  ChannelOwner* owner_ = nullptr;
  beast::flat_buffer buffer_;
  std::deque<std::string> waiting_;  ///< the first one is being written
  std::size_t waiting_bytes_ = 0;
  std::string goodbye_;
  Deadline deadline_;  ///< of the write under way, or of the goodbye
  bool closing_ = false;
  bool over_ = false;
};

}  // namespace adit::net
