#pragma once
// The real API server of this test run.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "kube/rest_api.h"

namespace adit::kube::test {

inline const Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline const Resource kSecrets{"", "v1", "secrets", "Secret"};
inline const Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline const Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};

/// A namespace of the test's own, and the administrator's client. Without ADIT_TEST_KUBECONFIG the test fails.
class RealServer : public testing::Test {
 protected:
  RealServer();
  ~RealServer() override;

  /// A client that must come about.
  static std::unique_ptr<RestApi> client(const ClusterConfig& config, const RestOptions& options = {});
  /// The same server for somebody with this token and no certificate.
  ClusterConfig with_token(const std::string& token) const;
  /// A ServiceAccount's token, for `audience` (empty: the API server's). Creates the ServiceAccount if need be.
  std::string token_of(const std::string& account, const std::string& audience = {});
  /// Who the API server takes the bearer for.
  std::string username(const ClusterConfig& config);

  Json config_map(const std::string& name, const Json& data = Json::object()) const;
  /// The ConfigMap that now is there.
  Json created(const std::string& name, const Json& data = Json::object());

  ClusterConfig config_;
  std::unique_ptr<RestApi> api_;
  std::string space_;
};

}  // namespace adit::kube::test
