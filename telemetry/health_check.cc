#include "telemetry/health_check.h"

#include <iostream>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/settings.h"
#include "base/text.h"
#include "telemetry/admin_asio.h"

namespace adit::telemetry {
namespace {

using asio::ip::tcp;

constexpr std::string_view kScheme = "http://";
constexpr std::chrono::milliseconds kUsualLimit{3'000};

/// One question and its answer; each step begins when the one before has succeeded.
class Question {
 public:
  Question(asio::io_context& io, const HealthUrl& url) : resolver_(io.get_executor()), stream_(io.get_executor()) {
    const bool is_v6 = url.host.find(':') != std::string::npos;
    request_.method(http::verb::get);
    request_.target(url.path);
    request_.set(http::field::host, (is_v6 ? "[" + url.host + "]" : url.host) + ":" + url.port);
    request_.set(http::field::connection, "close");
    resolver_.async_resolve(url.host, url.port, [this](beast::error_code error, const auto& found) {
      if (succeeded(error, "name not found")) connect(found);
    });
  }

  /// Absent while it is under way.
  const std::optional<base::Result<void>>& answer() const { return answer_; }

 private:
  using Resolver = asio::ip::basic_resolver<tcp, asio::io_context::executor_type>;

  void connect(const Resolver::results_type& found) {
    stream_.async_connect(found, [this](beast::error_code error, const tcp::endpoint&) {
      if (succeeded(error, "cannot connect")) send();
    });
  }

  void send() {
    http::async_write(stream_, request_, [this](beast::error_code error, std::size_t) {
      if (succeeded(error, "cannot send")) receive();
    });
  }

  void receive() {
    http::async_read_header(stream_, buffer_, parser_, [this](beast::error_code error, std::size_t) {
      if (!succeeded(error, "no answer")) return;
      const auto status = parser_.get().result_int();
      if (status >= 200 && status < 300) {
        answer_ = base::Result<void>();
      } else {
        answer_ = base::Error{"status " + std::to_string(status)};
      }
    });
  }

  bool succeeded(beast::error_code error, const char* what) {
    if (error) answer_ = base::Error{std::string(what) + ": " + error.message()};
    return !error;
  }

  Resolver resolver_;
  AdminStream stream_;
  http::request<http::empty_body> request_;
  http::response_parser<http::empty_body> parser_;
  beast::flat_buffer buffer_;
  std::optional<base::Result<void>> answer_;
};

struct Attempt {
  explicit Attempt(const HealthUrl& url) : question(io, url) {}
  asio::io_context io{1};
  Question question;
};

/// Never destroyed: that would wait for a resolver that hangs, and the process is about to end.
std::vector<std::unique_ptr<Attempt>>& abandoned() {
  static auto* const attempts = new std::vector<std::unique_ptr<Attempt>>;
  return *attempts;
}

struct Command {
  HealthUrl url;
  std::chrono::milliseconds limit = kUsualLimit;
};

base::Result<Command> parse(std::span<const char* const> arguments) {
  Command command;
  if (arguments.size() == 3 && std::string_view(arguments[0]) == "--timeout") {
    const auto limit = base::parse_duration(arguments[1]);
    if (!limit) return base::Error{"--timeout: " + limit.error()};
    command.limit = *limit;
    arguments = arguments.subspan(2);
  }
  if (arguments.size() != 1) return base::Error{"usage: healthcheck [--timeout DURATION] http://HOST[:PORT][/PATH]"};
  auto url = parse_health_url(arguments[0]);
  if (!url) return base::Error{std::string(arguments[0]) + ": " + url.error()};
  command.url = *std::move(url);
  return command;
}

bool is_visible(std::string_view text) {
  return text.find_first_of(std::string_view(" \t\r\n\v\f\0", 7)) == std::string_view::npos;
}

}  // namespace

base::Result<HealthUrl> parse_health_url(std::string_view text) {
  if (!text.starts_with(kScheme)) return base::Error{"is no http:// URL"};
  if (!is_visible(text)) return base::Error{"has spaces in it"};
  text.remove_prefix(kScheme.size());
  const auto slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  HealthUrl url{"", "80", slash == text.size() ? "/" : std::string(text.substr(slash))};
  const auto bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = base::parse_decimal(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65'535) return base::Error{"has no port between 1 and 65535 behind the colon"};
    url.port = std::to_string(*port);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  if (authority.empty() || authority.find_first_of("[]@?#") != std::string_view::npos) {
    return base::Error{"names no host"};
  }
  url.host = authority;
  return url;
}

base::Result<void> check_health(const HealthUrl& url, std::chrono::milliseconds limit) {
  auto attempt = std::make_unique<Attempt>(url);
  const auto& answer = attempt->question.answer();
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!answer && attempt->io.run_one_until(until) > 0) continue;
  if (answer) return *answer;
  abandoned().push_back(std::move(attempt));
  return base::Error{"no answer within " + base::to_string(limit)};
}

std::optional<int> health_check_command(int argc, const char* const* argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 2 || std::string_view(arguments[1]) != "healthcheck") return std::nullopt;
  const auto command = parse(arguments.subspan(2));
  if (!command) {
    std::cerr << arguments[0] << ": " << command.error() << '\n';
    return 2;
  }
  const auto answer = check_health(command->url, command->limit);
  if (answer) return 0;
  std::cerr << arguments[0] << ": " << arguments.back() << ": " << answer.error() << '\n';
  return 1;
}

}  // namespace adit::telemetry
