#pragma once
// The one way to include Boost.Asio: it is heavy, so this is the precompiled header of every folder that uses it.

// Asio 1.74 uses std::exchange in its coroutine headers without including <utility>.
#include <utility>

#include <boost/asio.hpp>

namespace adit::net {

namespace asio = boost::asio;
using Error = boost::system::error_code;
/// A socket of any stream protocol (TCP, Unix) whose executor is named: any_io_executor costs a call per operation.
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

}  // namespace adit::net
