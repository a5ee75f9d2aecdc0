#include "operator/authenticator.h"

#include <atomic>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/digest.h"
#include "tests/kube/simulated_api.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using kube::Api;
using kube::ApiError;
using testing::HasSubstr;

const AuthenticatorSettings kSettings{"adit.dev/adit", "system:serviceaccount:adit:adit-gateway", {}};

/// Answers every review in the same way, also where SimulatedApi would be stricter than some API servers are.
class ReviewingApi : public kube::SimulatedApi {
 public:
  explicit ReviewingApi(kube::ApiResult<Review> answer) : answer_(std::move(answer)) {}
  kube::ApiResult<Review> review_token(const std::string& token, const std::vector<std::string>& audiences) override {
    asked_token = token;
    asked_audiences = audiences;
    return answer_;
  }

  std::string asked_token;
  std::vector<std::string> asked_audiences;

 private:
  kube::ApiResult<Review> answer_;
};

Verdict check(Authenticator& authenticator, const std::string& token) {
  std::promise<Verdict> verdict;
  authenticator.check(token, [&](const Verdict& decided) { verdict.set_value(decided); });
  return verdict.get_future().get();
}

ApiError failed(int code) {
  ApiError error;
  error.code = code;
  error.call = "create tokenreviews.authentication.k8s.io";
  return error;
}

TEST(Authenticator, DecidesByTheReview) {
  const std::string user = kSettings.username;
  const struct {
    const char* name;
    kube::ApiResult<Api::Review> answer;
    unsigned status;
    const char* reason;
  } cases[] = {
      {"good", Api::Review{true, user, {"adit.dev/adit"}, {}}, 200, ""},
      {"among other audiences", Api::Review{true, user, {"x", "adit.dev/adit"}, {}}, 200, ""},
      {"not authenticated", Api::Review{false, user, {"adit.dev/adit"}, "expired"}, 401, "does not know the token"},
      {"no audiences", Api::Review{true, user, {}, {}}, 401, "not for the audience adit.dev/adit"},
      {"other audience", Api::Review{true, user, {"https://kubernetes.default.svc"}, {}}, 401, "not for the audience"},
      {"audience that begins so", Api::Review{true, user, {"adit.dev/adit2"}, {}}, 401, "not for the audience"},
      {"other user", Api::Review{true, "system:serviceaccount:adit:default", {"adit.dev/adit"}, {}}, 403,
       "that of system:serviceaccount:adit:default"},
      {"same name elsewhere", Api::Review{true, "system:serviceaccount:b:adit-gateway", {"adit.dev/adit"}, {}}, 403,
       "not of system:serviceaccount:adit:adit-gateway"},
      {"longer user", Api::Review{true, user + "2", {"adit.dev/adit"}, {}}, 403, "not of "},
      {"no user", Api::Review{true, "", {"adit.dev/adit"}, {}}, 403, "not of "},
      {"forbidden", failed(403), 503, "cannot be checked: create tokenreviews"},
      {"broken server", failed(500), 503, "cannot be checked"},
      {"no server", ApiError{kube::ApiFailure::timed_out, 0, "create tokenreviews", {}, {}, {}}, 503,
       "cannot be checked"},
  };
  for (const auto& [name, answer, status, reason] : cases) {
    ReviewingApi api(answer);
    Authenticator authenticator(api, kSettings);
    const auto verdict = check(authenticator, "a.b.c");
    EXPECT_EQ(verdict.accepted, status == 200) << name;
    EXPECT_EQ(verdict.status, status) << name;
    EXPECT_THAT(verdict.reason, HasSubstr(reason)) << name;
    EXPECT_THAT(verdict.reason, testing::Not(HasSubstr("a.b.c"))) << name;
    EXPECT_EQ(api.asked_token, "a.b.c") << name;
    EXPECT_EQ(api.asked_audiences, std::vector<std::string>{"adit.dev/adit"}) << name;
  }
}

TEST(Authenticator, AnAcceptedTokenCountsToItsOwnEnd) {
  ReviewingApi api(Api::Review{true, kSettings.username, {"adit.dev/adit"}, {}});
  Authenticator authenticator(api, kSettings);
  const auto token = "e30." + routing::encode_base64(R"({"exp":1800000000})") + ".c2ln";
  EXPECT_EQ(check(authenticator, token).expires, WallTime(1'800'000'000s));
  const auto before = std::chrono::system_clock::now();
  const auto without = check(authenticator, "opaque");
  EXPECT_GE(without.expires, before + 1h);
  EXPECT_LE(without.expires, std::chrono::system_clock::now() + 1h);
}

TEST(Authenticator, NoTokenIsNoReview) {
  ReviewingApi api(Api::Review{true, kSettings.username, {"adit.dev/adit"}, {}});
  Authenticator authenticator(api, kSettings);
  const auto verdict = check(authenticator, "");
  EXPECT_FALSE(verdict.accepted);
  EXPECT_EQ(verdict.status, 401U);
  EXPECT_TRUE(api.asked_audiences.empty());
}

TEST(Authenticator, WhatDoesNotFitTheQueueIsRefusedAtOnce) {
  kube::SimulatedApi api;
  std::mutex gate;
  std::unique_lock closed(gate);
  api.before_calls([&](const std::string&) {
    const std::lock_guard wait(gate);
    return std::optional<ApiError>();
  });
  Authenticator authenticator(api, kSettings);
  std::atomic<int> refused = 0;
  std::atomic<int> decided = 0;
  const auto done = [&](const Verdict& verdict) { ++(verdict.status == 503 ? refused : decided); };
  for (int i = 0; i < 2; ++i) authenticator.check("token", done);
  ASSERT_TRUE(wait_until([&] { return api.count("review tokens") == 2; }));  // both threads are busy
  for (int i = 0; i < 256; ++i) authenticator.check("token", done);
  EXPECT_EQ(refused, 0);
  authenticator.check("token", done);
  EXPECT_EQ(refused, 1);
  closed.unlock();
  EXPECT_TRUE(wait_until([&] { return decided == 258; }));
  EXPECT_EQ(refused, 1);
}

class SharedToken : public testing::Test {
 protected:
  SharedToken() { std::filesystem::create_directories(path_.parent_path()); }
  ~SharedToken() override { std::filesystem::remove_all(path_.parent_path()); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  Verdict verdict(const std::string& token) {
    Authenticator authenticator(api_, {kSettings.audience, kSettings.username, path_});
    return check(authenticator, token);
  }

  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) / ("shared_token_" + std::to_string(getpid())) / "token";
  kube::SimulatedApi api_;
};

TEST_F(SharedToken, IsComparedWhole) {
  const struct {
    const char* file;
    const char* token;
    unsigned status;
  } cases[] = {
      {"0123456789abcdef", "0123456789abcdef", 200},
      {"0123456789abcdef\n", "0123456789abcdef", 200},
      {"0123456789abcdef\r\n", "0123456789abcdef", 200},
      {"0123456789abcdef", "0123456789abcde", 401},
      {"0123456789abcdef", "0123456789abcdefg", 401},
      {"0123456789abcdef", "0123456789abcdef\n", 401},
      {"0123456789abcdef", "x", 401},
      {" 0123456789abcdef", "0123456789abcdef", 401},
      {"too short", "too short", 503},
      {"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "\n", 503},
      {"", "0123456789abcdef", 503},
  };
  for (const auto& [file, token, status] : cases) {
    write(file);
    EXPECT_EQ(verdict(token).status, status) << testing::PrintToString(file) << " " << testing::PrintToString(token);
  }
  EXPECT_TRUE(api_.calls().empty());
}

TEST_F(SharedToken, HasNoEndAndIsReadAtEachCheck) {
  Authenticator authenticator(api_, {kSettings.audience, kSettings.username, path_});
  EXPECT_EQ(check(authenticator, "0123456789abcdef").status, 503U);
  write("0123456789abcdef");
  const auto verdict = check(authenticator, "0123456789abcdef");
  EXPECT_TRUE(verdict.accepted);
  EXPECT_EQ(verdict.expires, WallTime::max());
  write("fedcba9876543210");
  EXPECT_EQ(check(authenticator, "0123456789abcdef").status, 401U);
  EXPECT_TRUE(check(authenticator, "fedcba9876543210").accepted);
}

TEST_F(SharedToken, ThatIsAFolderIsNone) {
  std::filesystem::create_directories(path_);
  EXPECT_EQ(verdict("0123456789abcdef").status, 503U);
}

}  // namespace
}  // namespace adit::controller
