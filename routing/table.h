#pragma once
// The immutable route table: what a gateway looks up for each request. Built by build_table(), shared by all threads.

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/affinity.h"
#include "routing/filters.h"
#include "routing/host_index.h"
#include "routing/url_path.h"

namespace adit::routing {

/// SHA-256 of a connector token.
using TokenHash = std::array<std::uint8_t, 32>;

/// What visitors of one tunnel may use of one gateway. Absent: the gateway's default; 0: no limit.
struct TunnelLimits {
  std::optional<std::uint32_t> connections;          ///< requests and upgraded connections under way at once
  std::optional<std::uint32_t> requests_per_second;  ///< a burst of one second's worth is let through

  friend bool operator==(const TunnelLimits&, const TunnelLimits&) = default;
};

/// What a gateway needs to know of one Tunnel object.
struct Tunnel {
  std::string id;                 ///< UUID, lower case
  std::string name;               ///< "namespace/name", for logs and metrics
  std::vector<TokenHash> tokens;  ///< any of these opens a link; empty: none can
  TunnelLimits limits = {};
  bool redirect_to_https = false;  ///< plain HTTP is answered with 308
  std::string offline_page = {};   ///< HTML for 503 when no connector is there; empty: the gateway's own
  Affinity affinity = {};
};

/// One rule. `host` and `path` are in canonical form: lower case, no trailing dot; path "/" or "/a/b" without final
/// slash.
struct Route {
  std::shared_ptr<const Tunnel> tunnel;
  std::string host;  ///< exact, "*.example.com", or "*"
  std::string path;
  std::string service;
  bool is_private = false;
  FiltersPtr filters = nullptr;  ///< none
  std::optional<std::uint32_t> weight = std::nullopt;
  /// Rules of several tunnels for this host and path, this one the first, of which weights choose one: made by the
  /// builder, of the same table.
  const Route* first_share = nullptr;
  std::size_t share_count = 0;

  /// Empty: the rule stands alone.
  std::span<const Route> shares() const { return {first_share, share_count}; }
};

/// A key pair from a Secret, checked to belong together when it was compiled.
struct Certificate {
  std::string name;  ///< "namespace/secret"
  std::string chain_pem;
  std::string key_pem;
  std::string fingerprint;  ///< hex SHA-256 over all of it: equal fingerprints need no new TLS context
  std::string ocsp = {};    ///< the OCSP response to staple, DER (RFC 6960); empty: none
};
/// Of one host: one, or several with keys of different types, among which the client's signature algorithms choose.
using CertificateList = std::vector<std::shared_ptr<const Certificate>>;

/// What the TLS listener does for a server name. To compare the name of a handshake with the Host of a request, compare
/// two of these: Tunnels of one namespace may share a host, so the tunnel of a route need not be that of the
/// certificate.
struct ServerName {
  std::span<const std::shared_ptr<const Certificate>> certificates;  ///< empty: present the default, else refuse
  std::shared_ptr<const Tunnel> tunnel;  ///< whose certificates they are; nullptr when unknown
  bool only_private = false;             ///< all rules of the host are Private: handshake like an unknown one

  std::shared_ptr<const Certificate> first() const { return certificates.empty() ? nullptr : certificates[0]; }
};

/// What the table says of a request.
struct Match {
  const Route* route = nullptr;  ///< the rule that wins; nullptr: none. The table's own
  std::string_view path;         ///< canonical: a view of what was asked or of the room
  bool is_ambiguous = false;     ///< the path could be read in two ways or leaves the prefix it begins with: refuse it
};

/// Immutable and safe to share. Look-ups allocate nothing.
class Table {
 public:
  /// The rule that wins: exact host over the longest wildcard over "*", then the longest path prefix on whole segments.
  /// A host that has rules of its own never falls through to a wildcard. `host` in any case, without port; `path`
  /// starts with "/" or is "*"; it is matched in its canonical form (routing/url_path.h). A wildcard stands for one or
  /// more labels. A dot after the host is ignored; a host longer than 253 matches nothing. The winner may be Private:
  /// the public answer is then the same as for nullptr.
  Match match(std::string_view host, std::string_view path, PathRoom& room) const;
  /// Its rule alone.
  const Route* find(std::string_view host, std::string_view path) const;

  /// By id; nullptr when unknown.
  const std::shared_ptr<const Tunnel>* tunnel(std::string_view id) const;

  /// For a TLS server name in any case. Its list is the table's own.
  ServerName server_name(std::string_view name) const;

  /// The key pairs for handshakes without or with an unknown server name: those of a "*" rule's tunnel, if any.
  const CertificateList& default_certificates() const { return default_certificates_; }

  std::size_t tunnels() const { return tunnels_.size(); }
  std::size_t routes() const { return routes_.size(); }
  /// All tunnels, for telemetry; any order.
  std::vector<std::shared_ptr<const Tunnel>> all_tunnels() const;
  /// A key pair in use, once for each tunnel that uses it.
  struct CertificateUse {
    std::shared_ptr<const Certificate> certificate;
    std::shared_ptr<const Tunnel> tunnel;
  };
  /// All of them, for telemetry; any order.
  std::vector<CertificateUse> all_certificates() const;

 private:
  friend class TableBuilder;
  static constexpr std::uint32_t kNone = HostIndex::kNone;

  /// The rules of one host stand together. Small, since ten thousand of these are looked at in turn.
  struct Host {
    std::uint32_t name = 0;   ///< where it begins in names_
    std::uint32_t first = 0;  ///< its rules in routes_, in the order of compare_paths()
    std::uint32_t rules = 0;
    std::uint32_t certificate = kNone;  ///< in certificates_
    std::uint32_t name_size = 0;
    bool only_private = false;
  };
  struct HostCertificate {
    CertificateList certificates;
    std::shared_ptr<const Tunnel> tunnel;
  };

  /// Lets string_view find a std::string key.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  std::string_view name_of(const Host& host) const {
    return std::string_view(names_).substr(host.name, host.name_size);
  }
  /// The host of exactly that key, or nullptr.
  const Host* find_host(std::string_view key) const;
  /// Exact, then the wildcards from the longest. Overwrites `key`.
  const Host* named_host(HostKey& key) const;
  /// The rule of the longest prefix of `path`, or nullptr.
  const Route* best(const Host& host, std::string_view path) const;
  /// That of the path that was asked for with its dot segments unresolved; it has a canonical form other than itself.
  const Route* best_literally(const Host& host, std::string_view path) const;

  HostIndex index_;          ///< of hosts_: exact, "*.suffix", "*"
  std::vector<Host> hosts_;  ///< any order
  std::string names_;
  std::vector<Route> routes_;
  std::vector<Route> shares_;           ///< those of one host and path together
  std::vector<std::uint32_t> shorter_;  ///< of each rule the next shorter prefix in routes_ of its host, or kNone
  std::vector<HostCertificate> certificates_;
  std::uint32_t any_ = kNone;  ///< the host "*"
  std::bitset<128>
      wildcard_labels_;  ///< bit n: there is a wildcard whose suffix has n labels; others are not looked up
  Map<std::shared_ptr<const Tunnel>> tunnels_;
  CertificateList default_certificates_;
};

}  // namespace adit::routing
