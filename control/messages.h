#pragma once
// What operator and gateway say to each other: one JSON text for each message (docs/control.md).

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "routing/configuration.h"

namespace adit::control {

/// The longest message, in bytes of its JSON text.
inline constexpr std::size_t kMostMessageBytes = 4U << 20U;

/// Orders everything that operators ever said: `term` is that of the leader's Lease, `counter` the leader's own.
struct Version {
  std::uint64_t term = 0;
  std::uint64_t counter = 0;

  friend auto operator<=>(const Version&, const Version&) = default;  // NOLINT(modernize-use-nullptr): its own zero
};
/// "TERM.COUNTER", for logs.
std::string to_string(const Version& version);

// From the operator.

/// A key pair; goes ahead of the first tunnel that names its fingerprint.
struct CertificateMessage {
  std::shared_ptr<const routing::Certificate> certificate;  ///< never nullptr
};

/// A key pair that serves a host, by its fingerprint. A host may have several.
struct HostFingerprint {
  std::string host;
  std::string fingerprint;

  friend bool operator==(const HostFingerprint&, const HostFingerprint&) = default;
};

/// A tunnel as it is from `version` on. `more`, here and below: the state is not whole before a later message, which is
/// on its way; hosts that move from one tunnel to another are in two places, or in none, until then.
struct TunnelMessage {
  Version version;
  std::shared_ptr<const routing::Tunnel> tunnel;  ///< never nullptr
  std::vector<routing::Rule> rules;
  std::vector<HostFingerprint> certificates;
  bool more = false;
  std::string fault = {};  ///< why this version cannot put it in force, although it could be read; empty: it can
};

/// There is no such tunnel any more.
struct RemoveMessage {
  Version version;
  std::string id;
  bool more = false;
};

/// What this tunnel should be cannot be told now: the gateway keeps what it has of it.
struct KeepMessage {
  Version version;
  std::string id;
  bool more = false;
};

/// The end of the full state: tunnels that were not named since the session began are gone.
struct SyncedMessage {
  Version version;
};

/// What the link listener serves when it was given no certificate of its own.
struct LinkCertificateMessage {
  std::string chain_pem;
  std::string key_pem;
};

/// How gateways know each other: what each of them shows, and what the certificates of the others must be signed by.
struct PeerCertificateMessage {
  std::string chain_pem;
  std::string key_pem;
  std::string trusted_pem;

  friend bool operator==(const PeerCertificateMessage&, const PeerCertificateMessage&) = default;
};

/// A gateway that others can reach.
struct PeerGateway {
  std::string gateway;  ///< its id
  std::string address;  ///< HOST:PORT, an IPv6 address in brackets

  friend bool operator==(const PeerGateway&, const PeerGateway&) = default;
};

/// All of them, the one that this is said to included. Replaces what was said before.
struct PeersMessage {
  std::vector<PeerGateway> gateways;

  friend bool operator==(const PeersMessage&, const PeersMessage&) = default;
};

using OperatorMessage = std::variant<CertificateMessage, TunnelMessage, RemoveMessage, KeepMessage, SyncedMessage,
                                     LinkCertificateMessage, PeerCertificateMessage, PeersMessage>;

// From the gateway.

/// The first message of a session.
struct HelloMessage {
  std::string gateway;             ///< its id, new at each start
  std::string program_version;     ///< "0.1.0"
  std::optional<Version> version;  ///< what is in force; absent: nothing yet
  std::string peer_address = {};   ///< HOST:PORT where other gateways reach it; empty: they do not
};

/// Everything up to `version` is in force, but for what was refused before this message.
struct AckMessage {
  Version version;
};

/// This tunnel cannot be put in force as `version` says; the former one stays.
struct RefusedMessage {
  Version version;
  std::string id;
  std::string reason;
};

/// One process of a connector that has a live link to this gateway.
struct LiveConnector {
  std::string instance;
  std::string name;
  std::vector<std::string> services;  ///< sorted, each once

  friend bool operator==(const LiveConnector&, const LiveConnector&) = default;
};

/// All live connectors of one tunnel; empty: none any more.
struct LinksMessage {
  std::string id;
  std::vector<LiveConnector> connectors;  ///< sorted by instance, each once
};

/// A new bearer token, to be checked before the old one expires.
struct TokenMessage {
  std::string token;
};

using GatewayMessage = std::variant<HelloMessage, AckMessage, RefusedMessage, LinksMessage, TokenMessage>;

/// The JSON text, without line breaks. It may be longer than kMostMessageBytes: who sends looks.
std::string write(const OperatorMessage& message);
std::string write(const GatewayMessage& message);

/// Nothing for a type that this version does not know. Unknown fields are ignored; a field that is missing or has the
/// wrong type, and text that is no JSON object, are errors that name type and field. Never throws. What the values mean
/// is looked at by Replica and GatewayFeed.
base::Result<std::optional<OperatorMessage>> read_operator_message(std::string_view text);
base::Result<std::optional<GatewayMessage>> read_gateway_message(std::string_view text);

}  // namespace adit::control
