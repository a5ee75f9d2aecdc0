#include "gateway/options.h"

#include "base/version.h"

namespace adit::gateway {

base::ParseOutcome parse_options(Options& options, int argc, const char* const* argv, const char* const* environment) {
  base::Settings settings(
      "adit-gateway", "Public side of Adit: serves visitors and sends them through connectors' links.", base::kVersion);
  settings.group("Configuration");
  settings.add(options.manifests, "manifests", "folder of Tunnel and Secret manifests; watched");
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
  if (options.manifests.empty()) refuse("--manifests: a folder is needed (ADIT_MANIFESTS, manifests:)");
  if (options.link_cert.empty() != options.link_key.empty()) {
    refuse("--link-cert and --link-key: one needs the other");
  }
  if (!options.check && !options.link.off && options.link_cert.empty() && options.link_host.empty() &&
      !options.insecure) {
    refuse(
        "--link-host: needed to choose the link listener's certificate (or --link-cert and --link-key, or --insecure)");
  }
  return outcome;
}

}  // namespace adit::gateway
