#include "telemetry/admin_session.h"

#include <vector>

#include <gtest/gtest.h>

namespace adit::telemetry {
namespace {

AdminHandlers handlers() {
  return {.ready = [] { return base::Result<void>(base::Error{"no link"}); },
          .metrics = [] { return std::string("m 1\n"); },
          .status = [] { return std::string("{}"); }};
}

TEST(AdminAnswer, DependsOnMethodAndPath) {
  struct Case {
    http::verb method;
    std::string target;
    http::status status;
    std::string body;  // the beginning
    std::string type;
  };
  using http::status;
  using http::verb;
  for (const auto& test : std::vector<Case>{
           {verb::get, "/healthz", status::ok, "ok\n", "text/plain; charset=utf-8"},
           {verb::head, "/healthz", status::ok, "ok\n", "text/plain; charset=utf-8"},
           {verb::get, "/healthz?verbose", status::ok, "ok\n", "text/plain; charset=utf-8"},
           {verb::get, "/readyz", status::service_unavailable, "no link\n", "text/plain; charset=utf-8"},
           {verb::get, "/metrics", status::ok, "m 1\n", "text/plain; version=0.0.4; charset=utf-8"},
           {verb::get, "/status", status::ok, "{}", "application/json"},
           {verb::get, "/", status::ok, "<!doctype html>", "text/html; charset=utf-8"},
           {verb::get, "", status::not_found, "", "text/plain; charset=utf-8"},
           {verb::get, "/healthz/", status::not_found, "", "text/plain; charset=utf-8"},
           {verb::get, "/HEALTHZ", status::not_found, "", "text/plain; charset=utf-8"},
           {verb::get, "//metrics", status::not_found, "", "text/plain; charset=utf-8"},
           {verb::get, "http://x/metrics", status::not_found, "", "text/plain; charset=utf-8"},
           {verb::post, "/metrics", status::method_not_allowed, "", "text/plain; charset=utf-8"},
           {verb::unknown, "/healthz", status::method_not_allowed, "", "text/plain; charset=utf-8"},
           {verb::options, "*", status::method_not_allowed, "", "text/plain; charset=utf-8"},
       }) {
    const auto answer = answer_admin_request(handlers(), test.method, test.target);
    EXPECT_EQ(answer.status, test.status) << test.target;
    EXPECT_EQ(answer.type, test.type) << test.target;
    EXPECT_TRUE(answer.body.starts_with(test.body)) << test.target << ": " << answer.body;
  }
}

TEST(AdminAnswer, AnAbsentPageIsNotFoundAndAProgramWithoutConditionsIsReady) {
  EXPECT_EQ(answer_admin_request({}, http::verb::get, "/metrics").status, http::status::not_found);
  EXPECT_EQ(answer_admin_request({}, http::verb::get, "/status").status, http::status::not_found);
  EXPECT_EQ(answer_admin_request({}, http::verb::get, "/readyz").status, http::status::ok);
}

}  // namespace
}  // namespace adit::telemetry
