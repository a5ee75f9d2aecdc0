#include "gateway/options.h"

#include <charconv>
#include <optional>

#include "base/text.h"
#include "base/version.h"
#include "net/address.h"
#include "net/message_channel.h"
#include "net/tls_policy.h"

namespace adit::gateway {
namespace {

constexpr base::Range<std::chrono::milliseconds> kTimeouts{std::chrono::milliseconds{100}, std::chrono::hours{24}};

base::Result<void> check_network(std::string_view text) {
  const auto network = base::IpNetwork::parse(text);
  return network ? base::Result<void>() : base::Error{network.error()};
}

constexpr base::Range<std::uint64_t> kBuffers{1 << 20, std::uint64_t{1} << 40U};

/// A whole number; it stays absent where nobody gives one.
void add_optional(base::Settings& settings, std::optional<std::uint32_t>& target, std::string_view flag,
                  std::string_view help) {
  settings.add_custom(flag, help, "N", "0", [&target](std::string_view text) -> base::Result<void> {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      return base::Error{"must be a whole number from 0 to 4294967295"};
    }
    target = number;
    return {};
  });
}

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

/// Items separated by commas too, as in the environment.
std::vector<std::string> split(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const auto& text : texts) {
    base::for_each_item(text, [&](std::string_view item) { items.emplace_back(item); });
  }
  return items;
}

base::Result<void> check_peers(std::string_view text) {
  for (const auto& item : split({std::string(text)})) {
    if (const auto address = net::parse_host_port(item); !address) return base::Error{address.error()};
  }
  return {};
}

void describe_peers(base::Settings& settings, Options& options) {
  settings.group("Other gateways");
  settings.add(options.peer_listen, "peer-listen", "where other replicas of this gateway dial in");
  settings.add(options.peers, "peers",
               "HOST:PORT of other replicas' --peer-listen; a name may stand for all of them, this one included",
               {.check = check_peers});
  settings.add(options.peer_files.chain, "peer-cert",
               "PEM certificate chain for both ends of links between gateways, for the name adit-gateway-peer");
  settings.add(options.peer_files.key, "peer-key", "PEM private key of --peer-cert");
  settings.add(options.peer_files.ca, "peer-ca", "PEM file of the CA that signs the certificates of all gateways");
}

template <class Refuse>
void check_peer_options(const Options& options, const Refuse& refuse) {
  const auto& files = options.peer_files;
  const bool any_file = !files.chain.empty() || !files.key.empty() || !files.ca.empty();
  const bool all_files = !files.chain.empty() && !files.key.empty() && !files.ca.empty();
  if (any_file != all_files) refuse("--peer-cert, --peer-key and --peer-ca: one needs the others");
  if (options.peer_listen.off) {
    if (any_file || !options.peers.empty()) refuse("--peer-listen: needed with --peers and --peer-cert");
  } else if (!any_file && !options.insecure) {
    refuse("--peer-cert, --peer-key and --peer-ca: needed with --peer-listen (or --insecure)");
  }
}

/// How visitors are treated; what is text and means more is filled in by read_edge().
void describe_edge(base::Settings& settings, EdgeSettings& edge, std::vector<std::string>& trusted) {
  settings.group("Visitors");
  settings.add(edge.head.head, "max-head-bytes", "most bytes of a request's line and headers; more is 431",
               {1024, 1 << 20});
  settings.add(edge.head.target, "max-uri-bytes", "most bytes of a request's target; more is 414", {64, 64 << 10});
  settings.add(edge.head.fields, "max-headers", "most headers of a request; more is 431", {1, http::FieldList::kMost});
  settings.add(edge.header_timeout, "header-timeout", "from a head's first byte to its last; TLS handshakes too",
               kTimeouts);
  settings.add(edge.idle_timeout, "idle-timeout", "how long a connection is kept between requests", kTimeouts);
  settings.add(edge.body_timeout, "body-timeout", "how long a body may stand still, from or to the visitor", kTimeouts);
  settings.add(edge.min_body_rate, "min-body-rate", "least bytes a second of bodies, from and to the visitor; 0: any",
               {0, 1 << 30});
  settings.add(edge.min_body_rate_grace, "min-body-rate-grace", "how long a body may be slower");
  settings.add(edge.connections, "max-connections", "most visitors' connections; 0: any number");
  settings.add(edge.connections_per_address, "max-connections-per-address",
               "most connections of one address (IPv6: of one /64); 0: any number");
  add_optional(settings, edge.tunnel_limits.connections, "tunnel-max-connections",
               "most requests and upgraded connections at once of a tunnel that has no spec.limits; 0: any number");
  add_optional(settings, edge.tunnel_limits.requests_per_second, "tunnel-max-requests-per-second",
               "the same for its requests a second");
  settings.add(trusted, "trusted-proxies",
               "network (CIDR) of proxies whose X-Forwarded-* and PROXY headers are believed",
               {.check = check_network});
  settings.add(edge.http_proxy_protocol, "http-proxy-protocol",
               "--http takes PROXY protocol v1 and v2 from --trusted-proxies");
  settings.add(edge.https_proxy_protocol, "https-proxy-protocol", "the same for --https");
  settings.add(edge.https_redirect_port, "https-redirect-port",
               "port of the redirect from HTTP to HTTPS; 0: 443 for visitors who name no port, else that of --https");
  settings.add_choice(edge.tls_min_version, "tls-min-version", "least version of TLS for visitors", {"1.2", "1.3"});
  settings.add(edge.tls_ciphers, "tls-ciphers", "ciphers of TLS 1.2, as OpenSSL names them, separated by \":\"");
  settings.add(edge.tls_cipher_suites, "tls-cipher-suites", "cipher suites of TLS 1.3, separated by \":\"");
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
  settings.add(options.link_host, "link-host",
               "name by which connectors know this gateway; on --https links are taken under it too");
  settings.add(options.link_cert, "link-cert",
               "PEM certificate chain of that name; without it the manifests' is served");
  settings.add(options.link_key, "link-key", "PEM private key of --link-cert");
  settings.add(options.insecure, "insecure", "links without TLS: for trials on one machine only");
  settings.add(options.admin, "admin", "where health, readiness, metrics and status are served");
  describe_peers(settings, options);
  std::vector<std::string> trusted;
  describe_edge(settings, options.edge, trusted);
  settings.group("Memory");
  settings.add(options.buffers.process, "max-buffered-bytes",
               "most bytes from connectors that visitors have not taken; half of it is for windows that grow",
               kBuffers);
  settings.add(options.buffers.tunnel, "max-buffered-bytes-per-tunnel", "the same of one tunnel's links", kBuffers);
  settings.add(options.buffers.link, "max-buffered-bytes-per-link", "the same of one link", kBuffers);
  settings.group("Operation");
  settings.add(options.workers, "workers", "threads that serve visitors and links; 0: one per core", {0, 256});
  settings.add(options.answer_timeout, "answer-timeout", "how long a service may take to begin its answer");
  settings.add(options.drain_time, "drain-time", "how long SIGTERM waits for requests under way");
  settings.add(options.drain_delay, "drain-delay",
               "how long SIGTERM keeps accepting visitors, unready, before --drain-time begins");
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
  for (const auto& text : trusted) options.edge.trusted_proxies.push_back(*base::IpNetwork::parse(text));
  if ((options.edge.http_proxy_protocol || options.edge.https_proxy_protocol) && trusted.empty()) {
    refuse("--trusted-proxies: needed with --http-proxy-protocol and --https-proxy-protocol");
  }
  if (const auto known = net::check_ciphers(options.edge.tls_ciphers); !known) {
    refuse("--tls-ciphers: " + known.error());
  }
  if (const auto known = net::check_cipher_suites(options.edge.tls_cipher_suites); !known) {
    refuse("--tls-cipher-suites: " + known.error());
  }
  check_source(options, refuse);
  options.peers = split(options.peers);
  check_peer_options(options, refuse);
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
