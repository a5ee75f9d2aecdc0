#pragma once
// Whether a request is let in, and what becomes of its head: routes, filters and limits, whatever the visitor's
// protocol is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/affinity.h"
#include "gateway/edge_settings.h"
#include "gateway/failure_limiter.h"
#include "gateway/passwords.h"
#include "gateway/share_choice.h"
#include "gateway/stream_pool.h"
#include "gateway/tunnel_gate.h"
#include "gateway/visitor_origin.h"
#include "http/forwarding.h"
#include "http/message.h"
#include "routing/table.h"

namespace adit::gateway {

/// What all workers share for it.
struct AdmissionShared {
  PasswordChecker passwords;
  TunnelGates gates;
  std::uint16_t https_port = 0;  ///< of the redirect to HTTPS; 0: there is no such listener
};

/// A request as its codec hands it in.
struct Request {
  const http::RequestHead& head;
  const RequestOrigin& origin;
  const VisitorEndpoint& visitor;
  std::string_view server_name;  ///< of the TLS handshake
  std::uint64_t lot = 0;         ///< which of several tunnels it gets; stays the same when it is asked again
};

/// What Admission says. Views are valid until it is asked again.
struct Verdict {
  enum class Kind : std::uint8_t {
    forward,
    answer,  ///< with `status`, at once
    wait,    ///< for `question`, and then ask again with the same head
  };
  Kind kind = Kind::answer;

  // answer
  int status = 0;
  std::string_view reason;  ///< for the log
  std::string_view fields;  ///< further field lines: Location, Retry-After, WWW-Authenticate

  // once the rule is known and not Private
  const routing::Route* route = nullptr;
  std::optional<TunnelLimit> limited = {};  ///< with `answer`: the limit of the tunnel that was met

  // forward
  http::RequestEdits edits;
  std::uint64_t most_body = ~std::uint64_t{0};  ///< bytes; more is 413
  TunnelPlace place;
  AffinityWish wish;
  bool share_moved = false;  ///< see ShareChoice

  // wait
  struct Question {
    PasswordKey key;
    std::string password;
    std::string bcrypt;
  };
  Question question;
};

/// One per worker, on its thread.
class Admission {
 public:
  Admission(AdmissionShared& shared, const EdgeSettings& settings, ServedRules& served)
      : shared_(shared), settings_(settings), served_(served) {}

  Verdict admit(const Request& request, const routing::Table& table, base::TimePoint now);
  /// The answer to a question of wait.
  void password_checked(const PasswordKey& key, const std::string& visitor, bool right, base::TimePoint now);

  /// The table has changed: what is kept of tunnels that are gone is dropped.
  void forget_gone(const routing::Table& table);

  /// The edits of an answer; valid until the next call. `filters`: of the rule; nullptr: none. `set_cookie`: as
  /// set_cookie() gave it; empty: none.
  http::FieldEdits response_edits(const routing::Filters* filters, std::string_view set_cookie);
  /// The value of Set-Cookie (RFC 6265 §4.1); valid until the next call.
  std::string_view set_cookie(const routing::Affinity& affinity, const AffinityCookie& cookie, bool secure);

 private:
  using Filters = routing::Filters;

  bool find_route(const Request& request, const routing::Table& table, Verdict& verdict);
  bool choose_tunnel(const Request& request, std::span<const routing::Route> shares, Verdict& verdict);
  const routing::Route* known_tunnel(const Request& request, std::span<const routing::Route> shares);
  static bool misdirected(const Request& request, const routing::Table& table);
  bool redirect_to_https(const Request& request, Verdict& verdict);
  bool check_login(const Request& request, const routing::BasicAuth& auth, Verdict& verdict, base::TimePoint now);
  bool enter(const routing::Tunnel& tunnel, Verdict& verdict, base::TimePoint now);
  void redirect(const Request& request, const routing::Redirect& to, Verdict& verdict);
  void edit(const Request& request, const Filters& filters, Verdict& verdict);
  static void wish(const Request& request, Verdict& verdict);
  std::string_view changed_target(const routing::PathChange& change, const Request& request, std::string_view rule);

  AdmissionShared& shared_;
  const EdgeSettings& settings_;
  ServedRules& served_;
  const std::shared_ptr<TunnelGate>& gate_of(const std::string& tunnel_id);

  PasswordCache passwords_;
  std::unordered_map<std::string, std::shared_ptr<TunnelGate>> gates_;  ///< of tunnels with limits, by id
  FailureLimiter failures_;
  std::string_view path_;  ///< canonical, of the request at hand
  routing::PathRoom room_;
  std::string target_;
  std::string fields_;
  std::vector<http::FieldEdit> edits_;
  std::string set_cookie_;
};

}  // namespace adit::gateway
