#include "gateway/passwords.h"

#include <cstring>
#include <memory>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/text.h"
#include "routing/digest.h"

namespace adit::gateway {
namespace {

/// A salt for users that do not exist.
constexpr const char* kNobody = "$2b$10$abcdefghijklmnopqrstuu";

/// crypt(5). The result is compared in constant time.
bool matches(const std::string& password, const std::string& bcrypt) {
  const auto data = std::make_unique<crypt_data>();
  const bool known = !bcrypt.empty();
  const char* hash = crypt_r(password.c_str(), known ? bcrypt.c_str() : kNobody, data.get());
  const bool right = known && hash != nullptr && std::strlen(hash) == bcrypt.size() &&
                     CRYPTO_memcmp(hash, bcrypt.data(), bcrypt.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof *data);
  return right;
}

}  // namespace

std::optional<Credentials> parse_basic(std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic ";
  if (!base::equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  const auto text = routing::decode_base64(base::trim(authorization.substr(kScheme.size())));
  if (!text || text->find('\0') != std::string::npos) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

PasswordChecker::PasswordChecker() {
  RAND_bytes(secret_.data(), static_cast<int>(secret_.size()));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

PasswordKey PasswordChecker::key_of(const Credentials& credentials, const std::string& bcrypt) const {
  const auto digest = routing::sha256({credentials.user, credentials.password, bcrypt});
  PasswordKey key{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), digest.data(), digest.size(), key.data(), &size);
  return key;
}

bool PasswordChecker::check(std::string password, std::string bcrypt, std::function<void(bool)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() == kMostWaiting) return false;
    waiting_.push_back({std::move(password), std::move(bcrypt), std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void PasswordChecker::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void PasswordChecker::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    if (stop.stop_requested()) return;
    const auto question = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    question.done(matches(question.password, question.bcrypt));
    lock.lock();
  }
}

std::size_t PasswordCache::Hash::operator()(const PasswordKey& key) const {
  std::size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

std::optional<bool> PasswordCache::find(const PasswordKey& key, base::TimePoint now) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.until <= now) return std::nullopt;
  return found->second.right;
}

void PasswordCache::store(const PasswordKey& key, bool right, base::TimePoint now) {
  if (entries_.size() >= kMost) std::erase_if(entries_, [&](const auto& entry) { return entry.second.until <= now; });
  if (entries_.size() >= kMost) entries_.clear();
  entries_[key] = {right, now + (right ? base::Duration(kRight) : base::Duration(kWrong))};
}

}  // namespace adit::gateway
