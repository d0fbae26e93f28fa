#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.hpp"

namespace equinox::appliance {
namespace {

template <std::size_t N>
std::string hex(const std::array<unsigned char, N>& bytes) {
  std::string out;
  for (const unsigned char byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace

/// A random token of 256 bits. The file holds only its SHA-256: with so much randomness no slower hash is needed.
int run_token(const Options& options) {
  std::array<unsigned char, 32> secret{};
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    std::fputs("equinox: no randomness to be had\n", stderr);
    return 1;
  }
  const std::string token = "eqx_" + hex(secret);
  std::array<unsigned char, 32> digest{};
  unsigned int length = 0;
  if (EVP_Digest(token.data(), token.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    std::fputs("equinox: SHA-256 is not available\n", stderr);
    return 1;
  }
  const std::string name = options.token_name.empty() ? options.token_role : options.token_name;
  const nlohmann::ordered_json line{{"name", name}, {"role", options.token_role}, {"sha256", hex(digest)}};
  const std::string entry = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  fmt::print("token: {}\nline:  {}\n", token, entry);
  std::fputs(
      "The token is shown once. The line belongs into the list \"tokens\" of the tokens file:\n"
      "  { \"tokens\": [ LINE, … ] }\n",
      stderr);
  return 0;
}

}  // namespace equinox::appliance
