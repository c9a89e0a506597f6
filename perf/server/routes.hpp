// routes.hpp: the application that the workloads of perf/load ask, through the public API alone.
#pragma once

#include <millrace/millrace.hpp>

#include <string>
#include <string_view>

namespace millrace::perf {

inline void add_routes(App& app) {
  app.get("/", [] { return "Hello world!"; });
  app.get("/name/{name}", [](std::string_view name) { return name; });
  app.post("/length", [](Request& request) { return std::to_string(request.body().size()); });
}

}  // namespace millrace::perf
