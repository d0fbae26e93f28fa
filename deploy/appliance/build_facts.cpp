#include "build_facts.hpp"

#include <fmt/format.h>
#include <llhttp/llhttp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>

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
          nghttp2_version(0)->version_str};
}

int run_version() {
  const BuildFacts facts = build_facts();
  fmt::print("equinox {}\nrevision {}\ncompiler {}\ntls {}\nllhttp {}\nnghttp2 {}\n", facts.version, facts.revision,
             facts.compiler, facts.tls, facts.llhttp, facts.nghttp2);
  return 0;
}

}  // namespace equinox::appliance
