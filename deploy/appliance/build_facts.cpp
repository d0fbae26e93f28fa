#include "build_facts.hpp"

#include <fmt/format.h>
#include <llhttp/llhttp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace equinox::appliance {
namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

}  // namespace

BuildFacts build_facts() {
  return {EQUINOX_VERSION,
          EQUINOX_REVISION,
          compiler(),
          OpenSSL_version(OPENSSL_VERSION),
          fmt::format("{}.{}.{}", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH),
          nghttp2_version(0)->version_str,
          {{"zlib", zlibVersion()},
           {"brotli", EQUINOX_BROTLI_VERSION},
           {"prometheus-cpp", EQUINOX_PROMETHEUS_VERSION},
           {"cpp-httplib", EQUINOX_HTTPLIB_VERSION},
           {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                         NLOHMANN_JSON_VERSION_PATCH)},
           {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
           {"spdlog", EQUINOX_SPDLOG_VERSION},
           {"cli11", CLI11_VERSION}}};
}

int run_version() {
  const BuildFacts facts = build_facts();
  fmt::print("equinox {}\nrevision {}\ncompiler {}\ntls {}\nllhttp {}\nnghttp2 {}\n", facts.version, facts.revision,
             facts.compiler, facts.tls, facts.llhttp, facts.nghttp2);
  for (const auto& [name, version] : facts.libraries) fmt::print("{} {}\n", name, version);
  return 0;
}

}  // namespace equinox::appliance
