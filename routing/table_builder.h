#pragma once
// Puts a Table together from rules that do not contradict each other.

#include <memory>
#include <string>

#include "routing/table.h"

namespace adit::routing {

/// Used once: add, then build().
class TableBuilder {
 public:
  /// Its id must be new.
  void add_tunnel(std::shared_ptr<const Tunnel> tunnel);
  /// Host and path in canonical form; the pair must be new.
  void add_route(Route route);
  /// The key pair of a host that has a route; `tunnel` is the one it belongs to.
  void set_certificate(const std::string& host, std::shared_ptr<const Certificate> certificate,
                       std::shared_ptr<const Tunnel> tunnel);

  std::shared_ptr<const Table> build();

 private:
  static void finish(Table::Host& host);

  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace adit::routing
