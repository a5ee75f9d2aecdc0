#pragma once
// Boost.Asio and Beast for the two sources of the admin server; both are heavy, so no other header includes them.

// Asio 1.74 uses std::exchange in its coroutine headers without including <utility>.
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace adit::telemetry {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using AdminStream = beast::basic_stream<asio::ip::tcp, asio::io_context::executor_type>;

}  // namespace adit::telemetry
