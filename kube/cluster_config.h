#pragma once
// Where the API server is and who we are to it: from a kubeconfig file, or from what a pod finds in itself.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::kube {

struct ClusterConfig {
  std::string server;              ///< "https://10.0.0.1:6443", perhaps with a path; no slash at the end
  std::string server_name;         ///< what its certificate must name instead of the host of `server`; may be empty
  std::string ca_pem;              ///< the only authorities that may sign it; empty: the system's
  bool skip_verification = false;  ///< only if the kubeconfig says insecure-skip-tls-verify
  std::string certificate_pem;     ///< the client certificate and its chain; empty: none
  std::string key_pem;
  std::string token;       ///< a bearer token; empty: none
  std::string token_file;  ///< read again for each request, since tokens rotate; used instead of `token`
  std::string space;       ///< the namespace of the context or the pod; may be empty
};

/// The context `context` (empty: current-context) of a kubeconfig. `file` is where it came from: it stands in every
/// error, and relative paths in it are relative to its folder. Reads the files that it names, except for tokenFile.
/// What would need another program or protocol (exec, auth-provider, proxy-url, …) is an error, never ignored.
base::Result<ClusterConfig> parse_kubeconfig(const std::string& text, const std::string& file,
                                             const std::string& context = {});
/// The same from the file.
base::Result<ClusterConfig> load_kubeconfig(const std::string& file, const std::string& context = {});

inline constexpr std::string_view kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/// nullptr when the variable is not set; std::getenv fits.
using Environment = std::function<const char*(const char* name)>;

/// What Kubernetes gives every pod: KUBERNETES_SERVICE_HOST and _PORT, and the folder of its ServiceAccount. An IPv6
/// address is replaced by the name kubernetes.default.svc.
base::Result<ClusterConfig> in_cluster_config(const Environment& environment,
                                              const std::string& folder = std::string(kServiceAccountFolder));

}  // namespace adit::kube
