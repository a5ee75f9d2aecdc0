#include "base/text.h"
#include "kube/cluster_config.h"
#include "kube/text_file.h"

namespace adit::kube {
namespace {

constexpr std::size_t kMostText = 1 << 20;

bool is_port(const std::string& text) {
  const auto port = base::parse_decimal(text);
  return port && *port >= 1 && *port <= 65'535;
}

}  // namespace

base::Result<ClusterConfig> in_cluster_config(const Environment& environment, const std::string& folder) {
  const char* host = environment("KUBERNETES_SERVICE_HOST");
  const char* port = environment("KUBERNETES_SERVICE_PORT");
  if (host == nullptr || *host == '\0' || port == nullptr) {
    return base::Error{
        "not in a cluster: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set; name a kubeconfig"};
  }
  if (!is_port(port)) return base::Error{"KUBERNETES_SERVICE_PORT: \"" + std::string(port) + "\" is no port"};

  ClusterConfig config;
  // An IPv6 address is no host for cpprestsdk; this name leads to the same Service in every cluster that has DNS.
  const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
  config.server = "https://" + std::string(v6 ? "kubernetes.default.svc" : host) + ":" + port;
  auto ca = read_text_file(folder + "/ca.crt", kMostText);
  if (!ca) return base::Error{ca.error()};
  config.ca_pem = *std::move(ca);
  config.token_file = folder + "/token";
  if (const auto token = read_text_file(config.token_file, kMostText); !token) return base::Error{token.error()};
  // An own projected volume may leave it out.
  if (const auto space = read_text_file(folder + "/namespace", kMostText)) {
    config.space = space->substr(0, space->find_first_of("\r\n"));
  }
  return config;
}

}  // namespace adit::kube
