#pragma once
// Filters of a rule as JSON (docs/control.md, "Filters").

#include <string>

#include <nlohmann/json.hpp>

#include "control/json_fields.h"
#include "routing/filters.h"

namespace adit::control {

nlohmann::json write_filters(const routing::Filters& filters);

/// What is missing or has another type goes into the error of `fields`. What this version cannot carry out, such as a
/// filter that it does not know, goes into `fault`, unless something is there already: a rule whose filters are not all
/// known must not be put in force without them. Values are looked at by wrong_filters().
routing::FiltersPtr read_filters(JsonFields& fields, std::string& fault);

/// What is wrong with the values of filters; empty: nothing.
std::string wrong_filters(const routing::Filters& filters);

}  // namespace adit::control
