// A session that hears anything after a valid opening, with users that do anything from within their callbacks.
// The first byte chooses the role, the second seeds what the users do, the third the size of the pieces.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "link/session.h"

namespace {

using namespace adit;

void require(bool holds) {
  if (!holds) std::abort();
}

class World;

/// A stream's user that picks what it does.
class User final : public link::StreamHandler {
 public:
  explicit User(World& world) : world_(world) {}
  link::Stream* stream = nullptr;

  void on_answer(int, std::string_view) override { act(); }
  void on_data(std::span<const char> bytes) override {
    require(stream != nullptr);
    received_ += bytes.size();
    act();
  }
  void on_end() override { act(); }
  void on_closed(link::Closed) override {
    require(stream != nullptr);  // told once, and never after reset()
    act();
    stream = nullptr;
  }
  std::span<const char> to_send() override { return out_.readable(); }
  void on_sent(std::size_t size) override {
    out_.consume(size);
    act();
  }
  void act();

 private:
  World& world_;
  std::size_t received_ = 0;
  base::Buffer out_;
};

class World final : public link::SessionEvents {
 public:
  World(link::Role role, std::uint64_t seed)
      : random(seed), session(std::make_unique<link::Session>(role, link::SessionOptions{}, *this, now)) {}
  ~World() {
    session->abandon();
    for (const auto& user : users) require(user->stream == nullptr);
  }

  base::Random random;
  base::TimePoint now{std::chrono::hours(1)};
  std::vector<std::unique_ptr<User>> users;
  std::unique_ptr<link::Session> session;

  link::StreamHandler* on_open(link::Stream& stream, const link::Opening&) override {
    auto& user = add();
    user.stream = &stream;
    user.act();
    // A refusal by nullptr is not followed by any call.
    if (user.stream != nullptr && random.up_to(7) == 0) user.stream = nullptr;
    return user.stream == nullptr ? nullptr : &user;
  }
  void on_ready() override { open(); }
  void on_control(const link::ControlMessage& message) override {
    if (random.up_to(3) == 0) session->send_control(message);
  }
  void on_suspect(bool) override {}
  void on_wants_write() override {}

  void open() {
    if (users.size() > 50) return;
    auto& user = add();
    user.stream = session->open({"default", "192.0.2.1:1", "id"}, user);
  }

  /// One piece from the peer, then what the session has to say. False when the link is over.
  bool turn(std::string_view piece) {
    now += std::chrono::milliseconds(random.up_to(2000));
    if (session->deadline() <= now && !session->on_time(now)) return false;
    if (!session->receive(piece, now)) return false;
    for (std::size_t i = 0; i < users.size() && random.up_to(1) == 0; ++i) users[i]->act();
    base::Buffer out;
    return bool{session->produce(out, 1 + random.up_to(100'000))} && !session->finished();
  }

 private:
  User& add() { return *users.emplace_back(std::make_unique<User>(*this)); }
};

void User::act() {
  if (stream == nullptr) return;
  switch (world_.random.up_to(15)) {
    case 0:
      std::exchange(stream, nullptr)->reset();
      break;
    case 1:
      stream->finish();
      break;
    case 2:
      stream->answer(502, "no");
      break;
    case 3:
      world_.open();
      break;
    case 4:
      if (world_.random.up_to(20) == 0) world_.session->shutdown();
      break;
    case 5:
      if (world_.random.up_to(50) == 0) world_.session->abandon();
      break;
    case 6:
      world_.users[world_.random.up_to(world_.users.size() - 1)]->act();
      break;
    case 7:
      out_.append(std::string_view("some bytes to send"));
      stream->resume();
      break;
    case 8:
    case 9:
    case 10:
      stream->answer(200, "");
      break;
    default:
      stream->consume(std::exchange(received_, 0));
  }
}

constexpr char kConnectorHears[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0";
constexpr char kGatewayHears[] = "\0\0\6\4\0\0\0\0\0\0\x8\0\0\0\1\0\0\0\4\1\0\0\0\0";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto role = (data[0] & 1U) == 0 ? link::Role::gateway : link::Role::connector;
  World world(role, data[1]);
  base::Buffer out;
  if (!world.session->produce(out, 1U << 20U)) return 0;
  const std::string_view opening = role == link::Role::gateway
                                       ? std::string_view(kGatewayHears, sizeof kGatewayHears - 1)
                                       : std::string_view(kConnectorHears, sizeof kConnectorHears - 1);
  require(world.turn(opening));
  const std::size_t step = 1 + data[2] * std::size_t{4};
  std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  while (!rest.empty() && world.turn(rest.substr(0, step))) rest.remove_prefix(std::min(step, rest.size()));
  return 0;
}
