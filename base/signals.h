#pragma once
// The signals that end a program or make it reopen its log, taken synchronously by one thread.

#include <chrono>
#include <csignal>

namespace adit::base {

/// Made by main's thread before any other is started, since these inherit what is blocked. SIGPIPE is ignored.
class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// SIGTERM, SIGINT or SIGHUP as it comes, or 0 after `limit`.
  int wait(std::chrono::milliseconds limit) const;

 private:
  sigset_t set_;
};

}  // namespace adit::base
