#include "engine/config/version.hpp"

#include <fmt/format.h>

#include "engine/config/backend_here.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/io/kernel_tls.hpp"
#include "engine/io/uring/features.hpp"
#include "engine/serve/secure.hpp"

namespace millrace::config {
namespace {

std::string tokenizers() {
  std::string text;
  for (unsigned number = 0; number < http::isa_count; ++number) {
    const auto isa = static_cast<http::Isa>(number);
    if (http::kernel_for(isa) != nullptr)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", http::name_of(isa));
  }
  const Result<http::Isa> chosen = http::choose_isa();
  return text + (chosen ? fmt::format(" (chosen: {})", http::name_of(chosen.value()))
                        : std::string(" (MILLRACE_ISA names none of them)"));
}

}  // namespace

std::string version_text(bool features) {
  std::string text = "millrace " MR_VERSION "\n";
  if (!features) return text;
  text += fmt::format("compiler    {}\ntokenizers  {}\nlibraries   {}\n", MR_COMPILER, tokenizers(),
                      MR_LIBRARIES);
  text += fmt::format("backend     {}\n", backend_here({}));
  const std::string tls = serve::secure_version();
  text += fmt::format("TLS         {}\n", tls.empty() ? "no: built without OpenSSL" : tls);
  text += fmt::format("kernel TLS  {}\n", io::kernel_tls() != nullptr ? "yes" : "no");
  const char* heading = "io_uring";
  for (const io::Feature& feature : io::probe_features()) {
    text += fmt::format("{:<10}  {}: {}\n", heading, feature.name, feature.available ? "yes" : "no");
    heading = "";
  }
  return text;
}

}  // namespace millrace::config
