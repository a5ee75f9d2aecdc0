#pragma once
// Boost.Beast's WebSocket for the sources of message channels; it is heavy, so no other header includes it.

#include "net/asio.h"
//
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "net/tls_context.h"

namespace adit::net {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
using TlsStream = asio::ssl::stream<TcpSocket>;
using WebSocket = websocket::stream<TlsStream>;

/// A WebSocket over TLS with the settings of `context`.
std::shared_ptr<WebSocket> make_web_socket(TcpSocket socket, const TlsContext& context);

/// Why a TLS handshake failed: for a rejected certificate what is wrong with it.
std::string tls_failure(TlsStream& stream, const Error& error);

/// The first line of a text from the network, printable and of a decent length.
std::string printable_line(std::string_view text);

/// Ends the connection at once; what is pending completes with an error.
void abort(WebSocket& socket);

}  // namespace adit::net
