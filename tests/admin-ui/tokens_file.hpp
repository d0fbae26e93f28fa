#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "admin-ui/api/secrets.hpp"

namespace equinox::admin {

/// A tokens file with one token per role: "viewer-secret" and so on.
class TokensFile {
 public:
  TokensFile() : path_{testing::TempDir() + "tokens-" + std::to_string(::getpid()) + ".json"} {
    std::string text = "{\"tokens\":[";
    for (const std::string role : {"viewer", "operator", "admin"}) {
      if (text.back() == '}') text += ',';
      text +=
          R"({"name":"my-)" + role + R"(","role":")" + role + R"(","sha256":")" + sha256_hex(role + "-secret") + "\"}";
    }
    write(text + "]}");
  }
  ~TokensFile() { std::remove(path_.c_str()); }
  void write(const std::string& text) const { std::ofstream{path_} << text; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace equinox::admin
