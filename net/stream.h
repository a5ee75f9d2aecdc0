#pragma once
// A connection (TCP or Unix, plain or TLS) as a stream of plain bytes on one loop.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "base/buffer.h"
#include "net/asio.h"
#include "net/descriptor.h"
#include "net/handler_slot.h"
#include "net/loop.h"
#include "net/tls_engine.h"

namespace adit::net {

/// What a stream tells its owner, on the loop's thread. The owner may close() the stream from within any of these.
class StreamOwner {
 public:
  /// The TLS handshake is done. Not called for plain streams.
  virtual void on_established() {}
  /// The answer to read(): readable() has grown, or at_end() has become true.
  virtual void on_readable() = 0;
  /// unsent() has fallen.
  virtual void on_sent() = 0;
  /// The stream is useless and closed; the last call. `why` is for logs.
  virtual void on_broken(std::string_view why) = 0;

 protected:
  ~StreamOwner() = default;
};

/// Reading is pulled: each read() brings one on_readable(), so that who does not read exerts back-pressure. Writing is
/// gathered: what is appended to out() goes out together at the end of the turn. The stream is kept alive by its own
/// pending operations; close() ends these and silences it.
class Stream final : public TurnTask, public boost::intrusive_ref_counter<Stream, boost::thread_unsafe_counter> {
 public:
  /// What is left when a stream is taken off its loop, to go on elsewhere.
  struct Parts {
    Descriptor descriptor;
    int family = 0;
    std::unique_ptr<TlsEngine> tls;
    base::Buffer in;
  };

  /// The most that one read brings, bytes.
  static constexpr std::size_t kMostRead = 64 * 1024;

  Stream(Loop& loop, Socket socket, SslPtr ssl);
  Stream(Loop& loop, Parts parts);
  ~Stream();

  /// Must be called before anything else; the owner outlives the stream or closes it. Starts the TLS handshake.
  void start(StreamOwner& owner);
  void set_owner(StreamOwner& owner) { owner_ = &owner; }
  /// From here on the bytes are TLS, those that are readable() too: a plain preamble is over. Only when not reading and
  /// all is sent, and before another start(), which may then call the owner at once.
  void begin_tls(SslPtr ssl);

  /// Asks for more bytes. Until on_readable(), readable() must not be consumed. No effect after the end.
  void read();
  std::span<const char> readable() const { return in_.readable(); }
  void consume(std::size_t size);
  /// The peer sent its end (FIN, or close_notify): no more will come behind readable().
  bool at_end() const { return at_end_; }
  bool is_reading() const { return reading_; }

  /// What is readable, with its memory. Under the same condition as consume().
  base::Buffer take();
  /// Sends `bytes`: now, and so without a copy, if they are many and nothing waits before them; else at the turn's end.
  /// on_sent() follows either way.
  void write(std::span<const char> bytes);
  /// Bytes to send; call flush_soon() after appending.
  base::Buffer& out() { return out_; }
  void flush_soon() { loop_.defer_send(*this); }
  /// TLS: makes records of out() now; they are sent by flush().
  void encrypt_ahead();
  /// Sends at once what the socket takes.
  void flush();
  /// Bytes that the kernel has not taken yet (encrypted ones count with their overhead).
  std::size_t unsent() const;
  /// TCP: lets the kernel hold about so many bytes that the network has not taken yet, instead of megabytes.
  void limit_kernel_unsent(std::size_t size);
  /// Ends our half once everything is sent.
  void finish();
  /// Ends both halves at once; the owner hears nothing more. What is unsent is lost.
  void close();
  /// As close(), by a TCP reset: the peer must not mistake what it got for the whole.
  void abort();
  bool is_open() const { return open_; }

  /// Takes the connection off this loop. Only when nothing is pending: not reading, all sent.
  Parts release();

  TlsEngine* tls() { return tls_.get(); }
  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  void at_turn_end() override { flush(); }
  void on_read(Error error, std::size_t size);
  void took_bytes();
  bool advance_handshake();
  bool decrypt();
  bool encrypt();
  void wait_writable();
  void say_end();
  void end_half();
  void fail(std::string_view why);

  Loop& loop_;
  Socket socket_;
  StreamOwner* owner_ = nullptr;
  std::unique_ptr<TlsEngine> tls_;
  base::Buffer in_;
  base::Buffer out_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::string write_failure_;  ///< nothing can be sent any more; what the peer has sent is still read
  std::uint32_t read_size_;
  bool open_ = true;
  bool reading_ = false;
  bool waiting_writable_ = false;
  bool handshaking_ = false;
  bool wrote_ahead_ = false;  ///< on_sent() is owed for what write() has sent
  bool failing_ = false;      ///< TLS has failed, which is the reason to tell whatever becomes of the alert
  bool finishing_ = false;
  bool notified_ = false;  ///< close_notify was said
  bool finished_ = false;
  bool at_end_ = false;
  HandlerSlot read_slot_;
  HandlerSlot write_slot_;
};

using StreamPtr = boost::intrusive_ptr<Stream>;

}  // namespace adit::net
