#pragma once
// "adit-connector doctor": goes through the steps of reaching each gateway and each service, and says what is wrong.

#include <iosfwd>

#include "connector/credentials.h"
#include "connector/doctor_probes.h"
#include "connector/doctor_report.h"
#include "connector/options.h"

namespace adit::connector {

/// Uses the same parts as the serving connector, one after the other. Each wait has an end, so all of it has.
class Doctor {
 public:
  /// `options` are borrowed; findings go to `out`.
  Doctor(Options& options, std::ostream& out);

  /// The exit code: 0 when every gateway can be served and every service be reached, else 1.
  int run();

 private:
  void check_settings();
  void check_gateway(const GatewayAddress& gateway);
  bool check_transport(const GatewayAddress& gateway, link::Transport transport, bool first);
  void show_steps(const AttemptProbe& probe, const GatewayAddress& gateway);
  void show_skipped(DialStep from, std::string_view why);
  bool check_link(const std::string& title, Dialed dialed);
  void check_service(const Service& service);

  Options& options_;
  DoctorReport report_;
  net::Loop loop_;
  base::Random random_;
  const Identity identity_;
  Credentials credentials_;
  const DialContext context_;
  bool trust_loaded_ = false;
  std::string not_tried_;  ///< why no other transport of the gateway is worth a try; empty: it is
};

}  // namespace adit::connector
