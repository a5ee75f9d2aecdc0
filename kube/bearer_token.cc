#include "kube/bearer_token.h"

#include "kube/text_file.h"

namespace adit::kube {
namespace {

constexpr std::size_t kMostToken = 64 << 10;

std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_bearer_token(std::string_view text) {
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=:") ==
         std::string_view::npos;
}

base::Result<std::string> BearerToken::now() {
  if (file_.empty()) return last_;
  const auto text = read_text_file(file_, kMostToken);
  const auto fresh = text ? without_line_end(*text) : std::string_view();
  const std::lock_guard lock(mutex_);
  if (!fresh.empty() && is_bearer_token(fresh)) last_ = fresh;
  if (last_.empty()) return base::Error{text ? file_ + ": holds no token" : text.error()};
  return last_;
}

}  // namespace adit::kube
