#include "connector/options.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "base/version.h"
#include "link/handshake_syntax.h"

namespace adit::connector {
namespace {

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
  const auto address = parse_gateway_address(text);
  return address ? base::Result<void>() : base::Error{address.error()};
}

base::Result<void> check_service(std::string_view text) {
  const auto service = parse_service(text);
  return service ? base::Result<void>() : base::Error{service.error()};
}

base::Result<void> check_probe(std::string_view text) {
  const auto probe = parse_probe(text);
  return probe ? base::Result<void>() : base::Error{probe.error()};
}

/// The texts of the settings that have a meaning beyond their form.
struct Texts {
  std::vector<std::string> gateways;
  std::vector<std::string> services;
  std::vector<std::string> probes;
  std::string transport = "auto";
  std::string proxy;
  std::string log_level = "info";
  std::string output = "text";
};

TransportMode transport_of(std::string_view text) {
  if (text == "upgrade") return TransportMode::upgrade;
  return text == "websocket" ? TransportMode::websocket : TransportMode::automatic;
}

void describe(base::Settings& settings, Options& options, Texts& texts) {
  settings.group("Link");
  settings.add(texts.gateways, "gateway",
               "HOST[:PORT] of a gateway (port 7443), or the URL of its public port or of a proxy before it: "
               "https://HOST[:PORT][/PREFIX]; http:// only with --insecure",
               {.key = "gateways", .check = check_gateway});
  settings.add(options.tunnel, "tunnel",
               "id of the tunnel, a UUID (status.id of the Tunnel); needed only if several Tunnels share the token");
  settings.add(options.token_file, "token-file", "file with the tunnel's connector token; read at each dial");
  settings.add(options.ca_file, "ca-file", "PEM file with the CA of the gateways instead of the system's roots");
  settings.add(options.links, "links", "links to keep to each gateway", {1, 64});
  settings.add(options.most_gateways, "max-gateways",
               "gateways to keep links to, each connector to others; gateways lead requests to each other; 0: all",
               {0, 1000});
  settings.add(options.name, "name", "name of this connector, the same for all its replicas");
  settings.add(options.insecure, "insecure", "links without TLS; the gateway must allow it too");
  settings.add_choice(texts.transport, "transport",
                      "how links begin: HTTP upgrade, WebSocket, or what gets through (auto)",
                      {"auto", "upgrade", "websocket"});
  settings.add_custom("proxy",
                      "HTTP proxy for the way to the gateways, http://[USER:PASSWORD@]HOST[:PORT], or \"off\"; else "
                      "HTTPS_PROXY and ALL_PROXY of the environment count, and NO_PROXY for all",
                      "URL", "", [&texts](std::string_view text) -> base::Result<void> {
                        if (text != "off") {
                          if (auto proxy = parse_proxy(text); !proxy) return base::Error{proxy.error()};
                        }
                        texts.proxy = text;
                        return {};
                      });
  settings.add(options.proxy.credentials_file, "proxy-credentials-file",
               "file with USER:PASSWORD for the proxy; read at each dial");
  settings.add(options.dial_timeout, "dial-timeout",
               "how long each step of a dial may take: name and connection, proxy, TLS, handshake",
               {std::chrono::milliseconds{100}, std::chrono::minutes{5}});
  settings.group("Services");
  settings.add(texts.services, "service",
               "NAME=URL, or a URL for the service \"default\": http://HOST[:PORT], https://HOST[:PORT]"
               "[?caFile=PATH&serverName=NAME&insecureSkipVerify=true], tcp://HOST:PORT, unix:///PATH",
               {.key = "services", .from_map = base::name_equals_value, .check = check_service});
  settings.add(
      texts.probes, "probe",
      "NAME=tcp or NAME=http:/PATH, or one of these alone for the service \"default\": asks the service whether "
      "it is well, and tells the gateways; "
      "[?interval=5s&timeout=2s&down=3&up=1]",
      {.key = "probes", .from_map = base::name_equals_value, .check = check_probe});
  settings.group("Operation");
  settings.add(options.admin, "admin", "where /healthz, /readyz, /metrics and /status are served, or \"off\"");
  settings.add(options.drain_time, "drain-time", "how long open streams may go on after SIGTERM");
  settings.add(options.workers, "workers", "threads that serve links", {1, 256});
  settings.add(options.most_buffered, "max-buffered-bytes",
               "most bytes from gateways that services have not taken; half of it is for windows that grow", kBuffers);
  settings.add(options.most_buffered_link, "max-buffered-bytes-per-link", "the same of one link", kBuffers);
  settings.add_choice(texts.log_level, "log-level", "the least level to log", {"debug", "info", "warning", "error"});
}

/// What --insecure means for an address.
void read_gateway(const std::string& text, Options& options, std::vector<std::string>& errors) {
  auto address = *parse_gateway_address(text);
  if (address.url && !address.encrypted && !options.insecure) {
    errors.push_back("--gateway: \"" + text + "\" has no TLS, which needs --insecure on both sides");
  }
  if (!address.url && options.insecure) address.encrypted = false;
  options.gateways.push_back(std::move(address));
}

void read_proxy(const std::string& setting, const char* const* environment, Options& options,
                std::vector<std::string>& errors, std::vector<std::string>& warnings) {
  std::vector<std::string> problems;
  auto proxy = read_proxy_settings(setting, environment, problems);
  if (!proxy) return errors.push_back(proxy.error());
  proxy->credentials_file = options.proxy.credentials_file;
  options.proxy = *std::move(proxy);
  if (options.proxy.proxy && !options.proxy.by_environment && !options.proxy.proxy->credentials.empty()) {
    warnings.emplace_back(
        "--proxy holds a password, which other users of this machine can see: --proxy-credentials-file "
        "is better");
  }
  for (const auto& problem : problems) warnings.push_back("NO_PROXY: left out: " + problem);
}

void read_probe(ProbeSettings probe, Options& options, std::vector<std::string>& errors) {
  const auto same = [&](const ProbeSettings& other) { return other.service == probe.service; };
  if (options.services.find(probe.service) == nullptr) {
    errors.push_back("--probe: there is no --service \"" + probe.service + "\"");
  } else if (std::any_of(options.probes.begin(), options.probes.end(), same)) {
    errors.push_back("--probe: service \"" + probe.service + "\" has two");
  } else {
    options.probes.push_back(std::move(probe));
  }
}

/// What the form of each single setting does not say.
std::vector<std::string> complete(const Texts& texts, Options& options) {
  std::vector<std::string> errors;
  for (const auto& text : texts.gateways) read_gateway(text, options, errors);
  options.transport = transport_of(texts.transport);
  options.doctor_json = texts.output == "json";
  for (const auto& text : texts.services) {
    if (auto added = options.services.add(*parse_service(text)); !added)
      errors.push_back("--service: " + added.error());
  }
  for (const auto& text : texts.probes) read_probe(*parse_probe(text), options, errors);
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
  // A subcommand, so that everything else stands as it does for the connector that it looks into.
  std::vector<const char*> arguments(argv, argv + argc);
  if (arguments.size() > 1 && std::string_view(arguments[1]) == "doctor") {
    parsed.options.doctor = true;
    arguments.erase(arguments.begin() + 1);
  }
  base::Settings settings(
      "adit-connector",
      parsed.options.doctor
          ? "adit-connector doctor: goes through the steps of reaching each gateway and each service, and says of each "
            "whether it is right and what to do. Its settings are those of the connector."
          : "Dials Adit gateways and offers them services of this network. \"adit-connector doctor\", with the same "
            "settings, says why that does not work.",
      base::kVersion);
  describe(settings, parsed.options, texts);
  if (parsed.options.doctor) {
    settings.group("Doctor");
    settings.add_choice(texts.output, "output", "form of the findings", {"text", "json"});
  }
  parsed.outcome = settings.parse(static_cast<int>(arguments.size()), arguments.data(), environment);
  if (!parsed.outcome.run()) return parsed;
  auto errors = complete(texts, parsed.options);
  read_proxy(texts.proxy, environment, parsed.options, errors, parsed.outcome.warnings);
  if (errors.empty()) return parsed;
  parsed.outcome.exit_code = 2;
  for (const auto& error : errors) parsed.outcome.text += "adit-connector: " + error + "\n";
  parsed.outcome.text += "Try: adit-connector --help\n";
  return parsed;
}

}  // namespace adit::connector
