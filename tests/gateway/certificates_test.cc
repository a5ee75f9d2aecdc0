// Which certificate a handshake gets.

#include "gateway/certificates.h"

#include <gtest/gtest.h>

#include "routing/table_builder.h"
#include "tests/routing/objects.h"
#include "tests/routing/test_certificate.h"

namespace adit::gateway::test {
namespace {

/// A Tunnel with one rule and a certificate for the name `certificate`.
void add(routing::Objects& objects, const std::string& name, const std::string& rule, const std::string& certificate) {
  auto tunnel = routing::tunnel("team/" + name, {rule});
  tunnel.tls_secrets = {name + "-tls"};
  objects.tunnels.push_back(tunnel);
  objects.secrets.push_back(
      routing::secret("team/" + name + "-tls", "kubernetes.io/tls", routing::tls_data("DNS:" + certificate)));
}

bool is_for(SSL_CTX* context, const char* name) {
  return context != nullptr && X509_check_host(SSL_CTX_get0_certificate(context), name, 0, 0, nullptr) == 1;
}

class ChosenCertificate : public testing::Test {
 protected:
  ChosenCertificate() {
    add(objects_, "shop", "shop.example.com", "shop.example.com");
    add(objects_, "wild", "*.wild.example.com", "*.wild.example.com");
    add(objects_, "any", "*", "default.example.com");
    add(objects_, "admin", "admin.example.com!", "admin.example.com");
    publish();
  }
  void publish() { tables_.publish(routing::compile_table(objects_, {}).table); }

  routing::Objects objects_;
  base::Published<routing::Certificate> own_{nullptr};
  base::Published<routing::Table> tables_{routing::compile_table({}, {}).table};
};

TEST_F(ChosenCertificate, ByServerName) {
  Certificates certificates(tables_);
  EXPECT_TRUE(is_for(certificates.choose("shop.example.com"), "shop.example.com"));
  EXPECT_TRUE(is_for(certificates.choose("SHOP.example.com"), "shop.example.com"));
  EXPECT_TRUE(is_for(certificates.choose("a.wild.example.com"), "a.wild.example.com"));
  EXPECT_TRUE(is_for(certificates.choose("unknown.example.org"), "default.example.com"));
  EXPECT_TRUE(is_for(certificates.choose(""), "default.example.com"));
  EXPECT_TRUE(is_for(certificates.choose("admin.example.com"), "default.example.com"))
      << "private: like an unknown one";
  EXPECT_EQ(certificates.choose("shop.example.com"), certificates.choose("shop.example.com")) << "made once";
}

TEST_F(ChosenCertificate, NoneWithoutADefault) {
  std::erase_if(objects_.tunnels, [](const auto& tunnel) { return tunnel.meta.name == "any"; });
  publish();
  Certificates certificates(tables_);
  EXPECT_EQ(certificates.choose("unknown.example.org"), nullptr);
  EXPECT_EQ(certificates.choose("admin.example.com"), nullptr);
  EXPECT_NE(certificates.choose("shop.example.com"), nullptr);
}

TEST_F(ChosenCertificate, LinkHost) {
  Certificates certificates(tables_, {net::TlsUse::link}, {"shop.example.com", &own_});
  EXPECT_TRUE(is_for(certificates.choose(""), "shop.example.com"));
  EXPECT_TRUE(is_for(certificates.choose("10.0.0.1"), "shop.example.com"));
  EXPECT_TRUE(is_for(certificates.choose("a.wild.example.com"), "a.wild.example.com"));
}

TEST_F(ChosenCertificate, OperatorsIsServedToAllLinks) {
  Certificates certificates(tables_, {net::TlsUse::link}, {"shop.example.com", &own_});
  const auto serve = [&](const std::string& name) {
    const auto data = routing::tls_data("DNS:" + name);
    own_.publish(std::make_shared<const routing::Certificate>(
        routing::Certificate{"", data.at("tls.crt"), data.at("tls.key"), "fingerprint of " + name}));
  };
  serve("edge.example.com");
  for (const char* asked : {"shop.example.com", "edge.example.com", ""}) {
    EXPECT_TRUE(is_for(certificates.choose(asked), "edge.example.com")) << asked;
  }
  serve("renewed.example.com");
  EXPECT_TRUE(is_for(certificates.choose("edge.example.com"), "renewed.example.com"));
}

/// A host with two key pairs, of which the second may be one that cannot be used.
std::shared_ptr<const routing::Table> table_of_two(const std::string& second_key) {
  const auto ec = routing::ec_key();
  const auto rsa = routing::rsa_key(2048);
  const auto tunnel = std::make_shared<routing::Tunnel>(routing::Tunnel{"id", "team/shop", {}});
  const auto certificate = [](const std::string& name, const routing::TestKey& key, const std::string& key_pem) {
    return std::make_shared<const routing::Certificate>(
        routing::Certificate{name, routing::certificate_pem(key, "DNS:shop.example.com"), key_pem, "of " + name});
  };
  routing::TableBuilder builder;
  builder.add_tunnel(tunnel);
  builder.add_route({tunnel, "shop.example.com", "/", "web"});
  builder.add_certificate("shop.example.com", certificate("team/ec", ec, routing::key_pem(ec)), tunnel);
  builder.add_certificate("shop.example.com",
                          certificate("team/rsa", rsa, second_key.empty() ? routing::key_pem(rsa) : second_key),
                          tunnel);
  return builder.build();
}

/// How many key types a context can serve.
int key_types(SSL_CTX* context) {
  int count = 0;
  for (int more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT)) {
    ++count;
  }
  return count;
}

TEST_F(ChosenCertificate, AllKeyPairsOfAHostAreInOneContext) {
  tables_.publish(table_of_two(""));
  Certificates certificates(tables_);
  SSL_CTX* both = certificates.choose("shop.example.com");
  ASSERT_NE(both, nullptr);
  EXPECT_EQ(key_types(both), 2);
  EXPECT_EQ(certificates.choose("shop.example.com"), both);
}

TEST_F(ChosenCertificate, PairThatCannotBeUsedDoesNotStopTheOther) {
  tables_.publish(table_of_two(routing::key_pem(routing::ec_key())));
  Certificates certificates(tables_);
  SSL_CTX* one = certificates.choose("shop.example.com");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(key_types(one), 1);
  EXPECT_TRUE(is_for(one, "shop.example.com"));
}

TEST_F(ChosenCertificate, LinkHostOfAPublicListener) {
  const auto certificate = [](const std::string& name) {
    const auto data = routing::tls_data("DNS:" + name);
    return std::make_shared<const routing::Certificate>(
        routing::Certificate{name, data.at("tls.crt"), data.at("tls.key"), name});
  };
  Certificates edge(tables_, {}, {"edge.example.com", &own_});
  EXPECT_TRUE(is_for(edge.choose("edge.example.com"), "default.example.com")) << "as of any name";
  own_.publish(certificate("own.example.com"));
  EXPECT_TRUE(is_for(edge.choose("EDGE.example.com"), "own.example.com"));
  Certificates shop(tables_, {}, {"shop.example.com", &own_});
  EXPECT_TRUE(is_for(shop.choose("shop.example.com"), "own.example.com")) << "before a tunnel's";
  EXPECT_TRUE(is_for(shop.choose("a.wild.example.com"), "a.wild.example.com"));
  EXPECT_TRUE(is_for(shop.choose(""), "default.example.com"));
  Certificates none(tables_, {}, {{}, &own_});
  EXPECT_TRUE(is_for(none.choose(""), "default.example.com")) << "no link host: its certificate is of no name";
}

TEST_F(ChosenCertificate, ContextOutlivesTablesThatAreBuiltAnew) {
  Certificates certificates(tables_);
  SSL_CTX* shop = certificates.choose("shop.example.com");
  for (int i = 0; i < 3; ++i) {
    publish();  // other objects, the same certificates
    EXPECT_EQ(certificates.choose("shop.example.com"), shop);
    objects_.tunnels.erase(objects_.tunnels.begin() + 1);  // and something new each time
    certificates.choose("unknown.example.org");
  }
  EXPECT_EQ(certificates.choose("shop.example.com"), shop);
}

TEST_F(ChosenCertificate, RenewedOneIsServedFromThenOn) {
  Certificates certificates(tables_);
  SSL_CTX* before = certificates.choose("shop.example.com");
  publish();  // the same objects: nothing new to be made
  EXPECT_EQ(certificates.choose("shop.example.com"), before);
  for (auto& secret : objects_.secrets) {
    if (secret.meta.name == "shop-tls") secret.data = routing::tls_data("DNS:shop.example.com,DNS:new.example.com");
  }
  publish();
  EXPECT_TRUE(is_for(certificates.choose("shop.example.com"), "new.example.com"));
}

}  // namespace
}  // namespace adit::gateway::test
