// Servers that are overloaded, broken or hostile.

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/rest_api.h"
#include "tests/kube_api/fake_server.h"

namespace adit::kube::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
const Selection kAll{kConfigMaps, "space"};

/// A client with a short patience and a small appetite.
std::unique_ptr<RestApi> client(const FakeServer& server) {
  ClusterConfig config;
  config.server = server.url();
  RestOptions options;
  options.limits = {.timeout = std::chrono::milliseconds(300), .most_bytes = 100'000};
  auto api = RestApi::create(config, options);
  return api ? *std::move(api) : nullptr;
}

ApiError get_error(const FakeServer& server) {
  const auto result = client(server)->get(kConfigMaps, {"space", "name"});
  return result ? ApiError{} : result.error();
}

bool go_on() { return true; }

struct Case {
  const char* name;
  std::string bytes;  ///< what the server says; then it closes
  ApiFailure failure;
  int code;
  std::string text;  ///< what the error must say
};

void PrintTo(const Case& bad, std::ostream* out) { *out << bad.name; }

class BadAnswer : public testing::TestWithParam<Case> {};

TEST_P(BadAnswer, BecomesATypedError) {
  const auto& bad = GetParam();
  const FakeServer server([&](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(bad.bytes);
  });
  const auto error = get_error(server);
  EXPECT_EQ(error.failure, bad.failure) << error.text();
  EXPECT_EQ(error.code, bad.code) << error.text();
  EXPECT_THAT(error.text(), HasSubstr(bad.text));
  EXPECT_THAT(error.text(), HasSubstr("get configmaps space/name: "));
}

INSTANTIATE_TEST_SUITE_P(
    Answers, BadAnswer,
    testing::Values(
        Case{"NoJson", answer("200 OK", "", "<html>"), ApiFailure::malformed, 0, "no JSON"},
        Case{"NoObject", answer("200 OK", "", "[]"), ApiFailure::malformed, 0, "no object"},
        Case{"Nothing", answer("200 OK", "", ""), ApiFailure::malformed, 0, "no JSON"},
        Case{"HtmlError", answer("503 No", "", "<h1>starting</h1>"), ApiFailure::refused, 503, "starting"},
        Case{"BareError", answer("500 No", "", ""), ApiFailure::refused, 500, "500"},
        Case{"Redirect", answer("307 No", "Location: http://127.0.0.1:1/\r\n", ""), ApiFailure::refused, 307, "307"},
        Case{"CutInTheBody", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", ApiFailure::unreachable, 0, "body"},
        Case{"CutInTheHead", "HTTP/1.1 200", ApiFailure::unreachable, 0, "status line"},
        Case{"ClosedAtOnce", "", ApiFailure::unreachable, 0, "status line"},
        Case{"NoHttp", "SSH-2.0-OpenSSH\r\n\r\n", ApiFailure::unreachable, 0, "status line"},
        Case{"BadChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", ApiFailure::unreachable,
             0, "chunk"},
        Case{"LargeByLength", answer("200 OK", "", std::string(1'000'000, ' ')), ApiFailure::malformed, 0,
             "larger than 100000 bytes"},
        Case{"LargeError", answer("500 No", "", std::string(1'000'000, 'x')), ApiFailure::malformed, 0, "larger than"}),
    [](const auto& info) { return info.param.name; });

TEST(RestApiFaults, AnErrorNamesTheServersWish) {
  struct Wish {
    std::string headers, body;
    std::optional<std::chrono::seconds> expected;
  };
  const Wish wishes[] = {
      {"Retry-After: 7\r\n", "", std::chrono::seconds(7)},
      {"", R"({"kind":"Status","reason":"TooManyRequests","details":{"retryAfterSeconds":3}})",
       std::chrono::seconds(3)},
      {"Retry-After: 99999999999\r\n", "", std::chrono::seconds(3600)},
      {"Retry-After: soon\r\n", "", std::nullopt},
      {"", R"({"kind":"Status","details":{"retryAfterSeconds":-1}})", std::nullopt},
  };
  for (const auto& wish : wishes) {
    const FakeServer server([&](FakeServer::Connection& connection) {
      connection.read_request();
      connection.write(answer("429 Too Many", wish.headers, wish.body));
    });
    const auto error = get_error(server);
    EXPECT_EQ(error.code, 429);
    EXPECT_EQ(error.retry_after, wish.expected) << wish.headers << wish.body;
  }
}

TEST(RestApiFaults, SilenceTimesOut) {
  const FakeServer server([](FakeServer::Connection& connection) { connection.wait_for_end(); });
  const auto error = get_error(server);
  EXPECT_EQ(error.failure, ApiFailure::timed_out) << error.text();
  EXPECT_THAT(error.text(), HasSubstr(server.url()));
}

TEST(RestApiFaults, DripsDoNotProlongACall) {
  std::atomic<bool> over = false;
  const FakeServer server([&](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!over) {
      connection.write("1\r\n \r\n");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the fault itself: bytes that come slowly
    }
  });
  EXPECT_EQ(get_error(server).failure, ApiFailure::timed_out);
  over = true;
}

TEST(RestApiFaults, CallsUseConnectionsAgain) {
  std::atomic<int> connections = 0;
  const FakeServer server([&](FakeServer::Connection& connection) {
    ++connections;
    while (!connection.read_request().empty()) connection.write(answer("200 OK", "", "{}"));
  });
  const auto api = client(server);
  constexpr int kCalls = 50;
  for (int i = 0; i < kCalls; ++i) EXPECT_TRUE(api->get(kConfigMaps, {"space", "name"}));
  // Not always 1: the SDK takes a connection back a moment after its answer is complete.
  EXPECT_LT(connections, kCalls / 2);
}

TEST(RestApiFaults, AnIdleConnectionThatWasClosedIsReplaced) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(answer("200 OK", "", "{}"));  // and closes, without having said so
  });
  const auto api = client(server);
  for (int i = 0; i < 3; ++i) {
    const auto result = api->get(kConfigMaps, {"space", "name"});
    EXPECT_TRUE(result) << result.error().text();
  }
}

TEST(RestApiFaults, WhatIsSentIsWhatWasMeant) {
  std::string request;  // written before the answer is
  const FakeServer server([&](FakeServer::Connection& connection) {
    request = connection.read_request();
    connection.write(answer("200 OK", "", R"({"metadata":{"resourceVersion":"1"}})"));
  });
  const auto api = client(server);
  ASSERT_TRUE(api->list({kConfigMaps, "space", "a=b,c!=d", "in (x)", true}, {.limit = 5, .more = "=&+/"}));
  EXPECT_THAT(request, HasSubstr("GET /api/v1/namespaces/space/configmaps?fieldSelector=a%3Db%2Cc%21%3Dd"
                                 "&labelSelector=in%20%28x%29&limit=5&continue=%3D%26%2B%2F HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Accept:application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Authorization")));

  const Resource tunnels{"adit.dev", "v1alpha1", "tunnels", "Tunnel"};
  const Json object{{"metadata", {{"namespace", "space"}, {"name", "one"}}}};
  const auto applied = api->apply_status(tunnels, object);
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_THAT(request,
              AllOf(HasSubstr("PATCH /apis/adit.dev/v1alpha1/namespaces/space/tunnels/one/status"
                              "?fieldManager=adit-operator&force=true HTTP/1.1\r\n"),
                    HasSubstr("Content-Type:application/apply-patch+yaml\r\n"), HasSubstr("\r\n\r\n" + object.dump())));
}

/// A stream's head.
constexpr const char* kStream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(RestApiFaults, AWatchThatIsCutHandsOnWhatHadCome) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(kStream + std::string("4\r\none\n\r\n"));
  });
  std::string seen;
  const auto on_bytes = [&](std::string_view bytes) {
    seen += bytes;
    return true;
  };
  const auto result = client(server)->watch(kAll, {}, on_bytes, go_on, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, ApiFailure::unreachable) << result.error().text();
  EXPECT_EQ(seen, "one\n");
}

TEST(RestApiFaults, AWatchFromTooLongAgoIsGone) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(answer("410 Gone", "", R"({"kind":"Status","reason":"Expired","message":"too old"})"));
  });
  const auto result = client(server)->watch(kAll, {"1"}, [](std::string_view) { return true; }, go_on, {});
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().gone());
  EXPECT_EQ(result.error().text(), "watch configmaps: 410 Expired: too old");
}

TEST(RestApiFaults, AWatchThatIsEndedInOrderIsASuccess) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(kStream + std::string("4\r\none\n\r\n0\r\n\r\n"));
  });
  EXPECT_TRUE(client(server)->watch(kAll, {}, [](std::string_view) { return true; }, go_on, {}));
}

TEST(RestApiFaults, IdleIsAskedWhileAWatchIsSilent) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(kStream);
    connection.wait_for_end();
  });
  int asked = 0;
  const auto idle = [&] { return ++asked < 2; };
  EXPECT_TRUE(client(server)->watch(kAll, {}, [](std::string_view) { return true; }, idle, {}));
  EXPECT_EQ(asked, 2);
}

TEST(RestApiFaults, AStopEndsASilentWatch) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(kStream);
    connection.wait_for_end();
  });
  std::stop_source stop;
  const auto idle = [&] { return stop.request_stop(); };
  const auto result = client(server)->watch(
      kAll, {}, [](std::string_view) { return true; }, idle, stop.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, ApiFailure::cancelled) << result.error().text();
}

TEST(RestApiFaults, AWatchWithoutAHeadTimesOut) {
  const FakeServer server([](FakeServer::Connection& connection) { connection.wait_for_end(); });
  const auto result = client(server)->watch(kAll, {}, [](std::string_view) { return true; }, go_on, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, ApiFailure::timed_out) << result.error().text();
}

TEST(RestApiFaults, AWatchThatTheServerDoesNotEndTimesOut) {
  const FakeServer server([](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(kStream);
    connection.wait_for_end();
  });
  const WatchOptions options{"1", std::chrono::seconds(0)};
  const auto result = client(server)->watch(kAll, options, [](std::string_view) { return true; }, go_on, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, ApiFailure::timed_out) << result.error().text();
}

TEST(RestApiFaults, AReaderThatIsTooSlowDoesNotFillTheMemory) {
  std::atomic<bool> flooded = false;
  const FakeServer server([&](FakeServer::Connection& connection) {
    connection.read_request();
    connection.write(kStream);
    const auto chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
    for (int i = 0; i < 10'000; ++i) connection.write(chunk);
    flooded = true;
  });
  const auto slow = [&](std::string_view) {
    while (!flooded) std::this_thread::yield();
    return true;
  };
  const auto result = client(server)->watch(kAll, {}, slow, go_on, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, ApiFailure::malformed) << result.error().text();
}

TEST(RestApiFaults, ACallThatIsLeftBehindDoesNotHoldTheProcess) {
  // The client goes while its server is still silent; the process ends right after (and under ASan, without a leak).
  const FakeServer server([](FakeServer::Connection& connection) { connection.wait_for_end(); });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get_error(server).failure, ApiFailure::timed_out);
}

}  // namespace
}  // namespace adit::kube::test
