#pragma once
// The immutable route table: what a gateway looks up for each request. Built by build_table(), shared by all threads.

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace adit::routing {

/// SHA-256 of a connector token.
using TokenHash = std::array<std::uint8_t, 32>;

/// What a gateway needs to know of one Tunnel object.
struct Tunnel {
  std::string id;                 ///< UUID, lower case
  std::string name;               ///< "namespace/name", for logs and metrics
  std::vector<TokenHash> tokens;  ///< any of these opens a link; empty: none can
};

/// One rule. `host` and `path` are in canonical form: lower case, no trailing dot; path "/" or "/a/b" without final
/// slash.
struct Route {
  std::shared_ptr<const Tunnel> tunnel;
  std::string host;  ///< exact, "*.example.com", or "*"
  std::string path;
  std::string service;
  bool is_private = false;
};

/// A key pair from a Secret, checked to belong together when it was compiled.
struct Certificate {
  std::string name;  ///< "namespace/secret"
  std::string chain_pem;
  std::string key_pem;
  std::string fingerprint;  ///< hex SHA-256 over chain and key: equal fingerprints need no new TLS context
};

/// What the TLS listener does for a server name. To compare the name of a handshake with the Host of a request, compare
/// two of these: Tunnels of one namespace may share a host, so the tunnel of a route need not be that of the
/// certificate.
struct ServerName {
  std::shared_ptr<const Certificate> certificate;  ///< nullptr: present the default, else refuse the handshake
  std::shared_ptr<const Tunnel> tunnel;            ///< whose certificate it is; nullptr when unknown
  bool only_private = false;                       ///< all rules of the host are Private: handshake like an unknown one
};

/// Immutable and safe to share. Look-ups allocate nothing.
class Table {
 public:
  /// The rule that wins: exact host over the longest wildcard over "*", then the longest path prefix on whole segments.
  /// A host that has rules of its own never falls through to a wildcard. `host` in any case, without port; `path`
  /// starts with "/" or is "*"; it is matched in its canonical form (routing/url_path.h), and one that has none matches
  /// nothing. A wildcard stands for one or more labels. A dot after the host is ignored; a host longer than 253 matches
  /// nothing. The winner may be Private: the public answer is then the same as for nullptr.
  const Route* find(std::string_view host, std::string_view path) const;

  /// By id; nullptr when unknown.
  const std::shared_ptr<const Tunnel>* tunnel(std::string_view id) const;

  /// For a TLS server name in any case.
  ServerName server_name(std::string_view name) const;

  /// The key pair for handshakes without or with an unknown server name, nullptr if none: that of a "*" rule's tunnel.
  const std::shared_ptr<const Certificate>& default_certificate() const { return default_certificate_; }

  std::size_t tunnels() const { return tunnels_.size(); }
  std::size_t routes() const { return routes_count_; }
  /// All tunnels, for telemetry; any order.
  std::vector<std::shared_ptr<const Tunnel>> all_tunnels() const;

 private:
  friend class TableBuilder;
  struct Host {
    /// The longest prefix of `path`; nullptr if there is none.
    const Route* best(std::string_view path) const;

    std::vector<Route> routes;  ///< in the order of compare_paths()
    std::vector<std::uint32_t>
        shorter;  ///< of each route the next shorter prefix among routes, or kNone; empty for one
    std::shared_ptr<const Certificate> certificate;
    std::shared_ptr<const Tunnel> certificate_tunnel;
    bool only_private = false;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  /// Lets string_view find a std::string key.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  /// Exact, then the wildcards from the longest, then "*". Overwrites `lower_case`.
  const Host* host(std::span<char> lower_case) const;
  const Host* named_host(std::span<char> lower_case) const;

  Map<Host> hosts_;  ///< keys: exact, "*.suffix", "*"
  std::bitset<128>
      wildcard_labels_;  ///< bit n: there is a wildcard whose suffix has n labels; others are not looked up
  Map<std::shared_ptr<const Tunnel>> tunnels_;
  std::shared_ptr<const Certificate> default_certificate_;
  std::size_t routes_count_ = 0;
};

}  // namespace adit::routing
