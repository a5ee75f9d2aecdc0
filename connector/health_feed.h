#pragma once
// Takes news of the services' health to the links of one worker.

#include <utility>

#include <boost/intrusive/list.hpp>

#include "link/control.h"

namespace adit::connector {

/// Hears of every change for as long as it lives, from when it was added.
class HealthListener
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void on_health(const link::Health& down) = 0;

 protected:
  ~HealthListener() = default;
};

/// On its worker's loop.
class HealthFeed {
 public:
  /// The services that are down now; none at first.
  const link::Health& down() const { return down_; }
  void add(HealthListener& listener) { listeners_.push_back(listener); }
  void set(link::Health down) {
    down_ = std::move(down);
    for (auto& listener : listeners_) listener.on_health(down_);
  }

 private:
  link::Health down_;
  boost::intrusive::list<HealthListener, boost::intrusive::constant_time_size<false>> listeners_;
};

}  // namespace adit::connector
