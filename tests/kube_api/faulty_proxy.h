#pragma once
// Stands between a client and the real API server and does to connections what networks and proxies do.

#include <atomic>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kube/cluster_config.h"

namespace adit::kube::test {

/// What one connection suffers after some bytes of the answers.
enum class Fault {
  none,
  cut,
  stall,           ///< nothing more comes, and nothing ends
  corrupt,         ///< one byte becomes what JSON cannot hold
  small_pieces,    ///< all arrives, in pieces of a few bytes
  gone,            ///< a watch is answered with 410
  gone_in_stream,  ///< a watch is accepted, and ends with an event that says 410
  closed_at_once,  ///< a watch is accepted, and ends in order before any event
};

/// Listens on a port of its own until it is destroyed. With TLS passed through, what it corrupts breaks the record;
/// with TLS ended (the client speaks plain HTTP, and is whoever `config` is), it reaches the parsers, and it can answer
/// itself.
class FaultyProxy {
 public:
  enum class Tls { passed_through, ended };
  FaultyProxy(const ClusterConfig& config, Tls tls);
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  /// How a client gets to the server through it.
  ClusterConfig config() const;
  /// New connections suffer; the same seed draws the same faults in the same order.
  void begin(unsigned seed);
  /// Ends all connections, in the middle of whatever they carry.
  void cut_all();
  /// Nothing new happens. What has stalled stays so: the client has to notice.
  void heal() { faults_ = false; }
  /// How many of each fault have happened.
  int happened(Fault fault) const { return happened_[static_cast<std::size_t>(fault)]; }

 private:
  class Connection;
  struct Fate {
    Fault fault = Fault::none;
    std::size_t after = 0;  ///< bytes towards the client
  };
  Fate draw();
  void accept();

  ClusterConfig real_;
  Tls tls_;
  int listener_;
  unsigned port_ = 0;
  std::atomic<bool> faults_ = false;
  std::atomic<int> happened_[8]{};
  std::mutex mutex_;
  std::mt19937 random_;
  std::set<int> sockets_;
  std::vector<std::jthread> serving_;
  std::jthread accepting_;
};

}  // namespace adit::kube::test
