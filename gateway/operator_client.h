#pragma once
// The gateway's connection to its operator: dialled again for ever, with credentials that may change.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/random.h"
#include "base/result.h"
#include "net/loop.h"
#include "net/message_channel.h"

namespace adit::gateway {

/// Where the operator is and what opens its door.
struct OperatorAccess {
  net::ChannelUrl url;
  std::filesystem::path token_file;  ///< read at each dial, and every now and then
  std::filesystem::path ca_file;     ///< read at each dial
  net::ChannelLimits limits;
  base::Backoff::Limits backoff{std::chrono::milliseconds(250), std::chrono::milliseconds(5'000)};
  std::chrono::milliseconds token_check{10'000};  ///< how often the token file is looked at during a session
};

/// Called on the client's loop.
class OperatorClientOwner {
 public:
  /// A session begins.
  virtual void on_operator_connected(const std::string& remote) = 0;
  /// An error ends the session.
  virtual base::Result<void> on_operator_message(std::string_view text) = 0;
  /// See ChannelOwner::on_writable().
  virtual void on_operator_writable() = 0;
  /// There is no session, and why. Also called for each dial that failed.
  virtual void on_operator_lost(const std::string& why) = 0;

 protected:
  ~OperatorClientOwner() = default;
};

/// On its loop's thread only.
class OperatorClient final : private net::ChannelOwner {
 public:
  OperatorClient(net::Loop& loop, OperatorAccess access, OperatorClientOwner& owner);
  ~OperatorClient();
  OperatorClient(const OperatorClient&) = delete;
  OperatorClient& operator=(const OperatorClient&) = delete;

  void start() { dial(); }
  /// No more sessions; nothing is called any more.
  void stop();

  // During a session; without one they do nothing.
  void send(std::string text);
  bool is_writable() const { return channel_ && channel_->is_writable(); }
  /// The session is good: the next failure waits shortly again.
  void settled() { backoff_.reset(); }

 private:
  void dial();
  base::Result<net::ChannelRequest> request();
  void on_connected(std::unique_ptr<net::MessageChannel> channel);
  void on_failed(const std::string& why);
  void look_at_token();
  void on_message(std::string_view text) override;
  void on_writable() override { owner_.on_operator_writable(); }
  void on_closed(std::string_view why) override;

  net::Loop& loop_;
  OperatorAccess access_;
  OperatorClientOwner& owner_;
  base::Random random_;
  base::Backoff backoff_;
  net::Deadline redial_;
  net::Deadline token_check_;
  std::string token_;  ///< that the operator has
  std::unique_ptr<net::ChannelDial> dial_;
  std::unique_ptr<net::MessageChannel> channel_;
};

}  // namespace adit::gateway
