#include "http/failure_page.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/forwarding.h"
#include "http/head_writer.h"

namespace adit::http {
namespace {

constexpr std::string_view kHtmlHead =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\"><title>";
constexpr std::string_view kHtmlStyle =
    "</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:20vh "
    "auto;max-width:32em;padding:0 1em}small{opacity:.7}</style></head><body><h1>";

/// What a visitor may know and can do; empty where the phrase says it all.
std::string_view explanation(int status) {
  switch (status) {
    case 400:
      return "The request was malformed, so it was not passed on.";
    case 401:
      return "A user name and a password are needed here.";
    case 403:
      return "This address may not be visited from where you are.";
    case 404:
      return "There is nothing at this address.";
    case 408:
      return "The request came too slowly.";
    case 413:
      return "The request is larger than is allowed here.";
    case 421:
      return "This name is not served on this connection. Please try again on a new one.";
    case 429:
      return "There are too many requests. Please wait a moment and try again.";
    case 502:
      return "The service at this address could not be reached, or its answer could not be understood.";
    case 503:
      return "The service at this address is not available at the moment. Please try again soon.";
    case 504:
      return "The service at this address did not answer in time.";
    default:
      return {};
  }
}

/// The weight of a media range in thousandths (RFC 9110 §12.4.2); what cannot be read counts as 1.
int weight(std::string_view parameters) {
  int found = 1000;
  while (!parameters.empty()) {
    const auto end = parameters.find(';');
    const auto parameter = base::trim(parameters.substr(0, end));
    parameters = end == std::string_view::npos ? std::string_view() : parameters.substr(end + 1);
    if (parameter.size() < 3 || base::to_lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    if (parameter[2] == '1') continue;
    found = 0;
    int unit = 100;
    for (std::size_t i = 4; i < parameter.size() && unit != 0; ++i, unit /= 10) {
      if (parameter[i] >= '0' && parameter[i] <= '9') found += (parameter[i] - '0') * unit;
    }
  }
  return found;
}

/// A text of pieces, which is measured before it is written.
template <std::size_t kPieces>
struct Body {
  std::array<std::string_view, kPieces> pieces;
  std::size_t size() const {
    std::size_t total = 0;
    for (const auto piece : pieces) total += piece.size();
    return total;
  }
};

template <std::size_t kPieces>
void write(base::Buffer& out, const FailurePage& page, std::string_view code, std::string_view type,
           const Body<kPieces>& body) {
  const auto phrase = reason_phrase(page.status);
  HeadWriter writer(out, 256 + phrase.size() + page.fields.size() + page.request_id.size() + body.size());
  writer.put("HTTP/1.1 ");
  writer.put(code);
  writer.put(" ");
  writer.put(phrase);
  writer.put("\r\nContent-Type: ");
  writer.put(type);
  writer.put("\r\nCache-Control: no-store\r\n");
  writer.field("Content-Length", Digits(body.size()).view());
  if (!page.request_id.empty()) writer.field("X-Request-Id", page.request_id);
  writer.put(page.fields);
  if (page.close) writer.put("Connection: close\r\n");
  writer.put("\r\n");
  if (!page.to_head) {
    for (const auto piece : body.pieces) writer.put(piece);
  }
  writer.done();
}

}  // namespace

bool prefers_json(std::string_view accept) {
  int json = -1;
  int html = -1;
  base::for_each_item(accept, [&](std::string_view range) {
    const auto semicolon = range.find(';');
    const auto type = base::trim(range.substr(0, semicolon));
    const int q = semicolon == std::string_view::npos ? 1000 : weight(range.substr(semicolon + 1));
    if (base::equals_ignoring_case(type, "application/json") ||
        base::equals_ignoring_case(type, "application/problem+json")) {
      json = std::max(json, q);
    }
    if (base::equals_ignoring_case(type, "text/html") || base::equals_ignoring_case(type, "application/xhtml+xml")) {
      html = std::max(html, q);
    }
  });
  return json > 0 && json > html;
}

void write_failure(base::Buffer& out, const FailurePage& page) {
  const Digits digits(static_cast<unsigned>(page.status));
  const auto code = digits.view();
  const auto phrase = reason_phrase(page.status);
  const auto detail = explanation(page.status);
  const bool has_id = !page.request_id.empty();
  if (page.json) {
    const Body<11> json{{{"{\"type\":\"about:blank\",\"title\":\"", phrase, "\",\"status\":", code,
                          detail.empty() ? "" : ",\"detail\":\"", detail, detail.empty() ? "" : "\"",
                          has_id ? ",\"requestId\":\"" : "", page.request_id, has_id ? "\"" : "", "}\n"}}};
    return write(out, page, code, "application/problem+json", json);
  }
  if (!page.html.empty()) {
    return write(out, page, code, "text/html; charset=utf-8", Body<1>{{{page.html}}});
  }
  const Body<15> html{
      {{kHtmlHead, code, " ", phrase, kHtmlStyle, code, " ", phrase, "</h1>", detail.empty() ? "" : "<p>", detail,
        detail.empty() ? "" : "</p>", has_id ? "<p><small>Request " : "", page.request_id,
        has_id ? "</small></p></body></html>\n" : "</body></html>\n"}}};
  write(out, page, code, "text/html; charset=utf-8", html);
}

}  // namespace adit::http
