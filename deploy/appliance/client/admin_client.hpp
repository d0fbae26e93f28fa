#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "deploy/appliance/options.hpp"

namespace equinox::appliance {

/// Exit statuses of the commands that talk to the admin API.
inline constexpr int kDone = 0;
inline constexpr int kUnreachable = 1;  ///< also an answer that is no use
inline constexpr int kNotPossible = 1;  ///< understood, but not as things stand: no drain to take back, a lost list
inline constexpr int kBadQuery = 2;
inline constexpr int kRefused = 3;  ///< credentials

/// A thin client of the admin API, version 1. Each call is one request; what goes wrong is printed on standard error
/// and told by the status.
class AdminClient {
 public:
  struct Answer {
    int exit_status{kDone};
    nlohmann::json body;
    [[nodiscard]] bool is_good() const noexcept { return exit_status == kDone; }
  };
  using Query = std::vector<std::pair<std::string, std::string>>;

  /// @throws std::runtime_error for a token file that cannot be read or an address that is none or has a path
  explicit AdminClient(const AdminTarget& target);
  ~AdminClient();

  /// @param path  below /admin/api/v1, such as "/status"; pairs with an empty value are left out
  Answer get(const std::string& path, const Query& query = {});
  Answer post(const std::string& path, const nlohmann::json& body);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

/// Splits "http://host:port", "https://host:port/…", "host:port", ":port" into what httplib takes.
struct Origin {
  std::string base;  ///< "http://127.0.0.1:9181", the scheme in lower case
  std::string path;  ///< "/…", at least "/"; with the query, without the fragment
};
/// @throws std::runtime_error when the text is no address or its port no port
Origin parse_origin(const std::string& text);
/// The base of --admin. The API has its place: a path would be left out, and somebody else be asked.
/// @throws std::runtime_error as parse_origin(), and for a path
std::string admin_base(const std::string& address);

}  // namespace equinox::appliance
