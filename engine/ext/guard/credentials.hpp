// credentials.hpp: what a client says it is, unproven. Source: RFC 7617 section 2.
#pragma once

#include <millrace/request.hpp>

#include <optional>
#include <string>

namespace millrace::guard {

struct BasicCredentials {
  std::string name;
  std::string password;
};

/// Nothing where none are sent, or malformed ones.
std::optional<BasicCredentials> basic_credentials(const Request& request);

}  // namespace millrace::guard
