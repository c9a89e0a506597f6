#include "perf/micro/requests.hpp"

#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/mem/block_pool.hpp"

namespace bench {

namespace {

constexpr const char* agent =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0\r\n";

std::string request_at(Shape shape, const std::string& path, const std::string& host) {
  const std::string start = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n";
  const std::string browser = std::string(agent) +
                              "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                              "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
                              "Accept-Encoding: gzip, deflate, br, zstd\r\n";
  switch (shape) {
    case Shape::bytes_35: return start + "\r\n";
    case Shape::bytes_120:
      return start + "User-Agent: curl/8.10.1\r\nAccept: */*\r\nX-Request-Id: 7f3c9a1e55d04b62a8\r\n\r\n";
    case Shape::bytes_450:
      return start + browser +
             "Cookie: session=4c1d9e7ab2f0886e53; theme=dark; consent=1; seen=1730246400; lang=en\r\n"
             "Connection: keep-alive\r\n\r\n";
    case Shape::bytes_499:
      return "POST " + path + " HTTP/1.1\r\nHost: " + host +
             "\r\nDNT: 1\r\nAccept-Encoding: gzip, deflate, zstd\r\n"
             "Accept-Language: de-CH,de;q=0.9,fr-CH;q=0.7,en;q=0.5\r\n"
             "User-Agent: Mozilla/5.0 (X11; Linux aarch64; en-GB) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "Version/17.4 Safari/605.1.15 Reader/2.4\r\n"
             "Accept: text/html,application/xhtml+xml,image/avif,application/xml;q=0.9,*/*;q=0.8\r\n"
             "Referer: https://api.test.io/garden/commentfor\r\nConnection: keep-alive\r\n"
             "Transfer-Encoding: chunked\r\nCache-Control: max-age=0\r\n\r\n";
    case Shape::bytes_700:
      return start + browser +
             "Referer: https://shop.example.org/catalogue/garden/tools?sort=price&page=3\r\n"
             "Cache-Control: max-age=0\r\nConnection: keep-alive\r\n"
             "Cookie: session=4c1d9e7ab2f0886e5317c0aa; theme=dark; consent=1; seen=1730246400; lang=en; "
             "basket=eyJpdGVtcyI6WzEyLDQ0LDkxOF0sImNvdXBvbiI6bnVsbH0; track=GA1.2.1093847561.1730246400; "
             "ab=hero:b|checkout:a|search:c; last=/catalogue/garden/tools/spades\r\n\r\n";
    case Shape::bytes_703:
      return start +
             "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0; de-CH-1996) Gecko/20240901 "
             "Firefox/128.2.1 Reader/2.4.1-beta\r\n"
             "Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*\r\n"
             "Accept-Language: de-CH,en;q=0.7,fr;q=0.3\r\nAccept-Encoding: gzip,deflate\r\n"
             "Accept-Charset: ISO-8859-15;q=0.6,utf-8;q=0.9\r\nKeep-Alive: 300\r\n"
             "Connection: keep-alive\r\nCookie: session=4c1d9e7ab2f0886e5317c0aa; seen=1730246400; "
             "track=GA1.2.1093847561.1730246400; visits=00000017; ab=hero:b|checkout:a|search:c|basket:d; "
             "last=/catalogue/garden/tools/spades|via=newsletter|campaign=(autumn)|lang=en; "
             "theme=dark\r\n\r\n";
    case Shape::bytes_2000:
      return start + browser + "Authorization: Bearer " + std::string(860, 'k') +
             "\r\nX-Forwarded-For: 203.0.113.7, 198.51.100.24\r\nX-Forwarded-Proto: https\r\n"
             "X-Request-Id: 018f2d1c-77aa-7bd3-9e51-2f6b0c4d8a11\r\n"
             "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
             "Tracestate: vendor=t61rcWkgMzE,other=00f067aa0ba902b7\r\nContent-Type: application/json\r\n"
             "Cookie: " +
             std::string(420, 'c') + "\r\nConnection: keep-alive\r\n\r\n";
  }
  return {};
}

/// The published shapes are worth nothing where a line is longer or shorter.
std::string of_size(std::size_t size, std::string request) {
  MR_ASSERT(request.size() == size);
  return request;
}

}  // namespace

const char* name_of(Shape shape) {
  switch (shape) {
    case Shape::bytes_35: return "35";
    case Shape::bytes_120: return "120";
    case Shape::bytes_450: return "450";
    case Shape::bytes_499: return "499";
    case Shape::bytes_700: return "700";
    case Shape::bytes_703: return "703";
    case Shape::bytes_2000: return "2000";
  }
  return "";
}

std::string request_of(Shape shape) {
  if (shape == Shape::bytes_35) return request_at(shape, "/", "localhost");
  if (shape == Shape::bytes_499) return of_size(499, request_at(shape, "/garden/new-comment", "my.test.io"));
  if (shape == Shape::bytes_703)
    return of_size(703, request_at(shape, "/catalogue/images/garden/2024/10/copper-watering-can-large.j",
                                   "images.my.example"));
  return request_at(shape, "/catalogue/garden/tools/spades?sort=price&page=4", "shop.example.org");
}

std::vector<std::string> varied_requests(Shape shape, unsigned count) {
  std::vector<std::string> requests;
  for (unsigned i = 0; i < count; ++i) {
    const std::string path = "/items/" + std::to_string(i * 7919) + std::string(i % 11, 'x');
    requests.push_back(request_at(shape, path, "node" + std::to_string(i * 31) + ".example"));
  }
  return requests;
}

Padded::Padded(std::string_view text)
    : size_(text.size()), bytes_(new char[text.size() + millrace::mem::padding_bytes]()) {
  std::memcpy(bytes_.get(), text.data(), text.size());
}

}  // namespace bench
