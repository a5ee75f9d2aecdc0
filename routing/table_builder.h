#pragma once
// Puts a Table together. Where what is added contradicts itself, the first stands.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "routing/table.h"

namespace adit::routing {

/// Used once: add, then build().
class TableBuilder {
 public:
  void reserve(std::size_t tunnels);

  /// False when its id is not new: it is left out.
  bool add_tunnel(std::shared_ptr<const Tunnel> tunnel);
  /// Host and path in canonical form.
  void add_route(Route route);
  /// A key pair of a host, after all routes; left out when the host has none, or another tunnel's. `tunnel` is the one
  /// it belongs to.
  void add_certificate(const std::string& host, std::shared_ptr<const Certificate> certificate,
                       std::shared_ptr<const Tunnel> tunnel);

  std::shared_ptr<const Table> build();

 private:
  /// What was added for one host.
  struct Draft {
    std::vector<Route> routes;
    CertificateList certificates;
    std::shared_ptr<const Tunnel> certificate_tunnel;
  };

  static void put_in_order(std::vector<Route>& routes);
  void add_host(const std::string& name, Draft& draft);
  void link_prefixes(const Table::Host& host);
  void link_shares();

  std::unordered_map<std::string, Draft> drafts_;  ///< by host
  /// Rules with a weight by host and path; the first of each is that in the drafts.
  std::unordered_map<std::string, std::vector<Route>> weighted_;
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace adit::routing
