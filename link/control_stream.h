#pragma once
// The stream that carries control lines, as its handler: assembles lines, keeps what waits to be sent.

#include <string>
#include <string_view>

#include "base/buffer.h"
#include "link/control.h"
#include "link/stream.h"

namespace adit::link {

/// Both ends of the control stream. It tells its owner what came and what went wrong; after a failure it is deaf.
class ControlStream final : public StreamHandler {
 public:
  class Owner {
   public:
    virtual void on_control_answer(int status, std::string_view reason) = 0;
    virtual void on_control_message(const ControlMessage& message) = 0;
    /// The stream can't go on, and so can't the link. `reason` says what the peer did.
    virtual void on_control_failed(std::string reason) = 0;

   protected:
    ~Owner() = default;
  };

  /// What may wait for a peer that does not read: a few of the longest lines.
  static constexpr std::size_t kMostWaiting = 16 * kMostControlLine;

  explicit ControlStream(Owner& owner) : owner_(owner) {}

  /// The stream stands; lines kept so far are sent.
  void attach(Stream& stream);
  bool attached() const { return stream_ != nullptr; }
  void send(const ControlMessage& message);
  std::size_t waiting() const { return waiting_.size(); }

  void on_answer(int status, std::string_view reason) override;
  void on_data(std::span<const char> bytes) override;
  void on_end() override;
  void on_closed(Closed why) override;
  std::span<const char> to_send() override { return waiting_.readable(); }
  void on_sent(std::size_t size) override { waiting_.consume(size); }

 private:
  void take(std::string_view line);
  void fail(std::string reason);

  Owner& owner_;
  Stream* stream_ = nullptr;
  bool failed_ = false;
  base::Buffer partial_;  // a line whose end has not come
  base::Buffer waiting_;
};

}  // namespace adit::link
