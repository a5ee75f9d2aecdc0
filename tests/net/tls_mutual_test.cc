// TLS between equals: who gets in, and why others do not. Both ends in memory.

#include "net/tls_mutual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/certificates.h"

namespace adit::net::test {
namespace {

using testing::HasSubstr;
using Status = TlsEngine::Status;

const std::string kName = "adit-gateway-peer";

/// A client and a server that shake hands; what they think of each other is in their errors.
class Meeting {
 public:
  Meeting(SslPtr client_ssl, SslPtr server_ssl) : client(std::move(client_ssl)), server(std::move(server_ssl)) {
    for (int i = 0; i < 10; ++i) {
      step(client, client_done);
      move(client, server);
      step(server, server_done);
      move(server, client);
    }
  }
  bool both() const { return client_done && server_done && client.error().empty() && server.error().empty(); }

  TlsEngine client;
  TlsEngine server;
  bool client_done = false;
  bool server_done = false;

 private:
  static void step(TlsEngine& engine, bool& done) {
    if (!engine.error().empty()) return;
    base::Buffer plain;
    if (done) {
      engine.read(plain);
    } else {
      done = engine.handshake() == Status::ok;
    }
  }
  static void move(TlsEngine& from, TlsEngine& to) {
    to.cipher_in().append(from.cipher_out().view());
    from.cipher_out().clear();
  }
};

class Mutual : public testing::Test {
 protected:
  MutualTls with(const Authority& issuer, const std::string& names, const Authority& trusted, int days = 1) {
    const auto issued = issuer.issue(names, days);
    auto made = make_mutual_tls({issued.chain_pem, issued.key_pem, trusted.pem()});
    EXPECT_TRUE(made) << made.error();
    return *made;
  }
  Meeting meet(const MutualTls& client, const MutualTls& server) {
    return Meeting(new_mutual_client(client, kName), new_mutual_server(server, kName));
  }

  Authority ours_;
  Authority others_;
  MutualTls good_ = with(ours_, "DNS:" + kName, ours_);
};

TEST_F(Mutual, EqualsMeet) {
  EXPECT_TRUE(meet(good_, with(ours_, "DNS:other.test,DNS:" + kName, ours_)).both()) << "other names do no harm";
  EXPECT_EQ(SSL_version(meet(good_, good_).client.ssl()), TLS1_3_VERSION);
}

TEST_F(Mutual, BothSidesRefuseTheSame) {
  const struct {
    MutualTls wrong;
    const char* why;
  } cases[] = {
      {with(others_, "DNS:" + kName, ours_), "certificate refused"},
      {with(ours_, "DNS:localhost", ours_), "hostname mismatch"},
      {with(ours_, "DNS:*." + kName, ours_), "hostname mismatch"},
      {with(ours_, "DNS:x." + kName, ours_), "hostname mismatch"},
      {with(ours_, "DNS:" + kName, ours_, -1), "expired"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    const auto as_client = meet(c.wrong, good_);
    EXPECT_FALSE(as_client.server_done);
    EXPECT_THAT(as_client.server.error(), HasSubstr(c.why));
    EXPECT_FALSE(as_client.client.error().empty()) << "it is told by an alert";
    const auto as_server = meet(good_, c.wrong);
    EXPECT_FALSE(as_server.client_done);
    EXPECT_THAT(as_server.client.error(), HasSubstr(c.why));
  }
}

TEST_F(Mutual, AClientWithoutACertificateIsRefused) {
  Trust trust;
  trust.ca_pem = ours_.pem();
  trust.link = true;
  const auto context = make_client_context(trust);
  ASSERT_TRUE(context);
  const Meeting meeting(new_client(*context, kName), new_mutual_server(good_, kName));
  EXPECT_FALSE(meeting.server_done);
  EXPECT_THAT(meeting.server.error(), HasSubstr("certificate"));
}

TEST_F(Mutual, WhatCannotBeUsedIsAnError) {
  const auto issued = ours_.issue("DNS:" + kName);
  const auto other = ours_.issue("DNS:" + kName);
  const std::pair<MutualKeys, const char*> cases[] = {
      {{"", issued.key_pem, ours_.pem()}, "certificate"},
      {{issued.chain_pem, "", ours_.pem()}, "private key"},
      {{issued.chain_pem, other.key_pem, ours_.pem()}, "private key"},
      {{issued.chain_pem, issued.key_pem, "none"}, "the CA file holds no PEM certificate"},
  };
  for (const auto& [keys, why] : cases) {
    const auto made = make_mutual_tls(keys);
    ASSERT_FALSE(made) << why;
    EXPECT_THAT(made.error(), HasSubstr(why));
  }
}

}  // namespace
}  // namespace adit::net::test
