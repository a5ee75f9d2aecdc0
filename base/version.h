#pragma once

namespace adit::base {

/// Of all programs; the same as in CMakeLists.txt, which checks it.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace adit::base
