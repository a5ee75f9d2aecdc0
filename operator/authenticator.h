#pragma once
// Decides whether a bearer token is a gateway's.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kube/api.h"
#include "operator/authority.h"

namespace adit::controller {

struct AuthenticatorSettings {
  std::string audience;  ///< of the ServiceAccount tokens of this install's gateways
  std::string username;  ///< "system:serviceaccount:NAMESPACE:NAME"
  /// A file with a token that gateways share, instead of ServiceAccount tokens: for installs that may not create
  /// TokenReviews, which are cluster-scoped. Read at each check.
  std::filesystem::path shared_token_file;
};

struct Verdict {
  bool accepted = false;
  WallTime expires{};  ///< of an accepted token
  unsigned status = 401;
  std::string reason;
};

/// Reviews block, so they run on two threads of its own with a bounded queue: a slow API server holds up gateways that
/// come, not those that are there.
class Authenticator {
 public:
  using Done = std::function<void(const Verdict& verdict)>;

  Authenticator(kube::Api& api, AuthenticatorSettings settings);
  ~Authenticator();

  /// Calls `done` once, on one of the authenticator's threads, or at once when the queue is full. From any thread.
  void check(std::string token, Done done);

 private:
  struct Job {
    std::string token;
    Done done;
  };

  void run(const std::stop_token& stop);
  Verdict decide(const std::string& token);
  Verdict review(const std::string& token);
  Verdict compare(const std::string& token) const;

  kube::Api& api_;
  AuthenticatorSettings settings_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;
  std::vector<std::jthread> threads_;  // last: they use the rest
};

/// The time that a JSON Web Token names as its end (RFC 7519 §4.1.4); absent when it names none. Nothing is verified:
/// for tokens that the API server has accepted.
std::optional<WallTime> expiry_of(std::string_view token);

}  // namespace adit::controller
