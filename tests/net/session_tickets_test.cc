// Which sessions are resumed: over the rotation of keys and over certificates, never from one host to another.

#include <map>

#include <gtest/gtest.h>

#include "net/ticket_keys.h"
#include "tests/net/tls_pair.h"

namespace adit::net::test {
namespace {

using std::chrono::hours;

const OwnedPair& pair_one() {
  static const OwnedPair pair("team/one", routing::ec_key());
  return pair;
}

/// Every name has a certificate of its own making; they may be renewed.
class Chooser final : public CertificateChooser {
 public:
  explicit Chooser(TicketSealer& tickets) : tickets_(tickets) {}
  void serve(const std::string& name, const std::string& identity) {
    const auto view = pair_one().view();
    contexts_[name] = make_server_context(ServerTls{TlsUse::public_edge, {}, &tickets_}, {&view, 1}, identity).context;
  }
  SSL_CTX* choose(std::string_view name) override {
    const auto found = contexts_.find(std::string(name));
    return found == contexts_.end() ? nullptr : found->second.get();
  }

 private:
  TicketSealer& tickets_;
  std::map<std::string, TlsContext> contexts_;
};

class SessionTickets : public testing::TestWithParam<int> {
 protected:
  SessionTickets() {
    chooser.serve("a.test", "certificate one");
    chooser.serve("b.test", "certificate one");
    chooser.serve("c.test", "certificate two");
    chooser.serve("", "certificate one");
  }
  /// A visit, resumed if there is something to resume. The session of a visit before may be used again.
  TlsPair visit(const std::string& name, const SessionPtr& session = nullptr) {
    TlsPair pair(context, name, GetParam());
    if (session) SSL_set_session(pair.client->ssl(), session.get());
    pair.exchange();
    EXPECT_TRUE(pair.established()) << pair.server->error();
    return pair;
  }
  void advance(base::Duration by) {
    now += by;
    ring.advance(now);
  }

  base::TimePoint now = base::TimePoint() + hours(1000);
  TicketKeyRing ring{now};
  TicketSealer sealer{ring};
  Chooser chooser{sealer};
  TlsContext context = *make_choosing_context(ServerTls{TlsUse::public_edge, {}, &sealer}, chooser);
};

INSTANTIATE_TEST_SUITE_P(Versions, SessionTickets, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) { return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(SessionTickets, SameHostIsResumed) {
  const auto first = visit("a.test");
  EXPECT_FALSE(first.resumed());
  ASSERT_TRUE(first.session());
  const auto second = visit("a.test", first.session());
  EXPECT_TRUE(second.resumed());
  EXPECT_EQ(second.server->server_name(), "a.test");
  EXPECT_LE(SSL_SESSION_get_ticket_lifetime_hint(first.session().get()), 12U * 3600);
}

TEST_P(SessionTickets, OtherHostIsNotWhateverItsCertificate) {
  const auto session = visit("a.test").session();
  for (const char* other : {"b.test", "c.test", ""}) EXPECT_FALSE(visit(other, session).resumed()) << other;
  const auto nameless = visit("").session();
  EXPECT_FALSE(visit("a.test", nameless).resumed());
  EXPECT_TRUE(visit("", nameless).resumed());
}

TEST_P(SessionTickets, RenewedCertificateEndsThem) {
  const auto session = visit("a.test").session();
  chooser.serve("a.test", "certificate one");  // the tables were built anew, the certificate is the same
  EXPECT_TRUE(visit("a.test", session).resumed());
  chooser.serve("a.test", "certificate three");
  const auto anew = visit("a.test", session);
  EXPECT_FALSE(anew.resumed());
  EXPECT_TRUE(visit("a.test", anew.session()).resumed());
}

TEST_P(SessionTickets, KeysRotateAndOldOnesOpenUntilTicketsExpire) {
  const auto session = visit("a.test").session();
  advance(hours(12) - std::chrono::seconds(1));
  EXPECT_EQ(ring.keys().get()->size(), 1U);
  advance(std::chrono::seconds(1));
  EXPECT_EQ(ring.keys().get()->size(), 2U);
  const auto renewed = visit("a.test", session);
  EXPECT_TRUE(renewed.resumed()) << "sealed with the last key";
  advance(hours(12));
  EXPECT_EQ(ring.keys().get()->size(), 2U);
  EXPECT_FALSE(visit("a.test", session).resumed()) << "its key is gone";
  EXPECT_TRUE(visit("a.test", renewed.session()).resumed()) << "it was not renewed with the new key";
}

TEST_P(SessionTickets, AllThreadsShareTheKeys) {
  TicketSealer other_sealer(ring);
  Chooser other_chooser(other_sealer);
  other_chooser.serve("a.test", "certificate one");
  const auto session = visit("a.test").session();
  context = *make_choosing_context(ServerTls{TlsUse::public_edge, {}, &other_sealer}, other_chooser);
  EXPECT_TRUE(visit("a.test", session).resumed());
}

TEST_P(SessionTickets, ForgedOrForeignOnesMeanAFullHandshake) {
  const auto session = visit("a.test").session();
  const TicketKeyRing foreign_ring(now);
  TicketSealer foreign(foreign_ring);
  Chooser other_chooser(foreign);
  other_chooser.serve("a.test", "certificate one");
  context = *make_choosing_context(ServerTls{TlsUse::public_edge, {}, &foreign}, other_chooser);
  EXPECT_FALSE(visit("a.test", session).resumed());
}

TEST_P(SessionTickets, EarlyDataIsNotOffered) {
  const auto session = visit("a.test").session();
  ASSERT_TRUE(session);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0U);
}

TEST_P(SessionTickets, NoneWithoutKeys) {
  const auto view = pair_one().view();
  context = make_server_context(ServerTls{}, {&view, 1}, "identity").context;
  const auto first = visit("a.test");
  EXPECT_FALSE(first.session());
}

TEST(TicketKeyRing, LongSilenceLeavesOneKey) {
  base::TimePoint now = base::TimePoint() + hours(1);
  TicketKeyRing ring(now);
  const auto before = ring.keys().get()->front();
  ring.advance(now += hours(100));
  const auto& keys = *ring.keys().get();
  ASSERT_EQ(keys.size(), 2U) << "what it sealed a moment ago is opened";
  EXPECT_EQ(keys[1], before);
  ring.advance(now += hours(12));
  EXPECT_EQ(ring.keys().get()->size(), 2U);
  EXPECT_NE(ring.keys().get()->back(), before);
  const auto version = ring.keys().version();
  ring.advance(now += hours(1));
  EXPECT_EQ(ring.keys().version(), version) << "published without need";
}

}  // namespace
}  // namespace adit::net::test
