#include "net/tls_engine.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "net/tls_context.h"

namespace adit::net {
namespace {

constexpr std::size_t kRecord = 16 * 1024;  // the most plain bytes that one record carries (RFC 8446 §5.1)
constexpr std::size_t kMostHandshake = 40 * 1024;
constexpr auto kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kDecodeError("\x15\x03\x03\x00\x02\x02\x32", 7);  // a fatal alert (RFC 8446 §6)
constexpr std::size_t kRecordExtra = 32;  // more than what AES-GCM and ChaCha20 records add to them

}  // namespace

TlsEngine::TlsEngine(SslPtr ssl)
    : ssl_(std::move(ssl)), may_take_(SSL_is_server(ssl_.get()) ? kMostHandshake : kNoLimit) {
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes the one reference for both directions
  if (const int mode = SSL_get_verify_mode(ssl_.get()); mode != SSL_VERIFY_NONE) {
    SSL_set_verify(ssl_.get(), mode, on_verified);
  }
}

BIO_METHOD* TlsEngine::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "adit");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

int TlsEngine::bio_read(BIO* bio, char* into, int size) {
  auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
  auto& in = engine.cipher_in_;
  BIO_clear_retry_flags(bio);
  if (in.empty() || engine.may_take_ == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto count = std::min({in.size(), static_cast<std::size_t>(size), engine.may_take_});
  if (engine.may_take_ != kNoLimit) engine.may_take_ -= count;
  std::memcpy(into, in.readable().data(), count);
  in.consume(count);
  return static_cast<int>(count);
}

int TlsEngine::bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  static_cast<TlsEngine*>(BIO_get_data(bio))
      ->cipher_out_.append(std::string_view(from, static_cast<std::size_t>(size)));
  return size;
}

long TlsEngine::bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

TlsEngine::Status TlsEngine::status_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Status::ok;
    case SSL_ERROR_WANT_READ:
      return Status::want_input;
    case SSL_ERROR_ZERO_RETURN:
      return Status::closed;
    default:
      break;
  }
  if (failure_) {  // on_verified() has refused the certificate
    error_ = refusal_text(*failure_);
    ERR_clear_error();
  } else {
    failure_ = std::make_unique<TlsFailure>(failure_of(ERR_peek_error()));
    error_ = openssl_error("TLS");
  }
  return Status::failed;
}

/// Keeps what is known of the first certificate that is refused; OpenSSL itself forgets it.
int TlsEngine::on_verified(int accepted, X509_STORE_CTX* store) {
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& engine = *static_cast<TlsEngine*>(BIO_get_data(SSL_get_rbio(ssl)));
  if (accepted == 0 && !engine.failure_) engine.failure_ = std::make_unique<TlsFailure>(failure_of(store));
  return accepted;
}

TlsEngine::Status TlsEngine::handshake() {
  ERR_clear_error();
  const auto status = status_of(SSL_do_handshake(ssl_.get()));
  if (status == Status::want_input && may_take_ == 0) {
    error_ = "the handshake is larger than 40 KiB";
    // Nothing is encrypted yet if the ClientHello is what is too large.
    const auto state = SSL_get_state(ssl_.get());
    if (state == TLS_ST_BEFORE || state == TLS_ST_SR_CLNT_HELLO) cipher_out_.append(kDecodeError);
    return Status::failed;
  }
  if (status == Status::ok) {
    may_take_ = kNoLimit;
    // A staple was sent; OpenSSL would keep its copy as long as the connection.
    if (SSL_is_server(ssl_.get())) SSL_set_tlsext_status_ocsp_resp(ssl_.get(), nullptr, 0);
  }
  return status;
}

TlsEngine::Status TlsEngine::read(base::Buffer& plain) {
  // Records only shrink. Bulk gets room for all of them at once, and for the one whose beginning OpenSSL holds, so that
  // the block is not grown, and copied, from record to record.
  const bool bulk = cipher_in_.size() >= kRecord;
  std::size_t expected = cipher_in_.size() + (bulk ? kRecord : 0);
  while (true) {
    ERR_clear_error();
    const auto room = plain.reserve(std::max<std::size_t>(std::exchange(expected, cipher_in_.size()), 1));
    const int count =
        SSL_read(ssl_.get(), room.data(), static_cast<int>(std::min<std::size_t>(room.size(), 1U << 30U)));
    if (count > 0) {
      plain.commit(static_cast<std::size_t>(count));
      // Asking once more would only hear that there is nothing: OpenSSL reads no further than the record it returns.
      if (cipher_in_.empty() && SSL_pending(ssl_.get()) == 0) return Status::ok;
      continue;
    }
    if (plain.empty()) plain.clear();  // an idle connection holds no block
    const auto status = status_of(count);
    return status == Status::want_input ? Status::ok : status;
  }
}

TlsEngine::Status TlsEngine::write(base::Buffer& plain, std::size_t limit) {
  if (cipher_out_.size() < limit) {  // grown once, not from record to record
    const auto most = std::min(plain.size(), limit - cipher_out_.size());
    cipher_out_.reserve(most + (most / kRecord + 1) * kRecordExtra);
  }
  while (!plain.empty() && cipher_out_.size() < limit) {
    ERR_clear_error();
    const auto piece = std::min(plain.size(), kRecord);
    const int count = SSL_write(ssl_.get(), plain.readable().data(), static_cast<int>(piece));
    if (count <= 0) return status_of(count);
    plain.consume(static_cast<std::size_t>(count));
  }
  return Status::ok;
}

void TlsEngine::close() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
}

std::string_view TlsEngine::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? std::string_view(name) : std::string_view();
}

}  // namespace adit::net
