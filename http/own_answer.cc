// The answers that the edge gives itself.

#include <algorithm>
#include <array>
#include <utility>

#include "http/forwarding.h"
#include "http/head_writer.h"

namespace adit::http {
namespace {

/// The registry of RFC 9110 §16.2.1, in ascending order.
constexpr std::array<std::pair<int, std::string_view>, 61> kPhrases = {{
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
}};

}  // namespace

std::string_view reason_phrase(int status) {
  const auto* found = std::lower_bound(kPhrases.begin(), kPhrases.end(), status,
                                       [](const auto& phrase, int wanted) { return phrase.first < wanted; });
  return found != kPhrases.end() && found->first == status ? found->second : "Unknown";
}

void write_own_answer(base::Buffer& out, int status, std::string_view extra, bool close, bool head_request) {
  const Digits code(static_cast<unsigned>(status));
  const auto reason = reason_phrase(status);
  const auto body_size = code.view().size() + 1 + reason.size() + 1;
  HeadWriter writer(out, 256 + extra.size() + 2 * body_size);
  const auto status_text = [&] {
    writer.put(code.view());
    writer.put(" ");
    writer.put(reason);
  };
  writer.put("HTTP/1.1 ");
  status_text();
  writer.put("\r\n");
  const bool bodiless = status < 200 || status == 204 || status == 304;
  if (!bodiless) {
    writer.put("Content-Type: text/plain; charset=utf-8\r\n");
    writer.field("Content-Length", Digits(body_size).view());
  }
  writer.put(extra);
  if (close) writer.put("Connection: close\r\n");
  writer.put("\r\n");
  if (!bodiless && !head_request) {
    status_text();
    writer.put("\n");
  }
  writer.done();
}

}  // namespace adit::http
