#pragma once
// One probe of a service: the way to it and, if asked for, a GET.

#include <string>
#include <string_view>

#include "connector/probe_settings.h"
#include "connector/service_dial.h"

namespace adit::connector {

/// The status of an HTTP/1 answer that begins with `bytes`: 0 while it is not known, -1 if this is none.
int status_of_answer(std::string_view bytes);
/// What is sent for a probe by HTTP. No redirect is followed, no body read.
std::string probe_request(const Service& service, std::string_view path);

class HealthProbeOwner {
 public:
  /// Empty `failure`: the service is well. The probe may be started again, not from within.
  virtual void on_probed(std::string_view failure) = 0;

 protected:
  ~HealthProbeOwner() = default;
};

/// On its loop's thread.
class HealthProbe final : private ServiceDialOwner, private net::StreamOwner {
 public:
  /// All are borrowed; `service` has its trust loaded.
  HealthProbe(net::Loop& loop, const Service& service, const ProbeSettings& settings, HealthProbeOwner& owner);
  ~HealthProbe() { cancel(); }

  /// One on_probed() follows, never from within, unless cancel() is called.
  void start();
  void cancel();

 private:
  void on_service_reached(net::StreamPtr stream) override;
  void on_service_failed(StreamFailure, std::string_view reason) override { done(reason); }
  void on_readable() override;
  void on_sent() override {}
  void on_broken(std::string_view why) override { done(why); }
  void on_deadline();
  void done(std::string_view failure);

  const Service& service_;
  const ProbeSettings& settings_;
  HealthProbeOwner& owner_;
  ServiceDial dial_;
  net::Deadline deadline_;
  net::StreamPtr stream_;
};

}  // namespace adit::connector
