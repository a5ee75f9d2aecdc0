#pragma once
// A stream whose owner writes down what it hears, and sockets to put under it.

#include <string>
#include <utility>

#include <sys/socket.h>

#include "net/stream.h"

namespace adit::net::test {

/// One end of a connection. It reads on by itself unless told not to.
class End final : public StreamOwner {
 public:
  End() = default;
  ~End() {
    if (stream) stream->close();
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  void start(StreamPtr with) {
    stream = std::move(with);
    stream->start(*this);
    if (reads && stream && stream->tls() == nullptr) stream->read();
  }
  void send(std::string_view bytes) {
    stream->out().append(bytes);
    stream->flush_soon();
  }

  void on_established() override {
    established = true;
    if (reads) stream->read();
  }
  void on_readable() override {
    in.append(stream->readable().data(), stream->readable().size());
    stream->consume(stream->readable().size());
    ended = stream->at_end();
    if (reads) stream->read();
  }
  void on_sent() override { ++sent_calls; }
  void on_broken(std::string_view why) override {
    broken = why.empty() ? "without a reason" : std::string(why);
    ++broken_calls;
  }

  StreamPtr stream;
  bool reads = true;
  bool established = false;
  bool ended = false;
  std::string in;
  std::string broken;
  int sent_calls = 0;
  int broken_calls = 0;
};

/// Two connected sockets.
inline std::pair<Socket, Socket> socket_pair(Loop& loop) {
  int descriptors[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, descriptors) != 0) throw std::system_error(errno, std::generic_category());
  const asio::generic::stream_protocol protocol(AF_UNIX, 0);
  return {Socket(loop.context(), protocol, descriptors[0]), Socket(loop.context(), protocol, descriptors[1])};
}

inline StreamPtr make_stream(Loop& loop, Socket socket, SslPtr ssl = nullptr) {
  return StreamPtr(new Stream(loop, std::move(socket), std::move(ssl)));
}

}  // namespace adit::net::test
