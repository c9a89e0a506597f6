#include <array>

#include <fmt/format.h>

#include "engine/config/toml.hpp"

namespace millrace::config {
namespace {

constexpr std::array<std::string_view, 3> certificate_keys = {"cert", "key", "hosts"};

void read_hosts(const toml::key& key, const toml::node& node, TlsCertificate& out, FileProblems& problems) {
  const toml::array* array = node.as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const auto* host = array->get(i)->as_string();
    if (host == nullptr || host->get().empty()) {
      array = nullptr;
    } else {
      out.hosts.push_back(host->get());
    }
  }
  if (array == nullptr)
    problems.add(key, fmt::format("hosts = {}: expected a list of names, such as [\"example.org\", "
                                  "\"*.example.org\"]",
                                  show(node)));
}

void read_certificate(const toml::table& table, Config& config, FileProblems& problems) {
  TlsCertificate certificate;
  for (const auto& [key, node] : table) {
    const auto* text = node.as_string();
    if (key.str() == "hosts") {
      read_hosts(key, node, certificate, problems);
    } else if (key.str() != "cert" && key.str() != "key") {
      unknown_key(key, "certificates of [tls]", certificate_keys, problems);
    } else if (text == nullptr) {
      problems.add(key, fmt::format("{} = {}: expected the path of a file", key.str(), show(node)));
    } else {
      (key.str() == "cert" ? certificate.cert : certificate.key) = text->get();
    }
  }
  config.server.tls_certificates.push_back(std::move(certificate));
}

}  // namespace

void read_certificates(const toml::node& node, Config& config, FileProblems& problems) {
  const toml::array* array = node.as_array();
  if (array == nullptr || !array->is_homogeneous<toml::table>()) {
    return problems.add(node,
                        "[tls] certificates: expected a list of tables, such as "
                        "[{ cert = \"a.pem\", key = \"a.key\", hosts = [\"a.example\"] }]");
  }
  for (const toml::node& element : *array) read_certificate(*element.as_table(), config, problems);
}

}  // namespace millrace::config
