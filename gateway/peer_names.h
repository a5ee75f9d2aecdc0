#pragma once
// From the names of peers to the addresses of each replica.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/loop.h"

namespace adit::gateway {

/// Resolves again and again; every address that a name has is one replica. A name that cannot be resolved keeps the
/// addresses that it had. On its loop only.
class PeerNames {
 public:
  static constexpr base::Duration kEvery = std::chrono::seconds(5);

  /// `found` gets all addresses of all names, each once, whenever one was looked up.
  using Found = std::function<void(const std::vector<net::Target>& addresses)>;

  PeerNames(net::Loop& loop, Found found);
  ~PeerNames();

  void set(const std::vector<net::Target>& names);
  /// Now rather than at the next time; not more often than once a second.
  void look_soon();
  /// Each name was looked up once.
  bool tried() const;

 private:
  using Resolver = net::asio::ip::basic_resolver<net::asio::ip::tcp, net::asio::io_context::executor_type>;
  struct Name;

  void look();
  void look_up(const std::shared_ptr<Name>& name);
  void tell();

  net::Loop& loop_;
  Found found_;
  net::Deadline deadline_;
  base::TimePoint looked_{};
  std::vector<std::shared_ptr<Name>> names_;
};

}  // namespace adit::gateway
