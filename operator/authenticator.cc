#include "operator/authenticator.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include <openssl/crypto.h>

#include "base/text.h"
#include "routing/digest.h"

namespace adit::controller {
namespace {

constexpr std::size_t kMostJobs = 256;
/// A token without a term is looked at again after this.
constexpr auto kWithoutTerm = std::chrono::hours(1);

Verdict refuse(unsigned status, std::string reason) { return {false, {}, status, std::move(reason)}; }

}  // namespace

std::optional<WallTime> expiry_of(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  std::string payload(token.substr(first + 1, second - first - 1));
  std::replace(payload.begin(), payload.end(), '-', '+');
  std::replace(payload.begin(), payload.end(), '_', '/');
  payload.append((4 - payload.size() % 4) % 4, '=');
  const auto text = routing::decode_base64(payload);
  if (!text) return std::nullopt;
  const auto claims = kube::Json::parse(*text, nullptr, false);
  const auto* expires = claims.is_discarded() ? nullptr : kube::find(claims, {"exp"});
  if (expires == nullptr || !expires->is_number_integer()) return std::nullopt;
  // What no clock can say is far away, or long over.
  constexpr auto kMost = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch()).count();
  const auto seconds = expires->is_number_unsigned() && expires->get<std::uint64_t>() > kMost
                           ? kMost
                           : std::clamp(expires->get<std::int64_t>(), std::int64_t{0}, std::int64_t{kMost});
  return WallTime(std::chrono::seconds(seconds));
}

Authenticator::Authenticator(kube::Api& api, AuthenticatorSettings settings)
    : api_(api), settings_(std::move(settings)) {
  for (int i = 0; i < 2; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

Authenticator::~Authenticator() { threads_.clear(); }

void Authenticator::check(std::string token, Done done) {
  if (token.empty()) return done(refuse(401, "a bearer token is needed"));
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() < kMostJobs) {
      jobs_.push_back({std::move(token), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done(refuse(503, "too many gateways come at once"));
}

void Authenticator::run(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.done(decide(job.token));
  }
}

Verdict Authenticator::decide(const std::string& token) {
  return settings_.shared_token_file.empty() ? review(token) : compare(token);
}

Verdict Authenticator::review(const std::string& token) {
  const auto review = api_.review_token(token, {settings_.audience});
  if (!review) return refuse(503, "the token cannot be checked: " + review.error().text());
  if (!review->authenticated) return refuse(401, "the API server does not know the token");
  // An API server that knows no audiences would accept tokens that were made for others.
  const auto& audiences = review->audiences;
  if (std::find(audiences.begin(), audiences.end(), settings_.audience) == audiences.end()) {
    return refuse(401, "the token is not for the audience " + settings_.audience);
  }
  if (review->username != settings_.username) {
    return refuse(403, "the token is that of " + review->username + ", not of " + settings_.username);
  }
  const auto now = std::chrono::system_clock::now();
  return {true, expiry_of(token).value_or(now + kWithoutTerm), 200, {}};
}

Verdict Authenticator::compare(const std::string& token) const {
  std::ifstream in(settings_.shared_token_file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  std::string expected = std::move(text).str();
  while (!expected.empty() && (expected.back() == '\n' || expected.back() == '\r')) expected.pop_back();
  if (!in || expected.size() < 16) {
    return refuse(503, "the operator's gateway token file cannot be read or has less than 16 characters");
  }
  // Hashes are compared, so that the time tells nothing of the length either.
  const auto a = routing::sha256({token});
  const auto b = routing::sha256({expected});
  if (CRYPTO_memcmp(a.data(), b.data(), a.size()) != 0) return refuse(401, "the token is not that of this install");
  return {true, WallTime::max(), 200, {}};
}

}  // namespace adit::controller
