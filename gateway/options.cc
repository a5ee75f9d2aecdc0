#include "gateway/options.h"

#include "base/version.h"
#include "net/message_channel.h"

namespace adit::gateway {
namespace {

/// Manifests or an operator, and what belongs to each.
template <class Refuse>
void check_source(const Options& options, const Refuse& refuse) {
  if (options.operator_url.empty()) {
    if (options.manifests.empty()) {
      refuse("--manifests: a folder is needed (ADIT_MANIFESTS, manifests:), or --operator");
    }
    const bool left_over =
        !options.operator_token_file.empty() || !options.operator_ca_file.empty() || !options.state_dir.empty();
    if (left_over) refuse("--operator-token-file, --operator-ca-file and --state-dir: they belong to --operator");
    return;
  }
  if (!options.manifests.empty()) refuse("--manifests and --operator: one of them");
  if (options.check) refuse("--check: checks --manifests");
  const auto url = net::parse_channel_url(options.operator_url);
  if (!url) refuse("--operator: " + url.error() + "; wss://HOST:PORT is needed");
  if (options.operator_token_file.empty()) refuse("--operator-token-file: needed with --operator");
  if (options.operator_ca_file.empty()) refuse("--operator-ca-file: needed with --operator");
}

}  // namespace

base::ParseOutcome parse_options(Options& options, int argc, const char* const* argv, const char* const* environment) {
  base::Settings settings(
      "adit-gateway", "Public side of Adit: serves visitors and sends them through connectors' links.", base::kVersion);
  settings.group("Configuration");
  settings.add(options.manifests, "manifests", "folder of Tunnel and Secret manifests; watched");
  settings.add(options.operator_url, "operator", "wss://HOST:PORT of an operator, instead of --manifests");
  settings.add(options.operator_token_file, "operator-token-file", "file with the bearer token for the operator");
  settings.add(options.operator_ca_file, "operator-ca-file", "PEM file of the CA that signs the operator");
  settings.add(options.state_dir, "state-dir",
               "folder for a copy of the operator's configuration; none is kept without");
  settings.add(options.check, "check", "check the manifests, print every problem, and exit 0 or 1");
  settings.group("Listeners");
  settings.add(options.http, "http", "where visitors' HTTP is served");
  settings.add(options.https, "https", "where visitors' HTTPS is served");
  settings.add(options.link, "link", "where connectors dial in");
  settings.add(options.link_host, "link-host", "name by which connectors know this gateway");
  settings.add(options.link_cert, "link-cert",
               "PEM certificate chain of that name; without it the manifests' is served");
  settings.add(options.link_key, "link-key", "PEM private key of --link-cert");
  settings.add(options.insecure, "insecure", "links without TLS: for trials on one machine only");
  settings.add(options.admin, "admin", "where health, readiness, metrics and status are served");
  settings.group("Operation");
  settings.add(options.workers, "workers", "threads that serve visitors and links; 0: one per core", {0, 256});
  settings.add(options.answer_timeout, "answer-timeout", "how long a service may take to begin its answer");
  settings.add(options.drain_time, "drain-time", "how long SIGTERM waits for requests under way");
  settings.add(options.access_log, "access-log",
               "file for one JSON line per request; \"-\": standard output, \"off\": none");
  settings.add_choice(options.log_level, "log-level", "least level of the program's log on standard error",
                      {"debug", "info", "warning", "error"});
  auto outcome = settings.parse(argc, argv, environment);
  if (!outcome.run()) return outcome;
  const auto refuse = [&outcome](const std::string& text) {
    outcome.exit_code = 2;
    outcome.text += text + "\n";
  };
  check_source(options, refuse);
  if (options.link_cert.empty() != options.link_key.empty()) {
    refuse("--link-cert and --link-key: one needs the other");
  }
  if (!options.check && !options.link.off && options.link_cert.empty() && options.link_host.empty() &&
      options.operator_url.empty() && !options.insecure) {
    refuse(
        "--link-host: needed to choose the link listener's certificate (or --link-cert and --link-key, or --insecure)");
  }
  return outcome;
}

}  // namespace adit::gateway
