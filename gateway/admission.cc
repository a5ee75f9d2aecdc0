#include "gateway/admission.h"

#include <algorithm>

#include "base/text.h"
#include "http/cookies.h"
#include "link/handshake.h"

namespace adit::gateway {
namespace {

constexpr std::string_view kRetry = "Retry-After: 1\r\n";

bool deny(Verdict& verdict, int status, std::string_view reason, std::string_view fields = {}) {
  verdict.kind = Verdict::Kind::answer;
  verdict.status = status;
  verdict.reason = reason;
  verdict.fields = fields;
  return false;
}

http::FieldEdit edit_of(const routing::HeaderChange& change) {
  using Kind = routing::HeaderChange::Kind;
  const auto kind = change.kind == Kind::set   ? http::FieldEdit::Kind::set
                    : change.kind == Kind::add ? http::FieldEdit::Kind::add
                                               : http::FieldEdit::Kind::remove;
  return {kind, change.name, change.value};
}

std::string_view query_of(std::string_view target) {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark);
}

/// ":8080" of "h.test:8080" and "[::1]:8080"; empty without one.
std::string_view port_of(std::string_view authority) {
  const auto colon = authority.rfind(':');
  const bool none = colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos;
  return none ? std::string_view() : authority.substr(colon);
}

/// Of several cookies of that name the first that is one of ours; what is none counts for nothing.
AffinityCookie affinity_cookie(const http::RequestHead& head, std::string_view name) {
  std::optional<AffinityCookie> cookie;
  http::for_each_cookie(head.fields, name, [&](std::string_view value) {
    cookie = AffinityCookie::parse(value);
    return !cookie.has_value();
  });
  return cookie.value_or(AffinityCookie());
}

bool is_default_port(std::string_view scheme, std::uint16_t port) { return port == (scheme == "https" ? 443 : 80); }

}  // namespace

Verdict Admission::admit(const Request& request, const routing::Table& table, base::TimePoint now) {
  Verdict verdict;
  if (!find_route(request, table, verdict) || !redirect_to_https(request, verdict)) return verdict;
  const auto& tunnel = *verdict.route->tunnel;
  const Filters* filters = verdict.route->filters.get();
  if (filters != nullptr) {
    if (!filters->allowed.empty() && !base::contains(filters->allowed, request.origin.address)) {
      deny(verdict, 403, "the visitor's address is not allowed");
      return verdict;
    }
    if (filters->basic_auth && !check_login(request, *filters->basic_auth, verdict, now)) return verdict;
  }
  if (!enter(tunnel, verdict, now)) return verdict;
  if (filters != nullptr) {
    verdict.most_body = filters->most_body.value_or(verdict.most_body);
    if (request.head.content_length > verdict.most_body) {
      deny(verdict, 413, "the body is larger than the route allows");
      return verdict;
    }
    if (filters->redirect) {
      redirect(request, *filters->redirect, verdict);
      return verdict;
    }
    edit(request, *filters, verdict);
  }
  wish(request, verdict);
  verdict.kind = Verdict::Kind::forward;
  return verdict;
}

bool Admission::find_route(const Request& request, const routing::Table& table, Verdict& verdict) {
  if (link::asks_for_link(request.head)) return deny(verdict, 404, "a link was asked for on a public listener");
  const auto match = table.match(request.head.host, request.head.path, room_);
  if (match.is_ambiguous) return deny(verdict, 400, "a path that can be read in two ways");
  if (match.route == nullptr) return deny(verdict, 404, "no route");
  if (match.route->is_private) return deny(verdict, 404, "the route is private");
  if (request.visitor.tls && misdirected(request, table)) {
    return deny(verdict, 421, "the TLS server name belongs to another tunnel");
  }
  path_ = match.path;
  verdict.route = match.route;
  const auto shares = match.route->shares();
  return shares.empty() || choose_tunnel(request, shares, verdict);
}

bool Admission::choose_tunnel(const Request& request, std::span<const routing::Route> shares, Verdict& verdict) {
  if (const auto* known = known_tunnel(request, shares)) {
    verdict.route = known;
    return true;
  }
  const auto choice = choose_share(shares, request.lot, served_);
  verdict.route = choice.rule;
  verdict.share_moved = choice.moved;
  return choice.rule != nullptr || deny(verdict, 503, "the weights of all tunnels of this rule are 0");
}

/// The one at which its cookie keeps the visitor.
const routing::Route* Admission::known_tunnel(const Request& request, std::span<const routing::Route> shares) {
  std::string_view looked_for;
  for (const auto& rule : shares) {
    const auto& affinity = rule.tunnel->affinity;
    const bool is_new = affinity.mode == routing::Affinity::Mode::cookie && affinity.cookie_name != looked_for;
    if (!is_new) continue;
    looked_for = affinity.cookie_name;
    const auto* known = known_share(shares, looked_for, affinity_cookie(request.head, looked_for), served_);
    if (known != nullptr) return known;
  }
  return nullptr;
}

/// RFC 9110 §15.5.20: the handshake named a host of another tunnel, or a Private one, and the request does not. An
/// unknown name is served: CDNs send one.
bool Admission::misdirected(const Request& request, const routing::Table& table) {
  const auto name = request.server_name;
  if (name.empty() || base::equals_ignoring_case(name, request.head.host)) return false;
  const auto named = table.server_name(name);
  if (named.only_private) return true;
  const auto asked = table.server_name(request.head.host);
  return named.tunnel && (!asked.tunnel || asked.tunnel->id != named.tunnel->id);
}

bool Admission::redirect_to_https(const Request& request, Verdict& verdict) {
  if (!verdict.route->tunnel->redirect_to_https || request.origin.scheme == "https") return true;
  if (request.head.host.empty()) return deny(verdict, 400, "HTTPS is needed, and there is no host to redirect to");
  // Who named no port came to 80, whatever that is mapped to: 443 will be mapped alike.
  const auto listener = port_of(request.head.authority).empty() ? std::uint16_t{443} : shared_.https_port;
  const auto port = settings_.https_redirect_port != 0 ? settings_.https_redirect_port : listener;
  fields_.assign("Location: https://").append(request.head.host);
  if (port != 0 && port != 443) fields_.append(":").append(std::to_string(port));
  fields_.append(request.head.target == "*" ? "/" : request.head.target).append("\r\n");
  return deny(verdict, 308, "to HTTPS", fields_);
}

bool Admission::check_login(const Request& request, const routing::BasicAuth& auth, Verdict& verdict,
                            base::TimePoint now) {
  fields_.assign("WWW-Authenticate: Basic realm=\"").append(auth.realm).append("\", charset=\"UTF-8\"\r\n");
  const auto* value = request.head.fields.find("Authorization");
  if (value == nullptr) return deny(verdict, 401, "no password", fields_);
  auto credentials = parse_basic(*value);
  if (!credentials) return deny(verdict, 401, "malformed Authorization", fields_);
  const auto login = std::find_if(auth.logins.begin(), auth.logins.end(),
                                  [&](const auto& known) { return known.user == credentials->user; });
  const std::string bcrypt = login == auth.logins.end() ? std::string() : login->bcrypt;
  const auto key = shared_.passwords.key_of(*credentials, bcrypt);
  if (const auto known = passwords_.find(key, now)) {
    return *known || deny(verdict, 401, "wrong user or password", fields_);
  }
  if (!failures_.allows(FailureLimiter::source_of(request.origin.address), now)) {
    return deny(verdict, 429, "too many wrong passwords from this address", kRetry);
  }
  verdict.kind = Verdict::Kind::wait;
  verdict.question = {key, std::move(credentials->password), bcrypt};
  return false;
}

void Admission::password_checked(const PasswordKey& key, const std::string& visitor, bool right, base::TimePoint now) {
  passwords_.store(key, right, now);
  if (!right) failures_.failed(visitor, now);
}

bool Admission::enter(const routing::Tunnel& tunnel, Verdict& verdict, base::TimePoint now) {
  const auto connections = tunnel.limits.connections.value_or(settings_.tunnel_limits.connections.value_or(0));
  const auto rate = tunnel.limits.requests_per_second.value_or(settings_.tunnel_limits.requests_per_second.value_or(0));
  if (connections == 0 && rate == 0) return true;
  const auto& gate = gate_of(tunnel.id);
  switch (gate->enter(connections, rate, now)) {
    case TunnelGate::Answer::admitted:
      verdict.place = TunnelPlace(gate);
      return true;
    case TunnelGate::Answer::too_fast:
      verdict.limited = TunnelLimit::rate;
      return deny(verdict, 429, "more requests per second than the tunnel may have", kRetry);
    default:
      verdict.limited = TunnelLimit::connections;
      return deny(verdict, 503, "more connections than the tunnel may have", kRetry);
  }
}

/// Kept here as long as the tunnel is there: a gate that nobody holds forgets how fast requests came.
const std::shared_ptr<TunnelGate>& Admission::gate_of(const std::string& tunnel_id) {
  auto& gate = gates_[tunnel_id];
  if (!gate) gate = shared_.gates.gate(tunnel_id);
  return gate;
}

void Admission::forget_gone(const routing::Table& table) {
  std::erase_if(gates_, [&](const auto& entry) { return table.tunnel(entry.first) == nullptr; });
}

/// Gateway API, HTTPRequestRedirectFilter.
void Admission::redirect(const Request& request, const routing::Redirect& to, Verdict& verdict) {
  const auto& head = request.head;
  const std::string_view scheme = to.scheme.empty() ? request.origin.scheme : std::string_view(to.scheme);
  fields_.assign("Location: ").append(scheme).append("://");
  fields_.append(to.hostname.empty() ? head.host : std::string_view(to.hostname));
  if (to.port != 0) {
    if (!is_default_port(scheme, to.port)) fields_.append(":").append(std::to_string(to.port));
  } else if (to.scheme.empty()) {
    fields_.append(port_of(head.authority));
  }
  fields_.append(to.path ? changed_target(*to.path, request, verdict.route->path) : head.target).append("\r\n");
  deny(verdict, to.status, "", fields_);
}

void Admission::edit(const Request& request, const Filters& filters, Verdict& verdict) {
  if (filters.path) verdict.edits.target = changed_target(*filters.path, request, verdict.route->path);
  verdict.edits.authority = filters.host;
  edits_.clear();
  for (const auto& change : filters.request_headers) edits_.push_back(edit_of(change));
  verdict.edits.fields = edits_;
}

void Admission::wish(const Request& request, Verdict& verdict) {
  const auto& tunnel = *verdict.route->tunnel;
  using Mode = routing::Affinity::Mode;
  if (tunnel.affinity.mode == Mode::none) return;
  if (tunnel.affinity.mode == Mode::address) {
    verdict.wish = AffinityWish(request.origin.address);
    return;
  }
  verdict.edits.hidden_cookie = tunnel.affinity.cookie_name;
  const auto cookie = affinity_cookie(request.head, tunnel.affinity.cookie_name);
  verdict.wish = AffinityWish(cookie, tunnel.id, verdict.route->service);
}

http::FieldEdits Admission::response_edits(const Filters* filters, std::string_view set_cookie) {
  edits_.clear();
  if (filters != nullptr) {
    for (const auto& change : filters->response_headers) edits_.push_back(edit_of(change));
  }
  if (!set_cookie.empty()) edits_.push_back({http::FieldEdit::Kind::add, "Set-Cookie", set_cookie});
  return edits_;
}

std::string_view Admission::set_cookie(const routing::Affinity& affinity, const AffinityCookie& cookie, bool secure) {
  AffinityCookie::Room room;
  set_cookie_.assign(affinity.cookie_name).append("=").append(cookie.text(room));
  set_cookie_.append("; Path=/; HttpOnly; SameSite=Lax");
  if (secure) set_cookie_.append("; Secure");
  if (affinity.max_age.count() != 0) set_cookie_.append("; Max-Age=").append(std::to_string(affinity.max_age.count()));
  return set_cookie_;
}

/// The query stays. Below a prefix the bytes are the visitor's own, unless only the canonical form shows the prefix.
std::string_view Admission::changed_target(const routing::PathChange& change, const Request& request,
                                           std::string_view rule) {
  const auto& head = request.head;
  if (head.target == "*") return head.target;
  target_.assign(change.value);
  if (change.kind == routing::PathChange::Kind::prefix) {
    auto rest = routing::is_path_prefix(rule, head.path) ? head.path : path_;
    if (rule != "/") rest.remove_prefix(rule.size());
    if (target_.ends_with('/') && (rest.empty() ? target_.size() > 1 : rest.starts_with('/'))) target_.pop_back();
    target_.append(rest);
    if (target_.empty()) target_ = "/";
  }
  target_.append(query_of(head.target));
  return target_;
}

}  // namespace adit::gateway
