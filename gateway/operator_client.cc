#include "gateway/operator_client.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "base/text.h"
#include "control/messages.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kLongestToken = 16U << 10U;

base::Result<std::string> read_text(const std::filesystem::path& path, const char* flag) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return base::Error{std::string(flag) + " " + path.string() + ": cannot be read"};
  return std::move(text).str();
}

/// Without the line break that editors leave; as it can stand in a header.
base::Result<std::string> read_token(const std::filesystem::path& path) {
  auto text = read_text(path, "--operator-token-file");
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const auto bad = [](char c) { return c <= ' ' || c >= '\x7f'; };
  if (text->empty() || text->size() > kLongestToken || std::any_of(text->begin(), text->end(), bad)) {
    return base::Error{"--operator-token-file " + path.string() + ": does not hold a token"};
  }
  return text;
}

}  // namespace

OperatorClient::OperatorClient(net::Loop& loop, OperatorAccess access, OperatorClientOwner& owner)
    : loop_(loop),
      access_(std::move(access)),
      owner_(owner),
      backoff_(access_.backoff, random_),
      redial_(net::Deadline::of<&OperatorClient::dial>(loop, this)),
      token_check_(net::Deadline::of<&OperatorClient::look_at_token>(loop, this)) {}

OperatorClient::~OperatorClient() = default;

void OperatorClient::stop() {
  redial_.clear();
  token_check_.clear();
  dial_.reset();
  if (channel_) channel_->close("the gateway ends");
  channel_.reset();
}

base::Result<net::ChannelRequest> OperatorClient::request() {
  auto token = read_token(access_.token_file);
  if (!token) return base::Error{token.error()};
  auto ca = read_text(access_.ca_file, "--operator-ca-file");
  if (!ca) return base::Error{ca.error()};
  // An empty one would mean the system's roots, which are not whom an operator is signed by.
  if (ca->empty()) return base::Error{"--operator-ca-file " + access_.ca_file.string() + ": is empty"};
  token_ = *token;
  net::ChannelRequest request{access_.url, std::move(*token), {}, access_.limits};
  request.trust.ca_pem = std::move(*ca);
  return request;
}

void OperatorClient::dial() {
  auto to = request();
  if (!to) return on_failed(to.error());
  dial_ = net::ChannelDial::start(
      loop_, std::move(*to), [this](std::unique_ptr<net::MessageChannel> channel) { on_connected(std::move(channel)); },
      [this](const std::vector<net::ChannelFailure>& failures) {
        std::string why;
        for (const auto& failure : failures) why += (why.empty() ? "" : "; ") + failure.text();
        on_failed(why);
      });
}

void OperatorClient::on_connected(std::unique_ptr<net::MessageChannel> channel) {
  dial_.reset();
  channel_ = std::move(channel);
  net::ChannelOwner& owner = *this;
  channel_->start(owner);
  token_check_.set(net::Loop::now() + access_.token_check);
  owner_.on_operator_connected(channel_->remote());
}

void OperatorClient::on_failed(const std::string& why) {
  dial_.reset();
  channel_.reset();
  token_check_.clear();
  redial_.set(net::Loop::now() + backoff_.next());
  owner_.on_operator_lost(why);
}

void OperatorClient::on_message(std::string_view text) {
  const auto taken = owner_.on_operator_message(text);
  if (taken || !channel_) return;
  channel_->close(taken.error());
  on_failed("the operator's message was refused: " + taken.error());
}

void OperatorClient::on_closed(std::string_view why) { on_failed(std::string(why)); }

void OperatorClient::send(std::string text) {
  if (channel_) channel_->send(std::move(text));
}

void OperatorClient::look_at_token() {
  token_check_.set(net::Loop::now() + access_.token_check);
  const auto token = read_token(access_.token_file);
  // A file that is being replaced is looked at again later.
  if (!token || *token == token_) return;
  token_ = *token;
  send(write(control::GatewayMessage(control::TokenMessage{token_})));
}

}  // namespace adit::gateway
