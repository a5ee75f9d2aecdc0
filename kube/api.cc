#include "kube/api.h"

namespace adit::kube {
namespace {

const char* words_for(ApiFailure failure) {
  switch (failure) {
    case ApiFailure::refused:
      return "refused";
    case ApiFailure::unreachable:
      return "unreachable";
    case ApiFailure::timed_out:
      return "timed out";
    case ApiFailure::malformed:
      return "malformed answer";
    case ApiFailure::cancelled:
      return "cancelled";
  }
  return "failed";
}

}  // namespace

std::string ApiError::text() const {
  std::string what;
  if (code != 0) what = std::to_string(code);
  if (!reason.empty()) what += (what.empty() ? "" : " ") + reason;
  // A whole answer with an error status speaks for itself; every other failure must be named.
  if (what.empty() || failure != ApiFailure::refused) {
    what = words_for(failure) + (what.empty() ? std::string() : " (" + what + ")");
  }
  std::string text = call.empty() ? what : call + ": " + what;
  if (!message.empty()) text += ": " + message;
  return text;
}

}  // namespace adit::kube
