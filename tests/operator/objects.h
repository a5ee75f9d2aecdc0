#pragma once
// Short ways to write API objects for tests of the operator.

#include <string>
#include <vector>

#include "kube/object.h"

namespace adit::controller {

/// The Tunnel "team-a/shop" as the API server stores it.
inline kube::Json tunnel_object(const std::string& host = "shop.example.com") {
  return {{"apiVersion", "adit.dev/v1alpha1"},
          {"kind", "Tunnel"},
          {"metadata",
           {{"name", "shop"},
            {"namespace", "team-a"},
            {"uid", "4d21094e-b74c-4916-86c1-d9fa36ea677b"},
            {"generation", 1},
            {"resourceVersion", "7"},
            {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
          {"spec", {{"routes", kube::Json::array({{{"host", host}}})}}}};
}

inline kube::Json secret_object(const std::string& name, const std::string& type, kube::Json data) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"type", type},
          {"metadata", {{"name", name}, {"namespace", "team-a"}, {"uid", "uid-of-" + name}, {"resourceVersion", "1"}}},
          {"data", std::move(data)}};
}

}  // namespace adit::controller
