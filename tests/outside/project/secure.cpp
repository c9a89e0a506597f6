// HTTPS with a certificate that is read again every day, and counts of what the handshakes came to.
#include <millrace/millrace.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

int main() {
  mr::App app;
  app.get("/", [](mr::Request& request) { return request.secure() ? "Hello world!" : "Use HTTPS."; });

  mr::ServerOptions options;
  options.listen = {"0.0.0.0:80"};
  options.tls_listen = {"0.0.0.0:443"};
  options.tls_cert = "/etc/millrace/chain.pem";
  options.tls_key = "/etc/millrace/key.pem";
  options.tls_redirect = true;
  mr::Server server(app, options);
  if (const std::string problem = server.start(); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  for (;;) {
    std::this_thread::sleep_for(std::chrono::hours(24));
    const mr::ServerStats stats = server.stats();
    std::printf("%llu handshakes, %llu of them resumed, %llu failed\n",
                static_cast<unsigned long long>(stats.tls_handshakes),
                static_cast<unsigned long long>(stats.tls_resumed),
                static_cast<unsigned long long>(stats.tls_failures));
    if (const std::string problem = server.reload_certificates(); !problem.empty())
      std::fprintf(stderr, "the old certificate stays: %s\n", problem.c_str());
  }
}
