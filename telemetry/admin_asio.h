#pragma once
// Boost.Asio and Beast for the two sources of the admin server; both are heavy, so no other header includes them.

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "net/asio.h"

namespace adit::telemetry {

namespace asio = net::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using AdminStream = beast::basic_stream<asio::ip::tcp, asio::io_context::executor_type>;

}  // namespace adit::telemetry
