// What a look-up in a large table costs when each request is for another host. Prints a line for each kind of request;
// instructions are counted by running it under "valgrind --tool=callgrind". bench_table [HOSTS [ROUNDS]]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

std::shared_ptr<const Table> large_table(std::size_t hosts) {
  Objects objects;
  for (std::size_t i = 0; i < hosts; ++i) {
    const auto number = std::to_string(i);
    objects.tunnels.push_back(tunnel("team/t" + number, {"shop-" + number + ".example.com"}));
  }
  objects.tunnels.push_back(tunnel("team/wild", {"*.wild.example.org", "paths.example.org", "paths.example.org/api"}));
  return compile_table(objects, {}).table;
}

void measure(const Table& table, const char* what, const std::vector<std::string>& hosts, std::string_view path,
             std::size_t rounds) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t found = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    // The tunnel is read, as a request does with what it finds.
    for (const auto& host : hosts) {
      const Route* route = table.find(host, path);
      found += route != nullptr && route->tunnel != nullptr ? 1 : 0;
    }
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  const auto times = static_cast<double>(rounds * hosts.size());
  std::printf("%-40s %8.1f ns, %3.0f %% found\n", what, took.count() / times,
              100.0 * static_cast<double>(found) / times);
}

}  // namespace
}  // namespace adit::routing

int main(int count, char** words) {
  using namespace adit::routing;
  const std::size_t size = count > 1 ? std::strtoul(words[1], nullptr, 10) : 10'000;
  const std::size_t rounds = count > 2 ? std::strtoul(words[2], nullptr, 10) : 100;
  const auto table = large_table(size);
  std::vector<std::string> exact, wild, unknown;
  for (std::size_t i = 0; i < size; ++i) {
    exact.push_back("shop-" + std::to_string(i) + ".Example.com");
    wild.push_back("h" + std::to_string(i) + ".wild.example.org");
    unknown.push_back("none-" + std::to_string(i) + ".example.com");
  }
  std::shuffle(exact.begin(), exact.end(), std::mt19937(1));
  measure(*table, "hosts in turn", exact, "/index.html", rounds);
  measure(*table, "one host", std::vector<std::string>(size, exact.front()), "/index.html", rounds);
  measure(*table, "hosts of one wildcard", wild, "/", rounds);
  measure(*table, "unknown hosts", unknown, "/", rounds);
}
