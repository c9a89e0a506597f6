// reply.hpp: answers a request with a resource: conditions, ranges, the form that suits the client.
// Source: RFC 9110 sections 12.5.3 and 13 to 15.
#pragma once

#include <millrace/request.hpp>

#include <cstdint>
#include <string_view>

#include "engine/ext/files/resource.hpp"

namespace millrace::files {

/// Replies. The resource is not needed any more when this returns.
void reply_resource(Request& request, const Resource& resource, std::int64_t now_seconds) noexcept;

/// Replies with the application's page for a status. fields: that the status asks for.
void refuse(Request& request, std::uint16_t status, std::string_view fields = {}) noexcept;
/// 503: out of descriptors or of memory; both pass.
void refuse_busy(Request& request) noexcept;

}  // namespace millrace::files
