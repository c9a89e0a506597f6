#include "engine/config/command_line.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace millrace::config;

namespace {

CommandLine read(Program program, std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv = {"millrace"};
  argv.insert(argv.end(), arguments);
  return read_command_line(program, static_cast<int>(argv.size()), argv.data());
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("command line: commands and their flags") {
  CHECK(read(Program::engine, {}).command == Command::serve);
  CHECK(read(Program::engine, {"serve"}).command == Command::serve);
  CHECK(read(Program::engine, {"doctor"}).command == Command::doctor);
  CHECK(read(Program::engine, {"routes"}).command == Command::routes);
  CHECK(read(Program::engine, {"--version"}).command == Command::version);
  const CommandLine check = read(Program::engine, {"check", "--print", "--config", "a.toml"});
  CHECK(check.command == Command::check);
  CHECK(check.print);
  CHECK(check.flags.config == "a.toml");
  CHECK(check.text.empty());
  const CommandLine version = read(Program::engine, {"version", "--features"});
  CHECK(version.command == Command::version);
  CHECK(version.features);
}

TEST_CASE("command line: values are kept as written, before and behind the command") {
  const CommandLine line =
      read(Program::engine, {"--listen", "a:1", "serve", "--listen=b:2", "--cores", "many", "--backend=odd"});
  CHECK(line.text.empty());
  CHECK(line.command == Command::serve);
  CHECK(line.flags.listen == std::vector<std::string>{"a:1", "b:2"});
  CHECK(line.flags.cores == "many");
  CHECK(line.flags.backend == "odd");
  CHECK(!line.flags.port);
  CHECK(read(Program::application, {"--port", "1", "--port", "2"}).flags.port == "2");
}

TEST_CASE("command line: what is unknown is named, with the nearest") {
  struct Case {
    Program program;
    std::initializer_list<const char*> arguments;
    std::string_view wants;
  };
  const Case cases[] = {
      {Program::engine, {"--prot", "80"}, "unknown flag `--prot`; the nearest is `--port`"},
      {Program::engine, {"--lisen=1"}, "unknown flag `--lisen`; the nearest is `--listen`"},
      {Program::engine, {"serv"}, "unknown command `serv`; the nearest is `serve`"},
      {Program::engine, {"check", "--pint"}, "the nearest is `--print`"},
      {Program::engine, {"version", "--feature"}, "the nearest is `--features`"},
      {Program::engine, {"serve", "--print"}, "unknown flag `--print`"},
      {Program::application, {"check"}, "takes flags only"},
      {Program::application, {"--core", "1"}, "the nearest is `--cores`"},
      {Program::engine, {"--port"}, "--port"},
  };
  for (const Case& c : cases) {
    const CommandLine line = read(c.program, c.arguments);
    CAPTURE(line.text);
    CHECK(has(line.text, c.wants));
    CHECK(!line.help);
  }
}

TEST_CASE("command line: help has examples") {
  for (const Program program : {Program::engine, Program::application}) {
    const CommandLine line = read(program, {"--help"});
    CHECK(line.help);
    CHECK(has(line.text, "Examples:"));
    CHECK(has(line.text, "--listen"));
    CHECK(has(line.text, "--cores"));
  }
  CHECK(has(read(Program::engine, {"check", "--help"}).text, "--print"));
}
