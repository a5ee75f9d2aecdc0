#pragma once
// The operator's end of the control channel over real sockets, and gateways with the gateways' own Replica.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "control/replica.h"
#include "operator/control_server.h"
#include "routing/digest.h"
#include "tests/control/tunnels.h"
#include "tests/kube/simulated_api.h"
#include "tests/net/channel_ends.h"

namespace adit::controller {

using namespace std::chrono_literals;

inline constexpr const char* kAudience = "adit.dev/adit";
inline constexpr const char* kUser = "system:serviceaccount:adit:adit-gateway";

inline std::string token_until(WallTime end) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch()).count();
  return "e30." + routing::encode_base64("{\"exp\":" + std::to_string(seconds) + "}") + ".c2ln";
}

inline CompilationPtr compilation(std::vector<routing::TunnelConfigurationPtr> configurations,
                                  std::vector<std::string> kept = {}) {
  auto made = std::make_shared<Compilation>();
  made->configurations = std::move(configurations);
  for (const auto& name : kept) {
    auto facts = std::make_shared<TunnelFacts>();
    facts->id = control::test::id_of(name);
    made->keep.push_back(facts->id);
    made->facts.emplace("team/" + name, facts);
  }
  return made;
}

/// A gateway as far as the operator sees one.
class Gateway {
 public:
  Gateway(net::Loop& loop, net::ChannelRequest request, control::HelloMessage hello) : loop_(loop) {
    auto& end = dialled_.end;
    end.when_message = [this](std::string_view text) { take(text); };
    dialled_.start(loop_, request);
    EXPECT_TRUE(net::test::until(loop_, [&] { return dialled_.over(); }));
    if (end.channel) say(std::move(hello));
  }

  template <class Message>
  void say(Message message) {
    dialled_.end.channel->send(control::write(control::GatewayMessage(std::move(message))));
  }
  void say_links(const std::string& name, const std::vector<std::string>& instances) {
    control::LinksMessage links{control::test::id_of(name), {}};
    for (const auto& instance : instances) links.connectors.push_back({instance, "c", {"default"}});
    say(std::move(links));
  }
  bool is_connected() const { return dialled_.end.channel && !dialled_.end.closed; }
  bool has_synced() const { return replica.is_synced(); }
  std::string closed() const { return dialled_.end.closed.value_or(""); }
  std::string failure() const {
    return dialled_.failures && !dialled_.failures->empty() ? dialled_.failures->back().text() : "";
  }
  const std::vector<std::string>& messages() const { return dialled_.end.messages; }
  std::vector<std::string> lines() const { return control::test::lines(replica.set()); }
  void leave() { dialled_.end.channel.reset(); }

  control::Replica replica;
  bool answers = true;  ///< acknowledges what it took

 private:
  void take(std::string_view text) {
    const auto taken = replica.take(text);
    EXPECT_TRUE(taken) << taken.error();
    if (!answers || !replica.has_news()) return;
    for (auto& answer : replica.apply().answers) dialled_.end.channel->send(std::move(answer));
  }

  net::Loop& loop_;
  net::test::Dialled dialled_;
};

class ControlServerTest : public testing::Test {
 protected:
  ControlServerTest() { accept("secret.token"); }

  void accept(const std::string& token, const std::string& user = kUser) {
    api_.add_token(token, {true, user, {kAudience}, {}});
  }
  void start(GatewaySessionsSettings settings = {.tick = 5ms, .lost_for = 1h}) {
    authenticator_ = std::make_unique<Authenticator>(api_, AuthenticatorSettings{kAudience, kUser, {}});
    const auto tls = net::make_server_context(net::TlsUse::link, issued_.chain_pem, issued_.key_pem);
    ASSERT_TRUE(tls);
    auto started = ControlServer::start({"127.0.0.1", 0, false}, *tls,
                                        {*authenticator_, views_,
                                         [this](const std::vector<std::string>& keys) {
                                           const std::lock_guard lock(mutex_);
                                           told_.insert(told_.end(), keys.begin(), keys.end());
                                           most_gateways_ = std::max(most_gateways_,
                                                                     views_.find(control::test::id_of("a")).gateways);
                                         },
                                         [this] { return may_lead_.load(); }},
                                        settings);
    ASSERT_TRUE(started) << started.error();
    server_ = std::move(*started);
  }
  void lead(std::vector<routing::TunnelConfigurationPtr> configurations, std::uint64_t term = 1) {
    server_->lead(term);
    server_->update(compilation(std::move(configurations)));
  }
  std::unique_ptr<Gateway> dial(control::HelloMessage hello = {"g1", "0.1.0", {}},
                                const std::string& bearer = "secret.token") {
    auto request = net::test::channel_request(authority_, server_->port(), "localhost");
    request.bearer = bearer;
    return std::make_unique<Gateway>(loop_, std::move(request), std::move(hello));
  }
  std::unique_ptr<Gateway> dial_synced(const std::string& id = "g1") {
    auto gateway = dial({id, "0.1.0", {}});
    EXPECT_TRUE(until([&] { return gateway->has_synced() && view("a").current >= 1; })) << gateway->failure();
    return gateway;
  }
  /// Serves the gateways' loop until it is so.
  template <class Done>
  bool until(Done done) {
    const auto limit = base::Clock::now() + 30s;
    while (!done()) {
      if (base::Clock::now() >= limit) return false;
      loop_.context().run_one_for(2ms);
    }
    return true;
  }
  EdgeView view(const std::string& name) const { return views_.find(control::test::id_of(name)); }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return std::exchange(told_, {});
  }

  kube::SimulatedApi api_;
  net::Loop loop_;
  net::test::Authority authority_;
  net::test::Issued issued_ = authority_.issue("DNS:localhost,IP:127.0.0.1");
  EdgeViews views_;
  std::atomic<bool> may_lead_ = true;
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::size_t most_gateways_ = 0;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<ControlServer> server_;
};

}  // namespace adit::controller
