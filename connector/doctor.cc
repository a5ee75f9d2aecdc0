#include "connector/doctor.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace adit::connector {
namespace {

std::string title_of(DialStep step) {
  switch (step) {
    case DialStep::credentials:
      return "credentials";
    case DialStep::resolve:
      return "name";
    case DialStep::connect:
      return "connection";
    case DialStep::proxy:
      return "proxy tunnel";
    case DialStep::tls:
      return "TLS";
    case DialStep::handshake:
      break;
  }
  return "handshake";
}

Check failure(std::string step, const DialProblem& problem, base::Duration took) {
  const auto& info = info_of(problem.cause);
  return {std::move(step), Finding::failed, problem.text(), took, std::string(info.name), std::string(info.fix)};
}

std::string_view fix_of(StreamFailure failure) {
  switch (failure) {
    case StreamFailure::name:
      return "Check the host of --service, and that the name server of this machine knows it.";
    case StreamFailure::refused:
      return "Check host and port of --service, and that the service runs and can be reached from here.";
    case StreamFailure::timeout:
      return "Check the network policies and the firewall between this machine and the service.";
    case StreamFailure::tls:
      return "Check that the service speaks TLS, and caFile and serverName of its URL.";
    case StreamFailure::not_offered:
      break;
  }
  return "Check --service.";
}

std::vector<link::Transport> transports_of(TransportMode mode) {
  if (mode == TransportMode::upgrade) return {link::Transport::upgrade};
  if (mode == TransportMode::websocket) return {link::Transport::websocket};
  return {link::Transport::upgrade, link::Transport::websocket};
}

}  // namespace

Doctor::Doctor(Options& options, std::ostream& out)
    : options_(options),
      report_(out, options.doctor_json),
      identity_(new_identity(options.tunnel, options.name)),
      credentials_(options.token_file.string(), options.ca_file.string(), options.proxy.credentials_file.string()),
      context_{loop_, identity_, credentials_, options.proxy, random_, options.dial_timeout} {}

int Doctor::run() {
  check_settings();
  for (const auto& gateway : options_.gateways) check_gateway(gateway);
  for (const auto& service : options_.services.services()) check_service(service);
  return report_.finish();
}

void Doctor::check_settings() {
  report_.begin("settings");
  const auto count = [](std::size_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  report_.add({"settings", Finding::ok,
               count(options_.gateways.size(), "gateway") + ", " +
                   count(options_.services.services().size(), "service") + ", tunnel " +
                   (options_.tunnel.empty() ? "by the token" : options_.tunnel)});
  bool ok = true;
  const auto check_file = [&](std::string step, const auto& read, Cause cause, std::string detail) {
    if (read) return report_.add({std::move(step), Finding::ok, std::move(detail)});
    ok = false;
    report_.add(failure(std::move(step), {cause, DialStep::credentials, read.error()}, {}));
  };
  const auto token = credentials_.token();
  check_file("token file", token, Cause::token_file, options_.token_file.string());
  const bool any_tls = std::any_of(options_.gateways.begin(), options_.gateways.end(),
                                   [](const GatewayAddress& gateway) { return gateway.encrypted; });
  if (any_tls) {
    check_file("CA file", credentials_.tls(), Cause::ca_file,
               options_.ca_file.empty() ? "none given: the system's roots are trusted" : options_.ca_file.string());
  } else {
    report_.add({"CA file", Finding::skipped, "no gateway is dialled with TLS"});
  }
  const auto trust = options_.services.load_trust();
  trust_loaded_ = static_cast<bool>(trust);
  if (!trust) {
    ok = false;
    report_.add({"services' CAs", Finding::failed, trust.error(), {}, {}, "Correct caFile of that --service."});
  }
  report_.end(ok);
}

void Doctor::check_gateway(const GatewayAddress& gateway) {
  report_.begin("gateway " + gateway.text());
  const auto proxy = decide_proxy(options_.proxy, gateway.target);
  report_.add({"proxy", Finding::ok, (proxy.proxy != nullptr ? proxy.proxy->text() : "none") + " (" + proxy.why + ")"});
  not_tried_.clear();
  std::vector<std::string> working;
  bool first = true;
  for (const auto transport : transports_of(options_.transport)) {
    if (!not_tried_.empty()) {
      report_.add({std::string(link::name_of(transport)), Finding::skipped, not_tried_});
    } else if (check_transport(gateway, transport, first)) {
      working.emplace_back(link::name_of(transport));
    }
    first = false;
  }
  if (working.empty()) return report_.end(false, "no link can be had");
  report_.end(true, "links by " + working.front() + (working.size() > 1 ? ", or by " + working.back() : ""));
}

/// True when a link over that transport works. The steps before the handshake are shown for the first transport only.
bool Doctor::check_transport(const GatewayAddress& gateway, link::Transport transport, bool first) {
  AttemptProbe probe(context_, gateway, transport);
  const std::string title(link::name_of(transport));
  if (first) show_steps(probe, gateway);
  if (const auto& problem = probe.problem()) {
    const bool handshake = problem->step == DialStep::handshake;
    if (!handshake) {
      report_.add(failure(first ? title_of(problem->step) : title, *problem, probe.last_took()));
      if (first) {
        show_skipped(problem->step, "because of the step that failed");
        report_.add({title, Finding::skipped, "because of the step that failed"});
      }
      not_tried_ = "because of the step that failed";
      return false;
    }
    report_.add(failure(title, *problem, probe.last_took()));
    report_.add({title + " link", Finding::skipped, "because of the step that failed"});
    if (!problem->other_transport) not_tried_ = "it would be answered alike";
    return false;
  }
  const auto& handshake = probe.steps().back();
  report_.add({title, Finding::ok, handshake.what, handshake.took});
  return check_link(title + " link", probe.take());
}

void Doctor::show_steps(const AttemptProbe& probe, const GatewayAddress& gateway) {
  const bool by_proxy = decide_proxy(options_.proxy, gateway.target).proxy != nullptr;
  for (const auto& taken : probe.steps()) {
    if (taken.step == DialStep::handshake) break;
    Check check{title_of(taken.step), Finding::ok, taken.what, taken.took};
    if (taken.step == DialStep::resolve) {
      if (taken.what.empty()) check.detail = "an address, not a name";
      if (by_proxy) check.detail += " (of the proxy, which looks up the gateway's)";
    }
    report_.add(std::move(check));
    if (taken.step == DialStep::connect && !by_proxy) {
      report_.add({title_of(DialStep::proxy), Finding::skipped, "no proxy"});
    }
  }
  const bool got_past_tls = !probe.problem() || probe.problem()->step == DialStep::handshake;
  if (got_past_tls && !gateway.encrypted) report_.add({"TLS", Finding::skipped, "the address has none"});
}

void Doctor::show_skipped(DialStep from, std::string_view why) {
  for (const auto step : {DialStep::resolve, DialStep::connect, DialStep::proxy, DialStep::tls}) {
    if (step > from) report_.add({title_of(step), Finding::skipped, std::string(why)});
  }
}

bool Doctor::check_link(const std::string& title, Dialed dialed) {
  const auto began = net::Loop::now();
  const LinkProbe probe(context_, std::move(dialed));
  const auto took = net::Loop::now() - began;
  if (!probe.problem().empty()) {
    report_.add({title, Finding::failed, probe.problem(), took, "link",
                 "Something on the way lets the handshake through but not what follows: let it pass Upgrade and "
                 "WebSocket on without buffering, or try the other --transport."});
    return false;
  }
  const auto round_trip = std::chrono::duration<double, std::milli>(probe.round_trip()).count();
  report_.add({title, Finding::ok, fmt::format("offers are taken, round trip {:.1f} ms", round_trip), took});
  return true;
}

void Doctor::check_service(const Service& service) {
  report_.begin("service " + service.name + " (" + service.url + ")");
  if (service.tls && !trust_loaded_) {
    report_.add({"connection", Finding::skipped, "its CA could not be read"});
    return report_.end(false);
  }
  const auto began = net::Loop::now();
  const ServiceProbe probe(loop_, service);
  const auto took = net::Loop::now() - began;
  if (const auto failed = probe.failure()) {
    report_.add({"connection", Finding::failed, std::string(probe.problem()), took,
                 std::string(kStreamFailureNames[static_cast<std::size_t>(*failed)]), std::string(fix_of(*failed))});
    return report_.end(false);
  }
  report_.add({"connection", Finding::ok, probe.reached(), took});
  report_.end(true);
}

}  // namespace adit::connector
