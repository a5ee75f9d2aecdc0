// Exchange: its attempts to reach the service, and what becomes of them.

#include <algorithm>

#include "base/log.h"
#include "gateway/exchange.h"

namespace adit::gateway {
namespace {

constexpr auto kAcceptWithin = std::chrono::seconds(1);          // then the link is asked whether it lives
constexpr auto kVerdictWithin = std::chrono::milliseconds(250);  // and given this long to show it
constexpr auto kOpenWithin = std::chrono::seconds(15);           // longer than a connector's own dial limit of 10 s
constexpr auto kLoggedEjection = 4 * Ejections::kFirst;          // one failure or two are no news

}  // namespace

/// A phase begins that may take `limit`.
void Exchange::wait_at_most(base::Duration limit) {
  const auto now = net::Loop::now();
  give_up_ = now + limit;
  deadline_.set(std::min(give_up_, now + kAcceptWithin));
  probed_ = false;
}

void Exchange::choose_instance() { instance_ = wish_ ? context_.pool.instance_for(*upstream_, wish_) : 0; }

/// Opens a fresh stream on a link that was not tried yet.
void Exchange::attempt() {
  link::Opening opening;
  opening.service = upstream_->service;
  opening.visitor = visitor_;
  opening.request_id = request_id_;
  opening.instance = instance_;
  state_ = State::opening;
  left_ = false;
  stream_ = context_.pool.open(*upstream_, opening, tried_, *this);
  if (stream_ == nullptr) {
    if (tried_.empty()) {
      const auto why = context_.pool.why_unserved(*upstream_);
      return fail_unserved(why, text_of(why));
    }
    if (link_failed_) return fail_unserved(Unserved::links_failed, std::string(summary_.reason));
    return fail(502, summary_.reason.empty() ? "no other link to try" : std::string(summary_.reason));
  }
  if (summary_.attempts != 0) context_.metrics.retries.add();
  summary_.attempts += 1;
  summary_.link = stream_->link();
  instance_ = stream_->instance();
  tried_.push_back(stream_->link()->id);
  wait_at_most(kOpenWithin);
}

AttemptsMade Exchange::made() const {
  AttemptsMade made;
  made.attempts = summary_.attempts;
  made.left = left_;
  made.repeatable = repeatable_;
  made.repeated = repeated_;
  made.answer_begun = summary_.first_byte != base::kNever;
  return made;
}

/// Another attempt after the stream was lost or given up; false if this request cannot have one.
bool Exchange::retry(AttemptEnd end, std::string_view why) {
  const auto kind = retry_of(end, made());
  if (kind == Retry::none) return false;
  // Who could not be reached a moment ago by that connector will not be now.
  if (end == AttemptEnd::unreachable && !context_.pool.has_sound_link(*upstream_, tried_)) return false;
  if (kind == Retry::budgeted && !upstream_->budget->take(net::Loop::now())) {
    upstream_->cells->retries_denied.add();
    return false;
  }
  if (left_) repeated_ = true;
  summary_.reason = why;
  sent_ = 0;
  choose_instance();
  attempt();
  return true;
}

void Exchange::on_answer(int status, std::string_view reason) {
  if (status == 200) {
    upstream_->ejections.succeeded(stream_->connector());
    state_ = State::sending;
    wait_at_most(context_.answer_timeout);
    if (!to_send().empty()) stream_->resume();
    return;
  }
  const std::string why(reason.empty() ? std::string_view("the connector refused the stream") : reason);
  link_failed_ = false;
  const bool late = status == 504;
  if (late || status == 502) note_unreachable();
  release_stream(false);
  if (retry(late ? AttemptEnd::timed_out : AttemptEnd::unreachable, why)) return;
  fail(late ? 504 : 502, why);
}

/// The connector could not reach the service: others are chosen for a while.
void Exchange::note_unreachable() {
  const auto& link = *stream_->link();
  const auto time = upstream_->ejections.failed(stream_->connector(), net::Loop::now());
  if (time == base::Duration(0)) return;
  context_.metrics.ejections.add();
  if (time < kLoggedEjection) return;
  base::log::info("connector cannot reach a service: others are chosen",
                  {{"tunnel", link.tunnel_name},
                   {"connector", link.connector},
                   {"instance", link.instance},
                   {"service", upstream_->service},
                   {"for_ms", std::chrono::duration_cast<std::chrono::milliseconds>(time).count()}});
}

void Exchange::on_closed(link::Closed why) {
  stream_ = nullptr;
  const bool lost = why == link::Closed::link_lost;
  const std::string_view reason = lost                            ? "the link was lost"
                                  : why == link::Closed::refused  ? "the connector took no more streams"
                                  : why == link::Closed::finished ? "the stream ended"
                                                                  : "the service reset the connection";
  link_failed_ = !left_ && (lost || why == link::Closed::refused);
  const auto end = lost                           ? AttemptEnd::link_lost
                   : why == link::Closed::refused ? AttemptEnd::refused
                                                  : AttemptEnd::stream_lost;
  if (retry(end, reason)) return;
  if (link_failed_) return fail_unserved(Unserved::links_failed, reason);
  if (state_ == State::piping && why == link::Closed::finished) left_ = false;  // both halves ended: nothing is cut off
  fail(502, reason);
}

/// The last attempt brought nothing to the service, and no link is left that could.
void Exchange::fail_unserved(Unserved why, std::string_view reason) {
  context_.metrics.unserved[static_cast<std::size_t>(why)].add();
  fail(503, reason, true);
}

/// The link is silent. False: the request has to wait for what becomes of it.
bool Exchange::move_on() {
  constexpr std::string_view kWhy = "the link went silent";
  const auto kind = retry_of(AttemptEnd::link_lost, made());
  if (kind == Retry::none) return false;
  if (kind == Retry::budgeted && !upstream_->budget->has(net::Loop::now())) {
    upstream_->cells->retries_denied.add();
    return false;
  }
  release_stream(false);
  link_failed_ = !left_;
  if (!retry(AttemptEnd::link_lost, kWhy)) fail(502, kWhy);
  return true;
}

void Exchange::on_deadline() {
  // Neither link nor service owes anything as long as the visitor brings nothing; its pace is watched elsewhere.
  const bool awaits_visitor = state_ == State::sending && !request_ended_ && to_send().empty();
  if (awaits_visitor) return wait_at_most(context_.answer_timeout);
  const auto now = net::Loop::now();
  if (now >= give_up_) {
    return fail(504,
                state_ == State::opening ? "the connector did not accept the stream" : "the service did not answer");
  }
  if (!probed_) {
    probed_ = true;
    context_.pool.doubt(*stream_);  // nothing came for a while: is it the link?
    return deadline_.set(std::min(give_up_, now + kVerdictWithin));
  }
  // The link had its chance to show a byte. A slow service is no fault of the link, so on a live one we wait on, and on
  // one that is leaving too: it finishes what it has.
  if (stream_->link()->state.load(std::memory_order_relaxed) == LinkState::suspect && move_on()) return;
  deadline_.set(std::min(give_up_, now + kAcceptWithin));
  probed_ = false;
}

}  // namespace adit::gateway
