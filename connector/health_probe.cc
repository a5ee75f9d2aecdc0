#include "connector/health_probe.h"

#include <algorithm>
#include <utility>

#include "base/settings.h"
#include "base/version.h"

namespace adit::connector {
namespace {

constexpr std::string_view kBegin = "HTTP/1.";
constexpr std::size_t kStatusEnd = 12;  // "HTTP/1.1 200"

}  // namespace

int status_of_answer(std::string_view bytes) {
  const auto begin = std::min(bytes.size(), kBegin.size());
  if (bytes.substr(0, begin) != kBegin.substr(0, begin)) return -1;
  if (bytes.size() <= kStatusEnd) return 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto digits = bytes.substr(kStatusEnd - 3, 3);
  const char after = bytes[kStatusEnd];
  const bool fits = is_digit(bytes[kBegin.size()]) && bytes[kBegin.size() + 1] == ' ' &&
                    std::all_of(digits.begin(), digits.end(), is_digit) && digits[0] != '0' &&
                    (after == ' ' || after == '\r' || after == '\n');
  if (!fits) return -1;
  return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

std::string probe_request(const Service& service, std::string_view path) {
  const bool by_name = service.target.kind != net::Target::Kind::unix_socket;
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + (by_name ? service.target.text() : "localhost") +
         "\r\nUser-Agent: adit-connector/" + std::string(base::kVersion) + "\r\nConnection: close\r\n\r\n";
}

HealthProbe::HealthProbe(net::Loop& loop, const Service& service, const ProbeSettings& settings,
                         HealthProbeOwner& owner)
    : service_(service),
      settings_(settings),
      owner_(owner),
      dial_(loop, service, *this),
      deadline_(net::Deadline::of<&HealthProbe::on_deadline>(loop, this)) {}

void HealthProbe::start() {
  deadline_.set(net::Loop::now() + settings_.timeout);
  dial_.start();
}

void HealthProbe::cancel() {
  deadline_.clear();
  dial_.cancel();
  if (stream_) std::exchange(stream_, nullptr)->close();
}

void HealthProbe::on_service_reached(net::StreamPtr stream) {
  stream_ = std::move(stream);
  if (settings_.path.empty()) return done({});
  stream_->set_owner(*this);
  stream_->out().append(std::string_view(probe_request(service_, settings_.path)));
  stream_->flush_soon();
  stream_->read();
}

void HealthProbe::on_readable() {
  const auto bytes = stream_->readable();
  const int status = status_of_answer({bytes.data(), bytes.size()});
  if (status == 0 && !stream_->at_end()) return stream_->read();
  if (status == 0) return done("the service closed before it answered");
  if (status < 0) return done("the answer is not HTTP/1");
  if (status < 200 || status >= 400) return done("answered " + std::to_string(status));
  done({});
}

void HealthProbe::on_deadline() { done("not within " + base::to_string(settings_.timeout)); }

void HealthProbe::done(std::string_view failure) {
  const std::string kept(failure);  // of a stream that cancel() may end
  cancel();
  owner_.on_probed(kept);
}

}  // namespace adit::connector
