#include "tests/kube_api/cluster.h"

#include <cstdlib>
#include <random>

namespace adit::kube::test {
namespace {

/// Throws, which fails the test, when there is no value.
template <class Result>
auto must(Result result) {
  if (!result) {
    if constexpr (requires { result.error().text(); }) {
      throw std::runtime_error(result.error().text());
    } else {
      throw std::runtime_error(result.error());
    }
  }
  return *std::move(result);
}

/// What the interface has no call for.
Json post(const ClusterConfig& config, const std::string& target, const Json& body) {
  const auto http = must(HttpClient::create(config, {}));
  return must(object_of(must(
      http->exchange({.method = "POST", .target = target, .content_type = "application/json", .body = body.dump()}))));
}

}  // namespace

RealServer::RealServer() : space_("t-" + std::to_string(std::random_device()())) {
  const char* file = std::getenv("ADIT_TEST_KUBECONFIG");
  config_ = must(load_kubeconfig(file != nullptr ? file : "ADIT_TEST_KUBECONFIG is not set"));
  api_ = client(config_);
  must(api_->create(kNamespaces, {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", space_}}}}));
}

RealServer::~RealServer() { (void)api_->remove(kNamespaces, {"", space_}, ""); }

std::unique_ptr<RestApi> RealServer::client(const ClusterConfig& config, const RestOptions& options) {
  return must(RestApi::create(config, options));
}

ClusterConfig RealServer::with_token(const std::string& token) const {
  auto config = config_;
  config.certificate_pem.clear();
  config.key_pem.clear();
  config.token = token;
  return config;
}

std::string RealServer::token_of(const std::string& account, const std::string& audience) {
  (void)api_->create(
      kServiceAccounts,
      {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", account}, {"namespace", space_}}}});
  Json request{{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", Json::object()}};
  if (!audience.empty()) request["spec"]["audiences"] = {audience};
  const auto answer = post(config_, "/api/v1/namespaces/" + space_ + "/serviceaccounts/" + account + "/token", request);
  return text_at(answer, {"status", "token"});
}

std::string RealServer::username(const ClusterConfig& config) {
  const auto answer = post(config, "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                           {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}});
  return text_at(answer, {"status", "userInfo", "username"});
}

Json RealServer::config_map(const std::string& name, const Json& data) const {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", space_}, {"labels", {{"test", "yes"}}}}},
          {"data", data}};
}

Json RealServer::created(const std::string& name, const Json& data) {
  return must(api_->create(kConfigMaps, config_map(name, data)));
}

}  // namespace adit::kube::test
