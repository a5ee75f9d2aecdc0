#include "net/message_server.h"

#include <atomic>
#include <map>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "net/address.h"
#include "net/channel_entrance.h"
#include "net/channel_session.h"
#include "net/listener.h"

namespace adit::net {
namespace {

/// How many connections there are, from where.
class Places {
 public:
  Places(std::size_t most, std::size_t most_per_address) : most_(most), most_per_address_(most_per_address) {}

  /// Keeps a place until it is destroyed; nullptr when there is none.
  static std::shared_ptr<void> take(const std::shared_ptr<Places>& places, const std::string& address) {
    auto& here = places->by_address_[address];
    if (places->total_ >= places->most_ || here >= places->most_per_address_) {
      if (here == 0) places->by_address_.erase(address);
      return nullptr;
    }
    ++places->total_;
    ++here;
    return {places.get(), [places, address](Places*) { places->give(address); }};
  }

 private:
  void give(const std::string& address) {
    --total_;
    const auto here = by_address_.find(address);
    if (--here->second == 0) by_address_.erase(here);
  }

  std::size_t most_;
  std::size_t most_per_address_;
  std::size_t total_ = 0;
  std::map<std::string, std::size_t> by_address_;
};

}  // namespace

/// On its own thread, but for the life of the thread.
class MessageServer::Server final : public std::enable_shared_from_this<Server>, private EntranceOwner {
 public:
  Server(const MessageServerOptions& options, TlsContext tls, Decide decide, Accepted accepted)
      : options_(options),
        tls_(std::move(tls)),
        decide_(std::move(decide)),
        accepted_(std::move(accepted)),
        places_(std::make_shared<Places>(options.most_sessions, options.most_per_address)) {}

  base::Result<void> start();
  void stop();

  Loop& loop() { return loop_; }
  asio::ip::tcp::endpoint endpoint() const { return listener_->endpoint(); }
  void set_tls(TlsContext tls) { tls_ = std::move(tls); }
  void answer(const std::weak_ptr<ChannelEntrance>& entrance, const std::optional<ChannelRefusal>& refusal) {
    if (const auto waiting = entrance.lock()) waiting->answer(refusal);
  }

 private:
  void accept(Socket socket, const asio::ip::tcp::endpoint& peer);
  void decide(ChannelEntrance& entrance) override;
  void accepted(ChannelEntrance& entrance) override;
  void over(ChannelEntrance& entrance) override { entrances_.erase(entrance.shared_from_this()); }
  void end_all();

  Loop loop_;
  MessageServerOptions options_;
  TlsContext tls_;
  Decide decide_;
  Accepted accepted_;
  std::shared_ptr<Places> places_;
  std::unique_ptr<Listener> listener_;
  std::unordered_set<std::shared_ptr<ChannelEntrance>> entrances_;
  std::vector<std::weak_ptr<ChannelSession>> sessions_;
  std::thread thread_;
};

namespace {

/// What a decision needs to find its way back: it may come from any thread, after the server's end, or never.
template <class Server>
class Decision {
 public:
  Decision(std::weak_ptr<Server> server, std::weak_ptr<ChannelEntrance> entrance)
      : server_(std::move(server)), entrance_(std::move(entrance)) {}
  Decision(const Decision&) = delete;
  Decision& operator=(const Decision&) = delete;
  ~Decision() { take(ChannelRefusal{503, "undecided", std::nullopt}); }

  void take(std::optional<ChannelRefusal> refusal) {
    if (taken_.exchange(true)) return;
    const auto server = server_.lock();
    if (!server) return;
    server->loop().post([to = server_, entrance = entrance_, refusal = std::move(refusal)] {
      if (const auto there = to.lock()) there->answer(entrance, refusal);
    });
  }

 private:
  std::weak_ptr<Server> server_;
  std::weak_ptr<ChannelEntrance> entrance_;
  std::atomic<bool> taken_{false};
};

}  // namespace

base::Result<void> MessageServer::Server::start() {
  auto listener = Listener::open(loop_, options_.where, false);
  if (!listener) return base::Error{listener.error()};
  listener_ = std::move(*listener);
  listener_->start([this](Socket socket, const asio::ip::tcp::endpoint& peer) { accept(std::move(socket), peer); });
  thread_ = std::thread([this] { loop_.run(); });
  return {};
}

void MessageServer::Server::accept(Socket socket, const asio::ip::tcp::endpoint& peer) {
  auto place = Places::take(places_, host_text(peer));
  if (!place) return;
  Error error;
  TcpSocket own(loop_.context());
  own.assign(peer.protocol(), socket.release(error), error);
  if (error) return;
  own.set_option(asio::ip::tcp::no_delay(true), error);
  EntranceOwner& owner = *this;
  const auto entrance = std::make_shared<ChannelEntrance>(loop_, owner, options_, make_web_socket(std::move(own), tls_),
                                                          to_text(peer), std::move(place));
  entrances_.insert(entrance);
  entrance->start();
}

void MessageServer::Server::decide(ChannelEntrance& entrance) {
  const auto decision = std::make_shared<Decision<Server>>(weak_from_this(), entrance.weak_from_this());
  decide_(entrance.hello(), [decision](std::optional<ChannelRefusal> refusal) { decision->take(std::move(refusal)); });
}

void MessageServer::Server::accepted(ChannelEntrance& entrance) {
  const auto session = std::make_shared<ChannelSession>(loop_, entrance.take_socket(), entrance.hello().remote,
                                                        options_.limits, entrance.take_place());
  std::erase_if(sessions_, [](const auto& other) { return other.expired(); });
  sessions_.push_back(session);
  accepted_(session->handle(), entrance.hello());
}

void MessageServer::Server::end_all() {
  listener_->close();
  for (const auto& entrance : std::vector(entrances_.begin(), entrances_.end())) entrance->leave();
  for (const auto& held : std::vector(sessions_)) {
    if (const auto session = held.lock()) session->end("the server has ended");
  }
}

void MessageServer::Server::stop() {
  loop_.post([this] {
    end_all();
    loop_.stop();
  });
  thread_.join();
  // What was pending on the sockets hears of their end; then nothing refers to the loop any more.
  auto& context = loop_.context();
  context.restart();
  while (context.poll() != 0) {
  }
  for (const auto& held : sessions_) {
    if (const auto session = held.lock()) session->drop_socket();
  }
}

base::Result<std::unique_ptr<MessageServer>> MessageServer::start(const MessageServerOptions& options, TlsContext tls,
                                                                  Decide decide, Accepted accepted) {
  auto server = std::make_shared<Server>(options, std::move(tls), std::move(decide), std::move(accepted));
  if (auto started = server->start(); !started) return base::Error{started.error()};
  return std::unique_ptr<MessageServer>(new MessageServer(std::move(server)));
}

MessageServer::MessageServer(std::shared_ptr<Server> server) : server_(std::move(server)) {}

MessageServer::~MessageServer() { server_->stop(); }

void MessageServer::set_tls(TlsContext tls) {
  server_->loop().post([server = server_.get(), tls = std::move(tls)] { server->set_tls(tls); });
}

Loop& MessageServer::loop() { return server_->loop(); }

asio::ip::tcp::endpoint MessageServer::endpoint() const { return server_->endpoint(); }

}  // namespace adit::net
