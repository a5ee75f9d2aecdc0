#pragma once
// Times of the wall clock as the API writes them. They are for people: nothing in this library decides by them.

#include <chrono>
#include <string>

namespace adit::kube {

/// metav1.Time: "2026-11-21T05:07:09Z".
std::string timestamp(std::chrono::system_clock::time_point time);
/// metav1.MicroTime: "2026-11-21T05:07:09.000123Z".
std::string micro_timestamp(std::chrono::system_clock::time_point time);

}  // namespace adit::kube
