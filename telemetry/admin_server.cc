#include "telemetry/admin_server.h"

#include <list>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "telemetry/admin_asio.h"
#include "telemetry/admin_session.h"

namespace adit::telemetry {
namespace {

using asio::ip::tcp;

constexpr std::chrono::seconds kGrace{1};
/// Between two tries to accept after the process ran out of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause{100};

base::Error failure(const base::ListenAddress& address, const beast::error_code& error) {
  return {"admin server cannot listen on " + base::to_string(address) + ": " + error.message()};
}

}  // namespace

/// The listener and its clients. Everything after `listen` happens on the thread.
class AdminServer::Server {
 public:
  Server(AdminHandlers handlers, AdminLimits limits) : handlers_(std::move(handlers)), limits_(limits) {}

  beast::error_code listen(const base::ListenAddress& address);
  void run();
  void stop();
  std::uint16_t port() const { return port_; }

 private:
  using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
  using Timer =
      asio::basic_waitable_timer<base::Clock, asio::wait_traits<base::Clock>, asio::io_context::executor_type>;

  beast::error_code bind(const tcp::endpoint& endpoint);
  void accept();
  void on_accept(beast::error_code error, AdminSession::Socket socket);
  void finish_all();

  const AdminHandlers handlers_;
  const AdminLimits limits_;
  std::list<AdminSession*> sessions_;  // the oldest first; a session removes itself
  asio::io_context io_{1};
  Acceptor acceptor_{io_};
  Timer timer_{io_};
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

beast::error_code AdminServer::Server::bind(const tcp::endpoint& endpoint) {
  beast::error_code error;
  acceptor_.close(error);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.protocol() == tcp::v6()) {
    // Every address means IPv4 too; one address means just that one.
    acceptor_.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  return error;
}

beast::error_code AdminServer::Server::listen(const base::ListenAddress& address) {
  if (address.host.empty()) {
    const auto error = bind({tcp::v6(), address.port});
    // A machine without IPv6.
    return error == asio::error::address_family_not_supported ? bind({tcp::v4(), address.port}) : error;
  }
  beast::error_code error;
  const auto found =
      tcp::resolver(io_).resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  return error ? error : bind(*found.begin());
}

void AdminServer::Server::run() {
  accept();
  thread_ = std::jthread([this] { io_.run(); });
}

void AdminServer::Server::stop() {
  asio::post(io_, [this] { finish_all(); });
  thread_.join();
}

void AdminServer::Server::finish_all() {
  beast::error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
  // finish() may end a session, which takes it out of the list, but not before its pending operation was completed.
  for (auto* session : sessions_) session->finish();
  if (sessions_.empty()) return;
  timer_.expires_after(kGrace);
  timer_.async_wait([this](beast::error_code cancelled) {
    if (cancelled) return;
    for (auto* session : sessions_) session->close();
  });
}

void AdminServer::Server::accept() {
  acceptor_.async_accept(
      [this](beast::error_code error, AdminSession::Socket socket) { on_accept(error, std::move(socket)); });
}

void AdminServer::Server::on_accept(beast::error_code error, AdminSession::Socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) {
    timer_.expires_after(kAcceptPause);
    return timer_.async_wait([this](beast::error_code cancelled) {
      if (!cancelled) accept();
    });
  }
  if (sessions_.size() >= limits_.connections) sessions_.front()->close();
  const auto place = sessions_.insert(sessions_.end(), nullptr);
  const auto session = std::make_shared<AdminSession>(std::move(socket), handlers_, limits_, [this, place] {
    sessions_.erase(place);
    if (sessions_.empty() && !acceptor_.is_open()) timer_.cancel();
  });
  *place = session.get();
  session->start();
  accept();
}

base::Result<std::unique_ptr<AdminServer>> AdminServer::start(const base::ListenAddress& address,
                                                              AdminHandlers handlers, AdminLimits limits) {
  if (address.off) return base::Error{"the admin server is off, so it cannot be started"};
  auto server = std::make_unique<Server>(std::move(handlers), limits);
  if (const auto error = server->listen(address)) return failure(address, error);
  server->run();
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(server)));
}

AdminServer::AdminServer(std::unique_ptr<Server> server) : server_(std::move(server)) {}
AdminServer::~AdminServer() { server_->stop(); }
std::uint16_t AdminServer::port() const { return server_->port(); }

}  // namespace adit::telemetry
