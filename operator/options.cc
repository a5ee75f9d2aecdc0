#include "operator/options.h"

#include <fstream>

#include "base/version.h"

namespace adit::controller {
namespace {

constexpr const char* kNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

base::Result<void> check_policy(std::string_view item) { return routing::HostPolicy().add(item); }

std::string own_namespace() {
  std::ifstream in(kNamespaceFile);
  std::string name;
  std::getline(in, name);
  return name;
}

void describe(base::Settings& settings, Options& options, std::vector<std::string>& policy) {
  settings.group("Kubernetes");
  settings.add(options.kubeconfig, "kubeconfig", "kubeconfig file; without it the pod's ServiceAccount is used");
  settings.add(options.context, "context", "context of the kubeconfig instead of its current one");
  settings.add(options.space, "namespace", "the operator's own namespace, for its Lease, Secrets and ConfigMap");
  settings.add(options.namespaces, "namespaces", "watch only these, with rights in these alone");
  settings.add(
      policy, "host-policy",
      "NAMESPACE=SUFFIX: Tunnels of the namespace may claim the suffix and what is below it, and nothing else; "
      "* as namespace: those that are not named",
      {.check = check_policy});
  settings.group("Gateways");
  settings.add(options.control, "control", "where gateways dial in");
  settings.add(
      options.control_names, "control-name",
      "name by which gateways dial this operator; repeat it (default: localhost and the Service adit-operator)",
      {.key = "controlNames"});
  settings.add(options.gateway_service_account, "gateway-service-account",
               "name of the gateways' ServiceAccount in the operator's namespace");
  settings.add(options.gateway_audience, "gateway-audience",
               "audience of the gateways' tokens (default: adit.dev/NAMESPACE)");
  settings.add(options.gateway_token_file, "gateway-token-file",
               "file with a token that gateways share, instead of ServiceAccount tokens");
  settings.group("Tunnels");
  settings.add(options.gateway_address, "gateway-address",
               "HOST:PORT that connectors dial: goes into their Secrets, and the link certificate is for HOST");
  settings.add(options.public_addresses, "public-address",
               "name or address by which visitors reach the edge, for status.addresses; repeat it",
               {.key = "publicAddresses"});
  settings.add(options.token_overlap, "token-overlap", "how long the former token counts after a rotation");
  settings.add(options.writes_per_second, "writes-per-second", "most writes to the API server", {1, 1000});
  settings.group("Leader election");
  settings.add(options.lease_name, "lease-name", "the Lease");
  settings.add(options.lease_duration, "lease-duration", "after which others take over from a leader that is silent");
  settings.add(options.renew_deadline, "renew-deadline", "after which a leader that cannot renew stops to write");
  settings.add(options.retry_period, "retry-period", "between tries");
  settings.group("Operation");
  settings.add(options.admin, "admin", "where health, readiness, metrics and status are served");
  settings.add_choice(options.log_level, "log-level", "least level of the program's log on standard error",
                      {"debug", "info", "warning", "error"});
}

/// What the form of each single setting does not say.
std::vector<std::string> complete(Options& options) {
  std::vector<std::string> errors;
  if (options.space.empty()) options.space = own_namespace();
  if (options.space.empty()) errors.emplace_back("--namespace: needed outside of a cluster");
  if (options.gateway_address.empty())
    errors.emplace_back("--gateway-address: HOST:PORT that connectors dial is needed");
  if (options.renew_deadline >= options.lease_duration) {
    errors.emplace_back("--renew-deadline: must be less than --lease-duration");
  }
  if (options.retry_period >= options.renew_deadline) {
    errors.emplace_back("--retry-period: must be less than --renew-deadline");
  }
  if (options.control.off) errors.emplace_back("--control: gateways need it");
  if (options.gateway_audience.empty()) options.gateway_audience = "adit.dev/" + options.space;
  if (options.control_names.empty()) {
    const std::string service = "adit-operator." + options.space;
    options.control_names = {"localhost", "127.0.0.1",      "adit-operator",
                             service,     service + ".svc", service + ".svc.cluster.local"};
  }
  return errors;
}

}  // namespace

base::ParseOutcome parse_options(Options& options, int argc, const char* const* argv, const char* const* environment) {
  base::Settings settings("adit-operator",
                          "Turns Tunnel objects into what gateways serve, and tells in their status what became of it.",
                          base::kVersion);
  std::vector<std::string> policy;
  describe(settings, options, policy);
  auto outcome = settings.parse(argc, argv, environment);
  if (!outcome.run()) return outcome;
  for (const auto& item : policy) static_cast<void>(options.host_policy.add(item));  // checked above
  for (const auto& error : complete(options)) {
    outcome.exit_code = 2;
    outcome.text += "adit-operator: " + error + "\n";
  }
  return outcome;
}

}  // namespace adit::controller
