#include "connector/options.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "base/version.h"
#include "link/handshake_syntax.h"

namespace adit::connector {
namespace {

constexpr std::uint16_t kGatewayPort = 7443;
constexpr base::Range<std::uint64_t> kBuffers{1 << 20, std::uint64_t{1} << 40U};

/// The host's name as the connector's, or "connector".
std::string host_name() {
  std::array<char, 256> text{};
  if (gethostname(text.data(), text.size() - 1) != 0 || text[0] == '\0') return "connector";
  std::string name(text.data());
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        return !link::is_name({&c, 1});
      },
      '-');
  return name;
}

base::Result<void> check_gateway(std::string_view text) {
  const auto target = net::parse_host_port(text, kGatewayPort);
  return target ? base::Result<void>() : base::Error{target.error()};
}

base::Result<void> check_service(std::string_view text) {
  const auto service = parse_service(text);
  return service ? base::Result<void>() : base::Error{service.error()};
}

/// The texts of the settings that have a meaning beyond their form.
struct Texts {
  std::vector<std::string> gateways;
  std::vector<std::string> services;
  std::string log_level = "info";
};

void describe(base::Settings& settings, Options& options, Texts& texts) {
  settings.group("Link");
  settings.add(texts.gateways, "gateway", "HOST[:PORT] of a gateway; the port is 7443 if none is given",
               {.key = "gateways", .check = check_gateway});
  settings.add(options.tunnel, "tunnel",
               "id of the tunnel, a UUID (status.id of the Tunnel); needed only if several Tunnels share the token");
  settings.add(options.token_file, "token-file", "file with the tunnel's connector token; read at each dial");
  settings.add(options.ca_file, "ca-file", "PEM file with the CA of the gateways instead of the system's roots");
  settings.add(options.links, "links", "links to keep to each gateway address", {1, 64});
  settings.add(options.name, "name", "name of this connector, the same for all its replicas");
  settings.add(options.insecure, "insecure", "links without TLS; the gateway must allow it too");
  settings.group("Services");
  settings.add(texts.services, "service",
               "NAME=URL, or a URL for the service \"default\": http://HOST[:PORT], https://HOST[:PORT]"
               "[?caFile=PATH&serverName=NAME&insecureSkipVerify=true], tcp://HOST:PORT, unix:///PATH",
               {.key = "services", .from_map = base::name_equals_value, .check = check_service});
  settings.group("Operation");
  settings.add(options.admin, "admin", "where /healthz, /readyz, /metrics and /status are served, or \"off\"");
  settings.add(options.drain_time, "drain-time", "how long open streams may go on after SIGTERM");
  settings.add(options.workers, "workers", "threads that serve links", {1, 256});
  settings.add(options.most_buffered, "max-buffered-bytes",
               "most bytes from gateways that services have not taken; half of it is for windows that grow", kBuffers);
  settings.add(options.most_buffered_link, "max-buffered-bytes-per-link", "the same of one link", kBuffers);
  settings.add_choice(texts.log_level, "log-level", "the least level to log", {"debug", "info", "warning", "error"});
}

/// What the form of each single setting does not say.
std::vector<std::string> complete(const Texts& texts, Options& options) {
  std::vector<std::string> errors;
  for (const auto& text : texts.gateways) options.gateways.push_back(*net::parse_host_port(text, kGatewayPort));
  for (const auto& text : texts.services) {
    if (auto added = options.services.add(*parse_service(text)); !added)
      errors.push_back("--service: " + added.error());
  }
  options.log_level = base::log::parse_level(texts.log_level);
  if (texts.gateways.empty()) errors.emplace_back("--gateway is missing: which gateway shall be dialled?");
  if (texts.services.empty()) errors.emplace_back("--service is missing: which service shall be offered?");
  if (options.token_file.empty()) errors.emplace_back("--token-file is missing: where does the tunnel's token stand?");
  if (!options.tunnel.empty() && !link::is_uuid(options.tunnel)) {
    errors.push_back("--tunnel: \"" + options.tunnel + "\" is not a UUID");
  }
  if (!link::is_name(options.name)) errors.emplace_back("--name: letters, digits, '.', '_' and '-' make a name");
  return errors;
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv, const char* const* environment) {
  ParsedOptions parsed;
  Texts texts;
  parsed.options.name = host_name();
  base::Settings settings("adit-connector", "Dials Adit gateways and offers them services of this network.",
                          base::kVersion);
  describe(settings, parsed.options, texts);
  parsed.outcome = settings.parse(argc, argv, environment);
  if (!parsed.outcome.run()) return parsed;
  const auto errors = complete(texts, parsed.options);
  if (errors.empty()) return parsed;
  parsed.outcome.exit_code = 2;
  for (const auto& error : errors) parsed.outcome.text += "adit-connector: " + error + "\n";
  parsed.outcome.text += "Try: adit-connector --help\n";
  return parsed;
}

}  // namespace adit::connector
