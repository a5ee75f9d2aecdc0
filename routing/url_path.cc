#include "routing/url_path.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "base/text.h"
#include "routing/problem.h"

namespace adit::routing {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = base::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// What a character may be for a path to be canonical already: any, behind a slash only 0.
constexpr auto kPathKinds = [] {
  std::array<std::uint8_t, 256> kinds{};
  kinds['/'] = 1;
  kinds['.'] = 2;
  kinds['%'] = kinds['\\'] = 3;
  return kinds;
}();

/// Asked of every request, so each character costs one look at the table.
bool is_canonical(std::string_view path) {
  int most = 2;
  for (const char c : path) {
    const int kind = kPathKinds[static_cast<unsigned char>(c)];
    if (kind > most) return false;
    most = kind == 1 ? 0 : 2;
  }
  return true;
}

/// The length of the encoded slash or the backslash at the beginning of `text`, in whose place a service might see a
/// slash; 0 when there is none.
std::size_t hidden_slash(std::string_view text) {
  if (text.starts_with('\\')) return 1;
  return text.starts_with("%2F") || text.starts_with("%5C") ? 3 : 0;
}

/// Parameters (";x", RFC 3986 §3.3) do not count: some servers cut them off first.
bool is_dots(std::string_view part) {
  const auto name = part.substr(0, part.find(';'));
  return name == "." || name == "..";
}

/// Whether a service might see "." or ".." in a decoded segment that is none of these for us.
bool hides_dots(std::string_view segment) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < segment.size();) {
    const auto slash = hidden_slash(segment.substr(i));
    if (slash != 0 && is_dots(segment.substr(begin, i - begin))) return true;
    i += std::max<std::size_t>(slash, 1);
    if (slash != 0) begin = i;
  }
  const auto last = segment.substr(begin);
  const bool is_plain = begin == 0 && last.find(';') == std::string_view::npos;
  return is_dots(last) && !is_plain;
}

enum class Dots : bool { keep, resolve };

/// Writes a path segment by segment into `room_`; never more bytes than were read.
class Canonicaliser {
 public:
  explicit Canonicaliser(PathRoom& room, Dots dots) : room_(room), dots_(dots) {}

  std::optional<std::string_view> run(std::string_view path) {
    while (!path.empty()) {
      path.remove_prefix(1);  // the slash before the segment
      const auto segment = path.substr(0, path.find('/'));
      path.remove_prefix(segment.size());
      if (!add(segment, path.empty())) return std::nullopt;
    }
    return std::string_view(room_.data(), end_);
  }

 private:
  bool add(std::string_view segment, bool last) {
    const std::size_t begin = end_;
    room_[end_++] = '/';
    if (!decode(segment)) return false;
    const std::string_view decoded(room_.data() + begin + 1, end_ - begin - 1);
    if (hides_dots(decoded)) return false;
    if (dots_ == Dots::keep && !decoded.empty()) return true;
    if (decoded.empty() || decoded == ".") {
      if (decoded.empty() && !last) empty_segment_ = true;
      // "/a/" and "/a/." name the directory: the final slash stays.
      end_ = last ? begin + 1 : begin;
      return true;
    }
    return decoded != ".." || up(begin, last);
  }

  /// ".." that begins at `begin`: drops the segment before it.
  bool up(std::size_t begin, bool last) {
    // With empty segments kept, as RFC 3986 reads them, ".." would drop another segment than with them merged.
    if (begin == 0 || empty_segment_) return false;
    end_ = std::string_view(room_.data(), begin).rfind('/');
    if (last) room_[end_++] = '/';
    return true;
  }

  bool decode(std::string_view segment) {
    for (std::size_t i = 0; i < segment.size(); ++i) {
      if (segment[i] != '%') {
        room_[end_++] = segment[i];
        continue;
      }
      if (segment.size() - i < 3) return false;
      const int high = hex_value(segment[i + 1]);
      const int low = hex_value(segment[i + 2]);
      if (high < 0 || low < 0) return false;
      write_byte(high, low);
      i += 2;
    }
    return true;
  }

  void write_byte(int high, int low) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    const char c = static_cast<char>(high * 16 + low);
    if (is_unreserved(c)) {
      room_[end_++] = c;
      return;
    }
    room_[end_++] = '%';
    room_[end_++] = kHex[high];
    room_[end_++] = kHex[low];
  }

  PathRoom& room_;
  Dots dots_;
  std::size_t end_ = 0;
  bool empty_segment_ = false;
};

/// Why `text` is no path of RFC 3986 §3.3; empty when it is one. Percent-encodings are left to request_path().
std::string syntax_fault(std::string_view text) {
  static constexpr std::string_view kAlso = "/:@!$&'()*+,;=%";
  if (!text.starts_with('/')) return "must begin with \"/\"";
  if (text.size() > kLongestRulePath) return "is longer than 1024 characters";
  for (const char c : text) {
    if (c == '?' || c == '#') return "must be without query and fragment: only the path is matched";
    if (is_unreserved(c) || kAlso.find(c) != std::string_view::npos) continue;
    return "must have the character " + in_quotes(std::string_view(&c, 1)) + " percent-encoded";
  }
  return {};
}

}  // namespace

base::Result<std::string> full_path(std::string_view text) {
  if (auto fault = syntax_fault(text); !fault.empty()) return base::Error{std::move(fault)};
  const auto room = std::make_unique<PathRoom>();
  const auto path = request_path(text, *room);
  if (!path) {
    return base::Error{
        "has a broken percent-encoding, \"..\" that leads above \"/\" or follows an empty segment, or \".\" or \"..\" "
        "beside an encoded slash or before \";\""};
  }
  return std::string(*path);
}

base::Result<std::string> rule_path(std::string_view text) {
  auto path = full_path(text);
  if (path && path->size() > 1 && path->back() == '/') path->pop_back();
  return path;
}

std::optional<std::string_view> request_path(std::string_view path, PathRoom& room) {
  path = path.substr(0, path.find('?'));
  if (path == "*") return "/";  // OPTIONS * (RFC 9112 §3.2.4) concerns the host as a whole
  if (!path.starts_with('/') || path.size() > room.size()) return std::nullopt;
  if (is_canonical(path)) return path;
  return Canonicaliser(room, Dots::resolve).run(path);
}

std::string_view literal_path(std::string_view path, PathRoom& room) {
  return *Canonicaliser(room, Dots::keep).run(path.substr(0, path.find('?')));
}

int compare_paths(std::string_view a, std::string_view b) {
  if (a == "/") a = {};
  if (b == "/") b = {};
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  // The slash ranks below all other characters, the end below the slash.
  const auto rank = [](std::string_view text, const char* at) {
    if (at == text.end()) return 0;
    return *at == '/' ? 1 : 2 + static_cast<unsigned char>(*at);
  };
  return rank(a, in_a) - rank(b, in_b);
}

bool is_path_prefix(std::string_view prefix, std::string_view path) {
  if (prefix == "/") return true;
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace adit::routing
