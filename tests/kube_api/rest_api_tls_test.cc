// Whom the client trusts.

#include <gmock/gmock.h>

#include "tests/kube_api/cluster.h"

namespace adit::kube::test {
namespace {

using testing::HasSubstr;

class RestApiTlsTest : public RealServer {
 protected:
  /// Why a call fails; empty if it does not.
  std::string failure(const ClusterConfig& config) {
    const auto result = client(config)->get(kNamespaces, {"", space_});
    if (result) return {};
    EXPECT_EQ(result.error().failure, ApiFailure::unreachable);
    return result.error().text();
  }
  std::string port() const { return config_.server.substr(config_.server.rfind(':')); }
};

TEST_F(RestApiTlsTest, TheCertificateNamesTheAddressOrTheHost) {
  EXPECT_EQ(failure(config_), "");
  config_.server = "https://localhost" + port();
  EXPECT_EQ(failure(config_), "");
}

TEST_F(RestApiTlsTest, AnotherNameIsExpected) {
  config_.server_name = "kubernetes.default.svc";
  EXPECT_EQ(failure(config_), "");
  config_.server_name = "other.test";
  EXPECT_THAT(failure(config_), HasSubstr("hostname mismatch"));
  config_.server_name = "127.0.0.2";
  EXPECT_THAT(failure(config_), HasSubstr("IP address mismatch"));
}

TEST_F(RestApiTlsTest, AnotherAuthorityIsRefused) {
  config_.ca_pem = config_.certificate_pem;  // a certificate, only not of who signed
  EXPECT_THAT(failure(config_), HasSubstr("unable to get local issuer certificate"));
  config_.ca_pem.clear();  // the system's roots
  EXPECT_THAT(failure(config_), HasSubstr("certificate"));
}

TEST_F(RestApiTlsTest, VerificationIsSkippedOnlyWhenToldTo) {
  config_.ca_pem.clear();
  config_.server_name = "other.test";
  EXPECT_NE(failure(config_), "");
  config_.skip_verification = true;
  EXPECT_EQ(failure(config_), "");
}

TEST_F(RestApiTlsTest, ConfigurationThatCannotBeUsed) {
  const auto why = [](const ClusterConfig& config) {
    const auto api = RestApi::create(config);
    return api ? std::string() : api.error();
  };
  auto config = config_;
  config.ca_pem = "no certificate";
  EXPECT_THAT(why(config), HasSubstr("certificate authority: no certificate in it"));
  config = config_;
  config.certificate_pem = "no certificate";
  EXPECT_THAT(why(config), HasSubstr("client certificate: no certificate in it"));
  config = config_;
  config.key_pem = "no key";
  EXPECT_THAT(why(config), HasSubstr("client key: no key in it"));
  config = config_;
  config.certificate_pem = config_.ca_pem;
  EXPECT_THAT(why(config), HasSubstr("client key: does not belong to the client certificate"));
  config = config_;
  config.server = "https://[::1]:6443";
  EXPECT_THAT(why(config), HasSubstr("https://[::1]:6443: an IPv6 address is not supported"));
  config = config_;
  config.token = "two\r\nlines";
  EXPECT_THAT(why(config), HasSubstr("token: "));
}

TEST_F(RestApiTlsTest, ADeadPortIsUnreachable) {
  config_.server = "https://127.0.0.1:1";
  EXPECT_THAT(failure(config_), HasSubstr("https://127.0.0.1:1"));
  config_.server = "https://no-such-host.invalid:6443";
  EXPECT_THAT(failure(config_), HasSubstr("no-such-host.invalid"));
}

}  // namespace
}  // namespace adit::kube::test
