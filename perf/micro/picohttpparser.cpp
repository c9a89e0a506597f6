#include "perf/micro/picohttpparser.hpp"

// libh2o exports its copy without a header for it; this is the declaration of its documentation.
extern "C" {
struct phr_header {
  const char* name;
  std::size_t name_len;
  const char* value;
  std::size_t value_len;
};
int phr_parse_request(const char* buf, std::size_t len, const char** method, std::size_t* method_len,
                      const char** path, std::size_t* path_len, int* minor_version, phr_header* headers,
                      std::size_t* num_headers, std::size_t last_len);
}

namespace bench {

unsigned picohttpparser(const char* data, std::size_t size) {
  phr_header fields[100];
  std::size_t count = 100;
  const char* method;
  const char* path;
  std::size_t method_bytes, path_bytes;
  int minor;
  const int read =
      phr_parse_request(data, size, &method, &method_bytes, &path, &path_bytes, &minor, fields, &count, 0);
  return read == static_cast<int>(size) ? static_cast<unsigned>(count) : 0;
}

}  // namespace bench
