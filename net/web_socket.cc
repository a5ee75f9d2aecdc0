#include "net/web_socket.h"

#include "base/text.h"

namespace adit::net {

std::shared_ptr<WebSocket> make_web_socket(TcpSocket socket, const TlsContext& context) {
  SSL_CTX_up_ref(context.get());
  asio::ssl::context settings(context.get());  // owns what was just counted; the stream counts for itself
  return std::make_shared<WebSocket>(std::move(socket), settings);
}

std::string tls_failure(TlsStream& stream, const Error& error) {
  SSL* ssl = stream.native_handle();
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
    return std::string("certificate refused: ") + X509_verify_cert_error_string(verified);
  }
  return "TLS: " + error.message();
}

std::string printable_line(std::string_view text) {
  constexpr std::size_t kLongest = 300;
  std::string line;
  base::append_json_escaped(line, text.substr(0, std::min(text.find_first_of("\r\n"), kLongest)));
  return line;
}

void abort(WebSocket& socket) {
  Error ignored;
  beast::get_lowest_layer(socket).close(ignored);
}

}  // namespace adit::net
