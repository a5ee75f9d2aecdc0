#include "routing/certificates.h"

#include <openssl/err.h>

#include "tests/routing/objects.h"
#include "tests/routing/test_certificate.h"

namespace adit::routing {
namespace {

base::Result<KeyPair> read(std::map<std::string, std::string> data, std::string type = "kubernetes.io/tls") {
  return KeyPair::read(secret("a/tls", std::move(type), std::move(data)));
}

TEST(Certificates, ReadsAPair) {
  const auto data = tls_data("DNS:shop.example.com");
  const auto pair = read(data);
  ASSERT_TRUE(pair) << pair.error();
  EXPECT_EQ(pair->certificate()->name, "a/tls");
  EXPECT_EQ(pair->certificate()->chain_pem, data.at("tls.crt"));
  EXPECT_EQ(pair->certificate()->key_pem, data.at("tls.key"));
  EXPECT_EQ(pair->certificate()->fingerprint.size(), 64U);
  EXPECT_EQ(read(data)->certificate()->fingerprint, pair->certificate()->fingerprint);
  EXPECT_NE(read(tls_data("DNS:shop.example.com"))->certificate()->fingerprint, pair->certificate()->fingerprint);
}

TEST(Certificates, ReadsAChainAndOpaqueSecrets) {
  auto data = tls_data("DNS:a");
  data["tls.crt"] += "\n# issuer\n" + tls_data("DNS:ca").at("tls.crt");
  EXPECT_TRUE(read(data));
  EXPECT_TRUE(read(data, "Opaque"));
}

TEST(Certificates, Refusals) {
  const auto good = tls_data("DNS:a");
  const std::string& chain = good.at("tls.crt");
  const std::string& key = good.at("tls.key");
  const TestKey weak = rsa_key(1024);
  std::string long_chain;
  for (int i = 0; i < 17; ++i) long_chain += chain;
  std::string broken = chain;
  broken.replace(100, 4, "AAAA");
  const std::tuple<std::string, std::string, std::string_view> cases[] = {
      {"", key, "not a chain"},
      {"hello", key, "not a chain"},
      {key, key, "not a chain"},
      {broken, key, "not a chain"},
      {chain.substr(0, chain.size() - 20), key, "not a chain"},
      {chain + broken, key, "not a chain"},
      {long_chain, key, "not a chain"},
      {chain, "", "not an unencrypted PEM private key"},
      {chain, chain, "not an unencrypted PEM private key"},
      {chain, key_pem(ec_key(), EVP_aes_128_cbc()), "not an unencrypted PEM private key"},
      {chain, key_pem(ec_key()), "does not belong"},
      {chain, key_pem(rsa_key(2048)), "does not belong"},
      {certificate_pem(weak, "DNS:a"), key_pem(weak), "too weak"},
  };
  for (const auto& [crt, pkey, reason] : cases) {
    const auto pair = read({{"tls.crt", crt}, {"tls.key", pkey}});
    ASSERT_FALSE(pair) << reason;
    EXPECT_THAT(pair.error(), testing::HasSubstr(reason));
  }
  EXPECT_THAT(read({{"tls.crt", chain}}).error(), testing::HasSubstr("no key \"tls.key\""));
  EXPECT_THAT(read({{"tls.key", key}}).error(), testing::HasSubstr("no key \"tls.crt\""));
  EXPECT_THAT(read(good, "adit.dev/connector-token").error(), testing::HasSubstr("not kubernetes.io/tls"));
  EXPECT_EQ(ERR_peek_error(), 0U) << "the thread's error queue is left as connections expect it";
}

TEST(Certificates, Covers) {
  const auto pair = read(tls_data("DNS:shop.example.com,DNS:*.wild.example,DNS:Upper.Example"));
  ASSERT_TRUE(pair) << pair.error();
  for (const auto* host : {"shop.example.com", "x.wild.example", "*.wild.example", "upper.example", "*"}) {
    EXPECT_TRUE(pair->covers(host)) << host;
  }
  for (const auto* host :
       {"example.com", "a.shop.example.com", "wild.example", "a.b.wild.example", "*.example.com", "cn.example"}) {
    EXPECT_FALSE(pair->covers(host)) << host;
  }
}

}  // namespace
}  // namespace adit::routing
