#include "base/signals.h"

#include <algorithm>
#include <ctime>

namespace adit::base {

Signals::Signals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int Signals::wait(std::chrono::milliseconds limit) const {
  timespec time{};
  time.tv_sec = limit.count() / 1000;
  time.tv_nsec = (limit.count() % 1000) * 1'000'000;
  return std::max(sigtimedwait(&set_, nullptr, &time), 0);
}

}  // namespace adit::base
