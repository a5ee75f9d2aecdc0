// What a configuration of many tunnels costs both ends of the control channel: memory per tunnel, time to bring a
// gateway up to date, time of one change. Prints a line for each. bench_control [TUNNELS]

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <malloc.h>

#include "control/gateway_feed.h"
#include "control/replica.h"
#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

std::size_t heap() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Prints what happened since the last call.
class Meter {
 public:
  explicit Meter(std::size_t tunnels) : tunnels_(tunnels) {}

  void lap(const char* what) {
    const auto now = std::chrono::steady_clock::now();
    const auto held = heap();
    const auto bytes = static_cast<double>(held) - static_cast<double>(heap_);
    std::printf("%-52s %9.2f ms %9.0f bytes per tunnel\n", what,
                std::chrono::duration<double, std::milli>(now - since_).count(), bytes / static_cast<double>(tunnels_));
    heap_ = heap();
    since_ = std::chrono::steady_clock::now();
  }

 private:
  std::size_t tunnels_;
  std::size_t heap_ = heap();
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

std::vector<TunnelConfigurationPtr> make_set(std::size_t tunnels) {
  std::vector<TunnelConfigurationPtr> set;
  for (std::size_t i = 0; i < tunnels; ++i) {
    const auto name = "tunnel-" + std::to_string(i);
    const auto host = name + ".edge.example.com";
    set.push_back(tunnel(name, {host, host + "/api"}, "default", {{host, certificate("DNS:" + host)}}));
  }
  return set;
}

std::vector<std::string> pull(GatewayFeed& feed) {
  std::vector<std::string> all;
  while (auto text = feed.next_message()) all.push_back(std::move(*text));
  return all;
}

void take(Replica& replica, const std::vector<std::string>& messages) {
  for (const auto& text : messages) {
    if (!replica.take(text)) std::abort();
  }
}

void run(std::size_t tunnels) {
  Meter meter(tunnels);
  auto set = make_set(tunnels);
  meter.lap("configurations: two rules, a P-256 certificate");
  ConfigurationLog log(1);
  log.update(set, {});
  meter.lap("operator: log");
  GatewayFeed feed(log);
  if (!feed.take(write(GatewayMessage(HelloMessage{"g", "0.1.0", {}})))) std::abort();
  auto messages = pull(feed);
  std::size_t bytes = 0;
  for (const auto& text : messages) bytes += text.size();
  meter.lap("operator: full state written, texts included");
  std::printf("  %zu messages, %.1f MB\n", messages.size(), static_cast<double>(bytes) / 1e6);
  Replica replica;
  take(replica, messages);
  meter.lap("gateway: full state read and checked");
  const auto news = replica.apply();
  auto table = routing::build_table(replica.set());
  meter.lap("gateway: table built");
  if (!feed.take(news.answers.at(0)) || !feed.is_current()) std::abort();
  messages.clear();
  messages.shrink_to_fit();
  meter.lap("(texts freed)");
  const auto copy = replica.write_copy();
  meter.lap("gateway: copy written, its text included");
  Replica restarted;
  if (!restarted.read_copy(copy)) std::abort();
  meter.lap("gateway: copy read");
  set[tunnels / 2] = tunnel("tunnel-" + std::to_string(tunnels / 2), {"changed.edge.example.com"});
  log.update(set, {});
  meter.lap("operator: one change: found and numbered");
  const auto change = pull(feed);
  meter.lap("operator: one change: written");
  take(replica, change);
  replica.apply();
  meter.lap("gateway: one change: read and checked");
  table = routing::build_table(replica.set());
  meter.lap("gateway: one change: table built");
  std::printf("  %zu message\n", change.size());
  replica.begin_session();
  GatewayFeed again(log);
  if (!again.take(write(GatewayMessage(HelloMessage{"g", "0.1.0", replica.version()})))) std::abort();
  meter.lap("(new session)");
  while (const auto text = again.next_message()) {
    if (!replica.take(*text)) std::abort();
  }
  meter.lap("both: full state again, nothing changed");
  if (replica.apply().set_changed) std::abort();
}

}  // namespace
}  // namespace adit::control::test

int main(int argc, char** argv) {
  const auto tunnels = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5000;
  if (tunnels == 0) return 2;
  adit::control::test::run(tunnels);
}
