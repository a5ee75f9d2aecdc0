#pragma once
// Short ways to write configurations, and to read what both ends say.

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/messages.h"
#include "routing/digest.h"
#include "routing/uuid.h"
#include "tests/routing/test_certificate.h"

namespace adit::control::test {

using routing::TunnelConfigurationPtr;

/// The id of the tunnel "team/NAME".
inline std::string id_of(const std::string& name) { return routing::default_tunnel_id("team/" + name); }

inline std::shared_ptr<const routing::Certificate> certificate(const std::string& names) {
  auto data = routing::tls_data(names);
  auto made = std::make_shared<routing::Certificate>();
  made->name = "team/secret";
  made->chain_pem = data["tls.crt"];
  made->key_pem = data["tls.key"];
  made->fingerprint = routing::hex(routing::sha256({made->chain_pem, made->key_pem}));
  return made;
}

/// "HOST/PATH" or "HOST" → a rule, whose service is `service`; `keys` serve their hosts.
inline TunnelConfigurationPtr tunnel(const std::string& name, const std::vector<std::string>& rules,
                                     const std::string& service = "default",
                                     const std::vector<routing::HostCertificate>& keys = {}) {
  auto configuration = std::make_shared<routing::TunnelConfiguration>();
  configuration->tunnel =
      std::make_shared<const routing::Tunnel>(routing::Tunnel{id_of(name), "team/" + name, {routing::sha256({name})}});
  for (const auto& text : rules) {
    const auto slash = text.find('/');
    configuration->rules.push_back(
        {text.substr(0, slash), slash == std::string::npos ? "/" : text.substr(slash), service, false});
  }
  configuration->certificates = keys;
  return configuration;
}

/// One line for each rule of a set: "NAME HOST/PATH SERVICE [CERTIFICATE]"; two sets with equal lines are equal.
inline std::vector<std::string> lines(const std::vector<TunnelConfigurationPtr>& set) {
  std::vector<std::string> all;
  for (const auto& configuration : set) {
    auto name = configuration->tunnel->name;
    for (const auto& token : configuration->tunnel->tokens) name += " " + routing::hex(token).substr(0, 4);
    all.push_back(name);
    for (const auto& rule : configuration->rules) {
      all.push_back(name + " " + rule.host + rule.path + " " + rule.service + (rule.is_private ? " private" : ""));
    }
    for (const auto& [host, key] : configuration->certificates)
      all.push_back(name + " " + host + " " + key->fingerprint);
  }
  std::sort(all.begin(), all.end());
  return all;
}

template <class Message>
Message read_as(const std::string& text) {
  if constexpr (std::is_constructible_v<OperatorMessage, Message>) {
    const auto message = read_operator_message(text);
    EXPECT_TRUE(message && *message && std::holds_alternative<Message>(**message)) << text;
    return std::get<Message>(**message);
  } else {
    const auto message = read_gateway_message(text);
    EXPECT_TRUE(message && *message && std::holds_alternative<Message>(**message)) << text;
    return std::get<Message>(**message);
  }
}

}  // namespace adit::control::test
