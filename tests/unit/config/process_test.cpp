// Signals, the service manager and the default route: what touches the process.
#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "engine/config/notify.hpp"
#include "engine/config/signals.hpp"
#include "engine/config/welcome.hpp"

using namespace millrace::config;

namespace {

/// A directory to work in; the old one comes back.
class WorkingDirectory {
 public:
  WorkingDirectory() : before_(std::filesystem::current_path()) {
    char name[] = "/tmp/millrace-process-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
    std::filesystem::current_path(path_);
  }
  ~WorkingDirectory() {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(path_);
  }
  const std::string& path() const { return path_; }

 private:
  std::filesystem::path before_;
  std::string path_;
};

}  // namespace

TEST_CASE("Signals: they are values while it lives, and nothing is left behind") {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    Signals signals;
    CHECK(signals.wait(0) == 0);
    kill(getpid(), SIGTERM);
    CHECK(signals.wait(1000) == SIGTERM);
    kill(getpid(), SIGHUP);
    CHECK(signals.wait(-1) == SIGHUP);
    kill(getpid(), SIGPIPE);
    CHECK(signals.wait(0) == 0);
    kill(getpid(), SIGINT);  // Still pending at the end: taken, or it would end this test.
    kill(getpid(), SIGTERM);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    CHECK(sigismember(&before, signal) == sigismember(&after, signal));
}

TEST_CASE("wish_of: what each signal asks for") {
  CHECK(wish_of(SIGTERM) == Wish::drain_delayed);
  CHECK(wish_of(SIGINT) == Wish::drain);
  CHECK(wish_of(SIGQUIT) == Wish::drain);
  CHECK(wish_of(SIGHUP) == Wish::reload);
  CHECK(wish_of(SIGUSR1) == Wish::reopen_logs);
  CHECK(wish_of(SIGUSR2) == Wish::later_version);
  CHECK(std::string(purpose_of(SIGHUP)) != purpose_of(SIGUSR2));
}

TEST_CASE("notify: to a path and to an abstract name, and to nobody") {
  const WorkingDirectory directory;
  for (const std::string& name : {directory.path() + "/notify", "@" + directory.path()}) {
    CAPTURE(name);
    const int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    REQUIRE(bind(listener, reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) == 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    CHECK(notify("READY=1"));
    char got[32];
    const ssize_t size = recv(listener, got, sizeof got, MSG_DONTWAIT);
    CHECK(std::string(got, size > 0 ? static_cast<std::size_t>(size) : 0) == "READY=1");
    close(listener);
  }
  setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  CHECK(!notify("READY=1"));
  setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  CHECK(!notify("READY=1"));
  unsetenv("NOTIFY_SOCKET");
  CHECK(!notify("READY=1"));
}

TEST_CASE(
    "add_default_route: ./public where it is there, else a page, and nothing beside a configured route") {
  const WorkingDirectory directory;
  Config config;
  add_default_route(config);
  REQUIRE(config.routes.size() == 1);
  CHECK(config.routes[0].kind == RouteConfig::Kind::respond);
  CHECK(config.routes[0].path == "/");
  CHECK(config.routes[0].body.find("Millrace is running") != std::string::npos);
  CHECK(config.routes[0].body.find("://") == std::string::npos);  // No outside assets.
  add_default_route(config);
  CHECK(config.routes.size() == 1);

  std::filesystem::create_directory("public");
  Config with_directory;
  add_default_route(with_directory);
  REQUIRE(with_directory.routes.size() == 1);
  CHECK(with_directory.routes[0].kind == RouteConfig::Kind::files);
  CHECK(with_directory.routes[0].path == "/*");
}
