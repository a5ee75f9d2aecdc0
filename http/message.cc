#include "http/message.h"

#include "base/text.h"

namespace adit::http {

const std::string_view* FieldList::find(std::string_view name) const {
  for (const Field& field : *this) {
    if (base::equals_ignoring_case(field.name, name)) return &field.value;
  }
  return nullptr;
}

}  // namespace adit::http
