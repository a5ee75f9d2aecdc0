#include "http/failure_page.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/http/conversation.h"

namespace adit::http::test {
namespace {

std::string written(const FailurePage& page) {
  base::Buffer out;
  write_failure(out, page);
  return std::string(out.view());
}

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST(FailurePages, Json) {
  FailurePage page{503, "r1", "Retry-After: 1\r\n", "", true, true, false};
  const auto answer = written(page);
  EXPECT_TRUE(
      answer.starts_with("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
                         "Cache-Control: no-store\r\nContent-Length: "))
      << answer;
  EXPECT_NE(answer.find("\r\nX-Request-Id: r1\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"), std::string::npos)
      << answer;
  EXPECT_EQ(
      nlohmann::json::parse(body_of(answer)),
      nlohmann::json({{"type", "about:blank"},
                      {"title", "Service Unavailable"},
                      {"status", 503},
                      {"detail", "The service at this address is not available at the moment. Please try again soon."},
                      {"requestId", "r1"}}));
  page.status = 431;
  EXPECT_EQ(nlohmann::json::parse(body_of(written(page))), nlohmann::json({{"type", "about:blank"},
                                                                           {"title", "Request Header Fields Too Large"},
                                                                           {"status", 431},
                                                                           {"requestId", "r1"}}));
}

TEST(FailurePages, HtmlAndOnesOwn) {
  FailurePage page;
  page.status = 404;
  page.request_id = "r1";
  auto body = body_of(written(page));
  EXPECT_NE(body.find("<h1>404 Not Found</h1>"), std::string::npos) << body;
  EXPECT_NE(body.find("<p>There is nothing at this address.</p><p><small>Request r1"), std::string::npos) << body;
  page.request_id = {};
  body = body_of(written(page));
  EXPECT_EQ(body.find("Request"), std::string::npos) << body;
  page.html = "<p>closed</p>";
  EXPECT_EQ(body_of(written(page)), "<p>closed</p>");
  page.to_head = true;
  EXPECT_EQ(body_of(written(page)), "");
  EXPECT_NE(written(page).find("Content-Length: 13\r\n"), std::string::npos);
}

TEST(FailurePages, AreWholeAnswers) {
  for (const bool json : {false, true}) {
    for (const bool to_head : {false, true}) {
      for (const int status : {308, 400, 404, 431, 503}) {
        FailurePage page;
        page.status = status;
        page.json = json;
        page.to_head = to_head;
        EXPECT_EQ(outcome_at_once<Service>(written(page), to_head).find("502"), std::string::npos) << status;
      }
    }
  }
}

TEST(FailurePages, Preference) {
  const struct {
    const char* accept;
    bool json;
  } cases[] = {
      {"", false},
      {"*/*", false},
      {"text/html", false},
      {"application/json", true},
      {"application/problem+json", true},
      {"Application/JSON; charset=utf-8", true},
      {"text/html, application/json;q=0.9", false},
      {"text/html;q=0.8, application/json;q=0.9", true},
      {"text/html;q=0.8, application/json ; q=0.85", true},
      {"application/json;q=0", false},
      {"application/json;q=0.001", true},
      {"application/json, text/html", false},
      {"application/json, */*", true},
      {"application/xhtml+xml, application/json;q=0.5", false},
      {",,;q=1,application/json;;q=", true},
  };
  for (const auto& row : cases) EXPECT_EQ(prefers_json(row.accept), row.json) << row.accept;
}

}  // namespace
}  // namespace adit::http::test
