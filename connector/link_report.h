#pragma once
// What link slots tell the admin thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace adit::connector {

/// One slot at one moment.
struct LinkStatus {
  std::uint32_t slot = 0;                         ///< Adit-Slot
  std::string gateway;                            ///< the address that was dialled last, as configured
  std::string gateway_id;                         ///< of the link that is up
  std::string transport;                          ///< of the link that is up: "upgrade" or "websocket"
  std::string state;                              ///< "stopped", "waiting", "dialing", "opening", "up"
  std::chrono::system_clock::time_point since{};  ///< of state
  std::string remote;                             ///< address of the link that is up
  std::chrono::microseconds round_trip{0};
  std::uint64_t bytes_in = 0;  ///< of the link that is up
  std::uint64_t bytes_out = 0;
  std::uint64_t streams_opened = 0;
  std::size_t streams_open = 0;
  std::uint64_t buffered = 0;    ///< bytes that its services have not taken yet
  bool credit_withheld = false;  ///< too much is buffered
  std::size_t retiring = 0;      ///< former links that finish their streams
  std::string last_error;        ///< why the last dial or link failed, empty if none did
  std::string last_cause;        ///< of a dial: the name of its cause; of a link: "link_" and that of the loss
  std::string last_fix;          ///< what to do about it, one sentence; empty for a link
  std::chrono::system_clock::time_point last_error_at{};
};

/// Written by the slot's worker, read by any thread.
class LinkReport {
 public:
  void set(LinkStatus status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  LinkStatus get() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  LinkStatus status_;
};

/// Those of all slots that there are. Any thread.
class LinkReports {
 public:
  /// A new slot's; it is listed as long as the slot keeps it.
  std::shared_ptr<LinkReport> add();
  /// In the order of their numbers.
  std::vector<LinkStatus> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<LinkReport>> reports_;
};

}  // namespace adit::connector
