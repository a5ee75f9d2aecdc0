// The program as a whole, where it cannot start.

#include "gateway/server.h"

#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "net/listener.h"

namespace adit::gateway::test {
namespace {

/// Manifests of an empty folder, every listener on a free port of 127.0.0.1.
Options options() {
  Options options;
  options.manifests = std::filesystem::path(testing::TempDir()) / ("server_" + std::to_string(getpid()));
  std::filesystem::create_directories(options.manifests);
  options.http = options.https = options.link = options.admin = base::ListenAddress{"127.0.0.1", 0, false};
  options.insecure = true;
  options.workers = 2;
  options.access_log = "off";
  return options;
}

/// The signals are blocked in that thread only.
int served(const Options& options) {
  int code = -1;
  std::thread([&] { code = serve(options); }).join();
  std::filesystem::remove_all(options.manifests);
  return code;
}

TEST(Server, PortThatIsTakenEndsTheStart) {
  net::Loop loop;
  const auto taken = net::Listener::open(loop, {net::asio::ip::address_v4::loopback(), 0}, false);
  ASSERT_TRUE(taken) << taken.error();
  for (const auto listener : {&Options::http, &Options::https, &Options::link, &Options::admin}) {
    auto wrong = options();
    (wrong.*listener).port = (*taken)->endpoint().port();
    EXPECT_EQ(served(wrong), 1);
  }
}

TEST(Server, FolderThatIsNotThereEndsTheStart) {
  auto wrong = options();
  std::filesystem::remove_all(wrong.manifests);
  EXPECT_EQ(served(wrong), 1);
}

TEST(Server, StateFolderThatCannotBeUsedEndsTheStart) {
  auto wrong = options();
  wrong.operator_url = "wss://localhost:1";
  wrong.state_dir = "/dev/null";
  EXPECT_EQ(served(wrong), 1);
}

}  // namespace
}  // namespace adit::gateway::test
