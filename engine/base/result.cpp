#include "engine/base/result.hpp"

namespace millrace {

const char* name_of(Errc code) noexcept {
  switch (code) {
    case Errc::ok: return "ok";
    case Errc::need_more: return "need_more";
    case Errc::bad_request_line: return "bad_request_line";
    case Errc::bad_method: return "bad_method";
    case Errc::bad_target: return "bad_target";
    case Errc::bad_version: return "bad_version";
    case Errc::version_unsupported: return "version_unsupported";
    case Errc::method_unknown: return "method_unknown";
    case Errc::target_too_long: return "target_too_long";
    case Errc::bad_field_name: return "bad_field_name";
    case Errc::bad_field_value: return "bad_field_value";
    case Errc::bad_line_end: return "bad_line_end";
    case Errc::obsolete_fold: return "obsolete_fold";
    case Errc::fields_too_many: return "fields_too_many";
    case Errc::head_too_large: return "head_too_large";
    case Errc::bad_host: return "bad_host";
    case Errc::bad_status_line: return "bad_status_line";
    case Errc::bad_content_length: return "bad_content_length";
    case Errc::bad_transfer_encoding: return "bad_transfer_encoding";
    case Errc::transfer_coding_unknown: return "transfer_coding_unknown";
    case Errc::bad_chunk: return "bad_chunk";
    case Errc::bad_trailer: return "bad_trailer";
    case Errc::trailers_too_large: return "trailers_too_large";
    case Errc::body_too_large: return "body_too_large";
    case Errc::expectation_unknown: return "expectation_unknown";
    case Errc::bad_percent_encoding: return "bad_percent_encoding";
    case Errc::bad_multipart: return "bad_multipart";
    case Errc::parts_too_many: return "parts_too_many";
    case Errc::part_head_too_large: return "part_head_too_large";
    case Errc::timeout: return "timeout";
    case Errc::peer_closed: return "peer_closed";
    case Errc::peer_reset: return "peer_reset";
    case Errc::limit_reached: return "limit_reached";
    case Errc::system: return "system";
    case Errc::unsupported: return "unsupported";
    case Errc::bad_configuration: return "bad_configuration";
  }
  MR_UNREACHABLE("an Errc outside the enumeration");
}

}  // namespace millrace
