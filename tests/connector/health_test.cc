// Probes of services: their settings, their rules, and what gateways hear of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/settings.h"
#include "connector/connector_link.h"
#include "connector/health_watch.h"
#include "tests/connector/gateway_end.h"

namespace adit::connector::test {
namespace {

using namespace std::chrono_literals;
using net::test::until;
using testing::HasSubstr;

struct Written {
  const char* text;
  const char* read;  ///< service, path, interval, timeout, down, up
};
const Written kWritten[] = {
    {"tcp", "default  5s 2s 3 1"},
    {"http:/healthz", "default /healthz 5s 2s 3 1"},
    {"api=tcp", "api  5s 2s 3 1"},
    {"web:80=http:/", "web:80 / 5s 2s 3 1"},
    {"api=http:/a=b?interval=1s", "api /a=b 1s 2s 3 1"},
    {"http:/a=b?timeout=100ms&down=1&up=2&interval=10m", "default /a=b 10m 100ms 1 2"},
    {"tcp?down=5", "default  5s 2s 5 1"},
    {"tcp?", "default  5s 2s 3 1"},
};

TEST(Probes, AreRead) {
  for (const auto& test : kWritten) {
    const auto probe = parse_probe(test.text);
    ASSERT_TRUE(probe) << probe.error();
    const auto read = probe->service + " " + probe->path + " " + base::to_string(probe->interval) + " " +
                      base::to_string(probe->timeout) + " " + std::to_string(probe->down_after) + " " +
                      std::to_string(probe->up_after);
    EXPECT_EQ(read, test.read) << test.text;
  }
}

TEST(Probes, ThatAreWrongAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "neither tcp nor http:/PATH"},
      {"api=", "neither tcp nor http:/PATH"},
      {"udp", "\"udp\" is neither"},
      {"http:healthz", "a path begins with \"/\""},
      {"http://host/healthz?x", "unknown parameter \"x\""},
      {"http:/a b", "holds a space"},
      {"http:/a#b", "holds a space, \"#\""},
      {"http:/a\r\nX: y", "holds a space"},
      {"tcp?interval=0s", "interval: not from 100ms to 1h"},
      {"tcp?interval=5", "interval: "},
      {"tcp?timeout=11s", "timeout: not from 10ms to 10s"},
      {"tcp?down=0", "down: not a number from 1 to 100"},
      {"tcp?up=101", "up: not a number"},
      {"tcp?up=1x", "up: not a number"},
      {"tcp?up", "up: not a number"},
      {"tcp?often=1", "unknown parameter \"often\""},
  };
  for (const auto& [text, why] : cases) {
    const auto probe = parse_probe(text);
    ASSERT_FALSE(probe) << text;
    EXPECT_THAT(probe.error(), HasSubstr(why)) << text;
    EXPECT_THAT(probe.error(), HasSubstr("probe \"" + std::string(text) + "\"")) << text;
  }
}

struct Course {
  unsigned down_after;
  unsigned up_after;
  const char* results;  ///< of the probes: '+' or '-'
  const char* states;   ///< after each
};
const Course kCourses[] = {
    {3, 1, "++-", "++++"},  {3, 1, "---+", "++-+"},       {3, 1, "--+--+---", "++++++++-"},
    {1, 1, "-+-+", "-+-+"}, {3, 1, "-----+-", "++---++"}, {2, 3, "--++-+++", "+------+"},
};

TEST(ServiceHealth, FollowsThresholds) {
  for (const auto& course : kCourses) {
    base::Random random(1);
    ProbeSettings settings;
    settings.down_after = course.down_after;
    settings.up_after = course.up_after;
    ServiceHealth health(settings, random, base::TimePoint(1h));
    EXPECT_TRUE(health.healthy());
    for (std::size_t i = 0; course.results[i] != '\0'; ++i) {
      const bool before = health.healthy();
      const bool changed = health.on_result(course.results[i] == '+' ? "" : "no", base::TimePoint(1h));
      EXPECT_EQ(health.healthy(), course.states[i] == '+') << course.results << " " << i;
      EXPECT_EQ(changed, before != health.healthy()) << course.results << " " << i;
    }
  }
}

TEST(ServiceHealth, AnotherReasonIsNews) {
  base::Random random(1);
  ProbeSettings settings;
  settings.down_after = 1;
  ServiceHealth health(settings, random, base::TimePoint(1h));
  EXPECT_TRUE(health.on_result("refused", base::TimePoint(1h)));
  EXPECT_FALSE(health.on_result("refused", base::TimePoint(1h)));
  EXPECT_TRUE(health.on_result("answered 500", base::TimePoint(1h)));
  EXPECT_EQ(health.reason(), "answered 500");
}

TEST(ServiceHealth, ProbesAreSpread) {
  base::Random random(1);
  const ProbeSettings settings;
  const base::TimePoint now(1h);
  base::TimePoint earliest = base::kNever;
  base::TimePoint latest{};
  for (int i = 0; i < 200; ++i) {
    ServiceHealth health(settings, random, now);
    EXPECT_GE(health.next(), now);
    EXPECT_LE(health.next(), now + 5s);
    health.on_result("", now);
    EXPECT_GE(health.next(), now + 4500ms);
    EXPECT_LE(health.next(), now + 5500ms);
    earliest = std::min(earliest, health.next());
    latest = std::max(latest, health.next());
  }
  EXPECT_GT(latest - earliest, 500ms);
}

TEST(HealthProbe, ReadsTheStatusLine) {
  const std::pair<std::string_view, int> cases[] = {
      {"", 0},
      {"HTTP/1.1 20", 0},
      {"HTTP/1.1 200", 0},
      {"HTTP/1.1 200 OK\r\n", 200},
      {"HTTP/1.0 503\r\n", 503},
      {"HTTP/1.1 404\n", 404},
      {"HTTP/2", -1},
      {"HTTP/1.1 2000", -1},
      {"HTTP/1.x 200 OK", -1},
      {"HTTP/1.1  200 OK", -1},
      {"HTTP/1.1 020 OK", -1},
      {"SSH-2.0-x", -1},
      {"h", -1},
  };
  for (const auto& [bytes, status] : cases) EXPECT_EQ(status_of_answer(bytes), status) << bytes;
}

/// A connector's watch and one link of it, the gateway's end being the test's.
class Watch : public testing::Test, protected ConnectorLinkOwner {
 protected:
  void watch(const std::string& probe, std::uint16_t port) {
    ASSERT_TRUE(services_.add(*parse_service("web=http://127.0.0.1:" + std::to_string(port))));
    ASSERT_TRUE(services_.load_trust());
    probes_.push_back(
        *parse_probe("web=" + probe + (probe.find('?') == std::string::npos ? "?" : "&") + "interval=100ms&down=2"));
    watch_ = std::make_unique<HealthWatch>(loop_, services_, probes_, report_, [this](const link::Health& down) {
      ++changes_;
      feed_.set(down);
    });
  }
  bool wait(bool healthy) {
    return until(loop_, [&] { return report_.get().at(0).healthy == healthy; });
  }
  void on_gateways(ConnectorLink&, const std::vector<std::string>&) override {}
  void on_gateway_leaving(ConnectorLink&, std::string_view) override {}
  void on_link_over(ConnectorLink&, std::string_view) override {}

  net::Loop loop_;
  ServiceMap services_;
  std::vector<ProbeSettings> probes_;
  HealthReport report_;
  HealthFeed feed_;
  int changes_ = 0;
  std::unique_ptr<HealthWatch> watch_;
};

TEST_F(Watch, ConnectionIsEnoughForTcp) {
  LoopbackService service(loop_);
  watch("tcp", service.port());
  ASSERT_TRUE(until(loop_, [&] { return service.ends.size() >= 3; }));
  EXPECT_TRUE(report_.get().at(0).healthy);
  EXPECT_EQ(changes_, 0);
  service.close();
  ASSERT_TRUE(wait(false));
  EXPECT_THAT(report_.get().at(0).reason, HasSubstr("refused"));
  EXPECT_EQ(report_.get().at(0).failures, 2U);
  EXPECT_EQ(changes_, 1);
}

TEST_F(Watch, HttpWantsAnAnswer) {
  LoopbackService service(loop_);
  std::string answer = "HTTP/1.1 302 Found\r\n\r\n";
  watch("http:/healthz", service.port());
  std::size_t answered = 0;
  const auto serve = [&] {
    if (answered == service.ends.size()) return;
    auto& end = *service.ends[answered];
    if (end.in.find("\r\n\r\n") == std::string::npos) return;
    EXPECT_TRUE(end.in.starts_with("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:")) << end.in;
    end.send(answer);
    ++answered;
  };
  const auto serve_until = [&](bool healthy) {
    return until(loop_, [&] {
      serve();
      return report_.get().at(0).healthy == healthy;
    });
  };
  ASSERT_TRUE(until(loop_, [&] {
    serve();
    return answered == 3;
  }));
  EXPECT_EQ(report_.get().at(0).failures, 0U);
  answer = "HTTP/1.1 503 Service Unavailable\r\n\r\n";
  ASSERT_TRUE(serve_until(false));
  EXPECT_EQ(report_.get().at(0).reason, "answered 503");
  answer = "HTTP/1.1 204 No Content\r\n\r\n";
  ASSERT_TRUE(serve_until(true));
  EXPECT_EQ(report_.get().at(0).reason, "");
}

TEST_F(Watch, ServiceThatSaysNothingIsDown) {
  LoopbackService service(loop_);
  watch("http:/healthz?timeout=10ms", service.port());
  ASSERT_TRUE(wait(false));
  EXPECT_EQ(report_.get().at(0).reason, "not within 10ms");
}

TEST_F(Watch, GatewaysHearOfIt) {
  LoopbackService service(loop_);
  watch("tcp", service.port());
  WorkerMetrics metrics(1);
  ServicePipes pipes(loop_, services_, metrics);
  ConnectorLinkOwner& owner = *this;
  const auto connect = [&](std::unique_ptr<GatewayEnd>& gateway) {
    auto [near, far] = net::test::socket_pair(loop_);
    gateway = std::make_unique<GatewayEnd>(loop_, net::test::make_stream(loop_, std::move(near)));
    auto link = std::make_unique<ConnectorLink>(loop_, net::test::make_stream(loop_, std::move(far)), nullptr,
                                                link::SessionOptions{}, services_, pipes, owner, &feed_);
    gateway->driver.start();
    link->start();
    return link;
  };
  std::unique_ptr<GatewayEnd> first;
  std::unique_ptr<GatewayEnd> second;
  const auto one = connect(first);
  ASSERT_TRUE(until(loop_, [&] { return first->ready && first->offers; }));
  EXPECT_FALSE(first->health) << "nothing is down";
  service.close();
  ASSERT_TRUE(until(loop_, [&] { return first->health.has_value(); }));
  ASSERT_EQ(first->health->services.size(), 1U);
  EXPECT_EQ(first->health->services[0].name, "web");
  EXPECT_FALSE(first->health->services[0].healthy);
  auto two = connect(second);
  ASSERT_TRUE(until(loop_, [&] { return second->health.has_value(); })) << "a new link hears what is";
  EXPECT_TRUE(second->offers) << "behind the offers";
  two.reset();  // hears no more
  feed_.set({});
  ASSERT_TRUE(until(loop_, [&] { return first->health->services.empty(); }));
}

}  // namespace
}  // namespace adit::connector::test
