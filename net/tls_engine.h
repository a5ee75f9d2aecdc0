#pragma once
// TLS as a transformation of bytes: records in, plain bytes out, and back. Sans-io, over OpenSSL with a BIO of our own.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "base/buffer.h"
#include "net/tls_failure.h"

namespace adit::net {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

/// One TLS connection. Takes what arrived from cipher_in() and leaves what is to be sent in cipher_out().
/// (asio::ssl::stream reads one record at a time through fixed 17 KiB buffers: measured 1.79 against 1.30 CPU s/GB.)
class TlsEngine {
 public:
  enum class Status {
    ok,          ///< done; for read(): all that had arrived was decrypted
    want_input,  ///< more must arrive first
    closed,      ///< the peer said close_notify
    failed,      ///< fatal; error() tells why, and cipher_out() may hold an alert to be sent
  };

  /// `ssl` is set up for its role (SSL_set_accept_state or SSL_set_connect_state).
  explicit TlsEngine(SslPtr ssl);
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  base::Buffer& cipher_in() { return cipher_in_; }
  base::Buffer& cipher_out() { return cipher_out_; }

  /// A server takes at most 40 KiB of it: two ClientHellos of 16 KiB (the second after HelloRetryRequest) in records.
  Status handshake();
  /// Appends everything that can be decrypted to `plain`.
  Status read(base::Buffer& plain);
  /// Encrypts from the front of `plain` until that is empty or cipher_out() holds `limit` bytes or more.
  Status write(base::Buffer& plain, std::size_t limit);
  /// Leaves a close_notify in cipher_out().
  void close();

  /// Of the failure: OpenSSL's reason, and for a rejected certificate which check failed on which name.
  const std::string& error() const { return error_; }
  /// Of the failure; nullptr as long as there is none, and when the peer just closed.
  const TlsFailure* failure() const { return failure_.get(); }
  SSL* ssl() { return ssl_.get(); }
  /// The name that the client asked for (SNI), empty if none.
  std::string_view server_name() const;

 private:
  static int bio_read(BIO* bio, char* into, int size);
  static int bio_write(BIO* bio, const char* from, int size);
  static long bio_control(BIO* bio, int command, long, void*);
  static BIO_METHOD* bio_method();
  static int on_verified(int accepted, X509_STORE_CTX* store);
  Status status_of(int result);

  SslPtr ssl_;
  base::Buffer cipher_in_;
  base::Buffer cipher_out_;
  std::string error_;
  std::unique_ptr<TlsFailure> failure_;
  std::size_t may_take_;  ///< bytes from cipher_in_; limited for a server's handshake
};

}  // namespace adit::net
