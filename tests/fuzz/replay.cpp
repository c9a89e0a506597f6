// replay.cpp: runs a fuzz target without a fuzzer. Every line of the seed file, its escapes (\r \n \t
// \0 \\ \xHH) undone, is run whole, cut at each byte, and mutated at random from a fixed seed. Those of
// a corpus, which the fuzzer found, are run as they are.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr unsigned mutations_a_seed = 20'000;

char unescape(const std::string& line, std::size_t& at) {
  if (line[at] != '\\' || at + 1 == line.size()) return line[at];
  switch (line[++at]) {
    case 'r': return '\r';
    case 'n': return '\n';
    case 't': return '\t';
    case '0': return '\0';
    case 'x': {
      const std::string digits = line.substr(at + 1, 2);
      at += digits.size();
      return static_cast<char>(std::stoul(digits, nullptr, 16));
    }
    default: return line[at];
  }
}

std::vector<std::string> read_seeds(const char* path) {
  std::vector<std::string> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::string bytes;
    for (std::size_t at = 0; at < line.size(); ++at) bytes += unescape(line, at);
    seeds.push_back(bytes);
  }
  return seeds;
}

const std::string* running = nullptr;

// The input that failed, as a line for the seeds.
void print_running(int) {
  std::fputs("the input was: ", stderr);
  for (const char byte : *running) {
    if (byte < ' ' || byte > '~' || byte == '\\') {
      std::fprintf(stderr, "\\x%02x", static_cast<unsigned char>(byte));
    } else {
      std::fputc(byte, stderr);
    }
  }
  std::fputc('\n', stderr);
  std::_Exit(1);
}

// From the heap and without a spare byte, so that AddressSanitizer sees a read past the end.
void run(const std::string& bytes) {
  running = &bytes;
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

void mutate(std::string& bytes, std::mt19937& random, const std::vector<std::string>& seeds) {
  static constexpr std::string_view telling{"\r\n\t\0 :;,=/%0aF-\"\x7f\x80\xff", 20};
  const std::size_t at = random() % (bytes.size() + 1);
  switch (random() % 4) {
    case 0: bytes.insert(at, 1, telling[random() % telling.size()]); break;
    case 1:
      if (at < bytes.size()) bytes.erase(at, 1 + random() % 4);
      break;
    case 2:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      break;
    default: {
      const std::string& other = seeds[random() % seeds.size()];
      bytes.resize(at);
      bytes += other.substr(random() % (other.size() + 1));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s SEEDS [CORPUS]...\n", argv[0]), 2;
  const std::vector<std::string> seeds = read_seeds(argv[1]);
  std::signal(SIGABRT, print_running);
  std::mt19937 random(1);
  std::size_t count = 0;
  for (const std::string& seed : seeds) {
    for (std::size_t cut = 0; cut <= seed.size(); ++cut, ++count) run(seed.substr(0, cut));
    for (unsigned round = 0; round < mutations_a_seed; ++round, ++count) {
      std::string bytes = seed;
      for (unsigned change = 0; change <= round % 4; ++change) mutate(bytes, random, seeds);
      run(bytes);
    }
  }
  for (int i = 2; i < argc; ++i) {
    const std::vector<std::string> corpus = read_seeds(argv[i]);
    for (const std::string& input : corpus) run(input);
    if (corpus.empty()) return std::fprintf(stderr, "%s has no input\n", argv[i]), 1;
    count += corpus.size();
  }
  std::printf("%zu inputs from %zu seeds\n", count, seeds.size());
  return count > 0 ? 0 : 1;
}
