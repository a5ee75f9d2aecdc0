#include "kube/cluster_config.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::kube {
namespace {

using testing::HasSubstr;

/// A folder that goes with the test.
class Folder {
 public:
  Folder() : path_(testing::TempDir() + "/cluster-config-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A kubeconfig of one context with these members.
std::string kubeconfig(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: dev\n"
         "contexts: [{name: dev, context: {cluster: edge, user: me, namespace: team-a}}]\n"
         "clusters: [{name: edge, cluster: {" +
         cluster + "}}]\nusers: [{name: me, user: {" + user + "}}]\n";
}

const std::string kServer = "server: https://10.0.0.1:6443";

TEST(Kubeconfig, InlineData) {
  const auto config =
      parse_kubeconfig(kubeconfig(kServer + "/, certificate-authority-data: Q0E=, tls-server-name: api.test",
                                  "client-certificate-data: Q0VSVA==, client-key-data: S0VZ, token: secret"),
                       "config");
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->server, "https://10.0.0.1:6443");
  EXPECT_EQ(config->server_name, "api.test");
  EXPECT_EQ(config->ca_pem, "CA");
  EXPECT_EQ(config->certificate_pem, "CERT");
  EXPECT_EQ(config->key_pem, "KEY");
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->space, "team-a");
  EXPECT_FALSE(config->skip_verification);
}

TEST(Kubeconfig, FilesAreRelativeToIt) {
  const Folder folder;
  folder.write("ca.crt", "CA");
  folder.write("me.crt", "CERT");
  const auto key = folder.write("me.key", "KEY");
  const auto file =
      folder.write("config", kubeconfig(kServer + ", certificate-authority: ca.crt",
                                        "client-certificate: me.crt, client-key: " + key + ", tokenFile: token"));
  const auto config = load_kubeconfig(file);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->ca_pem, "CA");
  EXPECT_EQ(config->certificate_pem, "CERT");
  EXPECT_EQ(config->key_pem, "KEY");
  EXPECT_EQ(config->token_file, folder.path() + "/token");  // which is read later, and need not be there yet
}

TEST(Kubeconfig, DataWinsOverAFile) {
  const auto config = parse_kubeconfig(
      kubeconfig(kServer + ", certificate-authority: nowhere, certificate-authority-data: Q0E=", ""), "config");
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->ca_pem, "CA");
}

TEST(Kubeconfig, AnotherContextMayBeNamed) {
  const std::string text = R"(
current-context: one
contexts:
- {name: one, context: {cluster: a}}
- {name: two, context: {cluster: b}}
clusters:
- {name: a, cluster: {server: "https://a"}}
- {name: b, cluster: {server: "http://127.0.0.1:8001", insecure-skip-tls-verify: true}}
users: null
)";
  EXPECT_EQ(parse_kubeconfig(text, "config")->server, "https://a");
  const auto two = parse_kubeconfig(text, "config", "two");
  ASSERT_TRUE(two) << two.error();
  EXPECT_EQ(two->server, "http://127.0.0.1:8001");
  EXPECT_TRUE(two->skip_verification);
}

struct Bad {
  const char* name;
  std::string text;
  std::string error;  ///< after "config: "
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadKubeconfig : public testing::TestWithParam<Bad> {};

TEST_P(BadKubeconfig, NamesFileAndField) {
  const auto config = parse_kubeconfig(GetParam().text, "config");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), testing::StartsWith("config: " + GetParam().error));
}

const std::string kCluster = "clusters[\"edge\"].cluster";
const std::string kUser = "users[\"me\"].user";

INSTANTIATE_TEST_SUITE_P(
    Files, BadKubeconfig,
    testing::Values(
        Bad{"Empty", "", "is no kubeconfig"},   //
        Bad{"List", "[]", "is no kubeconfig"},  //
        Bad{"NoYaml", "a: [", "is no YAML: line 1"}, Bad{"NoContext", "contexts: []", "current-context: is empty"},
        Bad{"UnknownContext", "current-context: x\ncontexts: []", "contexts: has no entry named \"x\""},
        Bad{"ContextsMap", "current-context: x\ncontexts: {x: y}", "contexts: must be a list"},
        Bad{"UnknownCluster", "current-context: x\ncontexts: [{name: x, context: {cluster: y}}]",
            "clusters: has no entry named \"y\""},
        Bad{"NoServer", kubeconfig("", ""), kCluster + ".server: must begin with https://"},
        Bad{"OtherScheme", kubeconfig("server: unix:///x", ""), kCluster + ".server: must begin with https://"},
        Bad{"ServerList", kubeconfig("server: [a]", ""), kCluster + ".server: must be a string"},
        Bad{"Proxy", kubeconfig(kServer + ", proxy-url: http://p", ""), kCluster + ".proxy-url: is not supported"},
        Bad{"CaNoBase64", kubeconfig(kServer + ", certificate-authority-data: '***='", ""),
            kCluster + ".certificate-authority-data: is not base64"},
        Bad{"CaNoFile", kubeconfig(kServer + ", certificate-authority: /no/such", ""),
            kCluster + ".certificate-authority: /no/such: No such file"},
        Bad{"CaFolder", kubeconfig(kServer + ", certificate-authority: /", ""),
            kCluster + ".certificate-authority: /: is no regular file"},
        Bad{"CaAndInsecure",
            kubeconfig(kServer + ", insecure-skip-tls-verify: true, certificate-authority-data: Q0E=", ""),
            kCluster + ".insecure-skip-tls-verify: is true, but"},
        Bad{"InsecureNoFlag", kubeconfig(kServer + ", insecure-skip-tls-verify: maybe", ""),
            kCluster + ".insecure-skip-tls-verify: must be true or false"},
        Bad{"Exec", kubeconfig(kServer, "exec: {command: aws}"), kUser + ".exec: is not supported; use a token"},
        Bad{"AuthProvider", kubeconfig(kServer, "auth-provider: {name: gcp}"), kUser + ".auth-provider: is not"},
        Bad{"Password", kubeconfig(kServer, "username: me"), kUser + ".username: is not supported"},
        Bad{"Impersonation", kubeconfig(kServer, "as: you"), kUser + ".as: is not supported"},
        Bad{"CertificateAlone", kubeconfig(kServer, "client-certificate-data: Q0E="),
            kUser + ".client-key: is missing"},
        Bad{"KeyAlone", kubeconfig(kServer, "client-key-data: Q0E="), kUser + ".client-certificate: is missing"},
        Bad{"TokenInTheClear", kubeconfig("server: http://10.0.0.1", "token: t"), kCluster + ".server: must be https"}),
    [](const auto& info) { return info.param.name; });

TEST(Kubeconfig, AFileThatIsNotThere) {
  const auto config = load_kubeconfig("/no/such/config");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error(), "/no/such/config: No such file or directory");
}

TEST(Kubeconfig, ErrorsTellNoSecret) {
  const auto config = parse_kubeconfig(kubeconfig(kServer, "token: [hidden], client-key-data: hidden"), "config");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), testing::Not(HasSubstr("hidden")));
}

/// The environment of a pod.
Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

TEST(InCluster, WhatAPodFinds) {
  const Folder folder;
  folder.write("ca.crt", "CA");
  folder.write("token", "secret\n");
  folder.write("namespace", "adit\n");
  const auto config = in_cluster_config(
      environment({{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}}), folder.path());
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->server, "https://10.96.0.1:443");
  EXPECT_EQ(config->ca_pem, "CA");
  EXPECT_EQ(config->token_file, folder.path() + "/token");
  EXPECT_TRUE(config->token.empty());  // or it would outlive its rotation
  EXPECT_EQ(config->space, "adit");
  const auto v6 = in_cluster_config(
      environment({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}}), folder.path());
  ASSERT_TRUE(v6) << v6.error();
  EXPECT_EQ(v6->server, "https://kubernetes.default.svc:443");
}

TEST(InCluster, WhatIsMissingIsNamed) {
  const Folder folder;
  const auto error = [&](const std::string& host, const std::string& port) {
    const auto config = in_cluster_config(
        environment({{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", port}}), folder.path());
    return config ? std::string() : config.error();
  };
  EXPECT_THAT(in_cluster_config(environment({}), folder.path()).error(), HasSubstr("not in a cluster"));
  EXPECT_THAT(error("", "443"), HasSubstr("not in a cluster"));
  EXPECT_THAT(error("10.96.0.1", "0"), HasSubstr("KUBERNETES_SERVICE_PORT: \"0\" is no port"));
  EXPECT_THAT(error("10.96.0.1", "https"), HasSubstr("KUBERNETES_SERVICE_PORT"));
  EXPECT_EQ(error("10.96.0.1", "443"), folder.path() + "/ca.crt: No such file or directory");
  folder.write("ca.crt", "CA");
  EXPECT_EQ(error("10.96.0.1", "443"), folder.path() + "/token: No such file or directory");
}

}  // namespace
}  // namespace adit::kube
