#pragma once
// Reads spec.routes[].filters.

#include "routing/fields.h"

namespace adit::routing {

/// Takes `filters` of a route, each {type: T, <t>: {…}}, into `spec`. At most one of a type.
void read_filters(Fields& route, RouteSpec& spec, Report& report);

}  // namespace adit::routing
