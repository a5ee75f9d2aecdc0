// A stream of one tunnel never reaches another tunnel's connector, whatever comes and goes. Real threads: made for
// ThreadSanitizer.

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#include "gateway/worker.h"
#include "net/link_driver.h"
#include "tests/net/loop_until.h"
#include "tests/net/stream_end.h"
#include "tests/routing/objects.h"

namespace adit::gateway::test {
namespace {

constexpr std::size_t kTunnels = 5;
constexpr std::size_t kWorkers = 3;
constexpr std::size_t kVisitors = 6;
constexpr std::size_t kRequests = 150;  // of each visitor
constexpr std::size_t kMostConnectors = 3 * kTunnels;

std::string name_of(std::size_t tunnel) { return "t" + std::to_string(tunnel); }
std::string host_of(std::size_t tunnel) { return name_of(tunnel) + ".example.com"; }

std::shared_ptr<const routing::Table> table_of_all() {
  routing::Objects objects;
  for (std::size_t i = 0; i < kTunnels; ++i) {
    auto tunnel = routing::tunnel("team/" + name_of(i), {});
    tunnel.id = name_of(i);
    tunnel.routes = {routing::rule(host_of(i), "web")};  // the same name of a service in all of them
    tunnel.token_secrets = {"token-" + name_of(i)};
    objects.tunnels.push_back(tunnel);
    objects.secrets.push_back(routing::secret("team/token-" + name_of(i), "adit.dev/connector-token",
                                              {{"token", std::string(40, static_cast<char>('a' + i))}}));
  }
  return routing::compile_table(objects, {}).table;
}

/// A service that answers each request with the name of its tunnel.
class Service final : public link::StreamHandler {
 public:
  Service(link::Stream& stream, const std::string& name)
      : stream_(&stream),
        answer_("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" + name) {}

  void on_answer(int, std::string_view) override {}
  void on_data(std::span<const char> bytes) override {
    in_.append(bytes.data(), bytes.size());
    stream_->consume(bytes.size());
    for (auto end = in_.find("\r\n\r\n"); end != std::string::npos; end = in_.find("\r\n\r\n")) {
      in_.erase(0, end + 4);
      out_ += answer_;
    }
    stream_->resume();
  }
  void on_end() override { stream_->finish(); }
  void on_closed(link::Closed) override { stream_ = nullptr; }
  std::span<const char> to_send() override { return out_; }
  void on_sent(std::size_t size) override { out_.erase(0, size); }

 private:
  link::Stream* stream_;
  std::string answer_;
  std::string in_;
  std::string out_;
};

/// A connector of one tunnel, on the connectors' loop.
class Connector final : public net::LinkOwner {
 public:
  Connector(net::Loop& loop, net::Socket socket, std::string name)
      : name_(std::move(name)),
        driver_(loop, net::test::make_stream(loop, std::move(socket)), nullptr, link::Role::connector, {}, *this) {
    driver_.session().send_control(link::Offers{{{"web", "tcp"}}});
    driver_.start();
  }

  link::StreamHandler* on_open(link::Stream& stream, const link::Opening&) override {
    stream.answer(200, "");
    return services_.emplace_back(std::make_unique<Service>(stream, name_)).get();
  }
  void on_link_ready() override {}
  void on_link_control(const link::ControlMessage&) override {}
  void on_link_suspect(bool) override {}
  void on_link_closed(std::string_view) override {}
  void leave() { driver_.session().send_control(link::Leaving{"test"}); }

 private:
  std::string name_;
  std::vector<std::unique_ptr<Service>> services_;
  net::LinkDriver driver_;
};

/// All connectors, on a thread of their own.
class Connectors {
 public:
  explicit Connectors(Shared& shared) : shared_(shared), thread_([this] { loop_.run(); }) {}
  ~Connectors() {
    on_loop([this] { connectors_.clear(); });
    loop_.stop();
  }

  void add(std::size_t tunnel) {
    on_loop([this, tunnel] {
      int ends[2] = {-1, -1};
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
      const net::asio::generic::stream_protocol unix_stream(AF_UNIX, 0);
      connectors_.push_back(
          std::make_unique<Connector>(loop_, net::Socket(loop_.context(), unix_stream, ends[1]), name_of(tunnel)));
      auto info = std::make_shared<LinkInfo>();
      info->id = shared_.directory.next_id();
      info->tunnel_id = info->tunnel_name = name_of(tunnel);
      info->connector = "of " + name_of(tunnel);
      info->instance = std::to_string(info->id);
      info->token = (*shared_.table.get()->tunnel(info->tunnel_id))->tokens.at(0);
      info->worker = shared_.directory.pick_worker(info->tunnel_id, shared_.workers.size());
      shared_.directory.add(info);
      const net::StreamPtr near = net::test::make_stream(loop_, net::Socket(loop_.context(), unix_stream, ends[0]));
      net::test::End nobody;
      near->start(nobody);
      shared_.workers[info->worker]->adopt(near->release(), info);
    });
  }
  /// One goes, with notice or without.
  void remove(std::size_t which, bool kindly) {
    on_loop([this, which, kindly] {
      if (connectors_.empty()) return;
      const auto chosen = connectors_.begin() + static_cast<std::ptrdiff_t>(which % connectors_.size());
      if (kindly) return (*chosen)->leave();
      connectors_.erase(chosen);
    });
  }
  std::size_t size() {
    std::size_t size = 0;
    on_loop([&] { size = connectors_.size(); });
    return size;
  }

 private:
  template <class Work>
  void on_loop(Work work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  Shared& shared_;
  net::Loop loop_;
  std::vector<std::unique_ptr<Connector>> connectors_;
  std::jthread thread_;
};

/// A visitor that asks one tunnel after the other, on connections that it keeps for a while.
struct Visits {
  std::atomic<std::size_t> served{0};
  std::atomic<std::size_t> unserved{0};
  std::atomic<std::size_t> wrong{0};

  void run(const net::asio::ip::tcp::endpoint& where, unsigned seed) {
    std::minstd_rand random(seed);
    std::unique_ptr<net::asio::ip::tcp::iostream> connection;
    for (std::size_t i = 0; i < kRequests; ++i) {
      const std::size_t tunnel = random() % kTunnels;
      if (!connection || !*connection || random() % 16 == 0) {
        connection = std::make_unique<net::asio::ip::tcp::iostream>(where);
      }
      *connection << "GET /" << i << " HTTP/1.1\r\nHost: " << host_of(tunnel) << "\r\n\r\n" << std::flush;
      note(*connection, name_of(tunnel));
    }
  }

  void note(std::istream& connection, const std::string& expected) {
    std::string line;
    std::size_t length = 0;
    std::getline(connection, line);
    const bool ok = line.starts_with("HTTP/1.1 200");
    while (std::getline(connection, line) && line != "\r") {
      if (line.starts_with("Content-Length: ")) length = std::stoul(line.substr(16));
    }
    std::string body(length, '\0');
    connection.read(body.data(), static_cast<std::streamsize>(length));
    if (!ok || !connection) {
      ++unserved;
    } else if (body == expected) {
      ++served;
    } else {
      ++wrong;
    }
  }
};

TEST(Isolation, S3_P2_S3_P7_EachTunnelIsServedByItsOwnConnectors) {
  GatewayMetrics metrics;
  for (std::size_t i = 0; i < kWorkers; ++i) metrics.workers.push_back(std::make_unique<WorkerMetrics>());
  Shared shared(table_of_all(), metrics);
  shared.gateway_id = "gateway";
  shared.answer_timeout = std::chrono::minutes(1);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, i));
    shared.workers.push_back(workers.back().get());
  }
  net::asio::ip::tcp::endpoint where(net::asio::ip::address_v4::loopback(), 0);
  for (auto& worker : workers) where = *worker->listen(where, false);
  for (auto& worker : workers) worker->run();

  Visits visits;
  {
    Connectors connectors(shared);
    for (std::size_t i = 0; i < kTunnels; ++i) connectors.add(i);
    std::vector<std::jthread> visitors;
    std::atomic<std::size_t> asking{kVisitors};
    for (unsigned i = 0; i < kVisitors; ++i) {
      visitors.emplace_back([&, i] {
        visits.run(where, i + 1);
        --asking;
      });
    }
    std::minstd_rand random(7);
    while (asking != 0) {
      if (connectors.size() < kMostConnectors) connectors.add(random() % kTunnels);
      if (connectors.size() > kTunnels) connectors.remove(random(), random() % 2 == 0);
      if (random() % 4 == 0) connectors.remove(random(), false);
      if (random() % 8 == 0) shared.directory.all();  // as the admin thread does
    }
  }
  for (auto& worker : workers) worker->stop();
  EXPECT_EQ(visits.wrong, 0U);
  EXPECT_GT(visits.served, kVisitors * kRequests / 4) << visits.unserved << " were not served";
}

}  // namespace
}  // namespace adit::gateway::test
