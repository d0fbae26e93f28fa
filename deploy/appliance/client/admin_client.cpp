#include "admin_client.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "http/headers.hpp"
#include "text_table.hpp"
#include "wire.hpp"

namespace equinox::appliance {
namespace {

constexpr const char* kApi = "/admin/api/v1";
constexpr const char* kAddressForms = "host:port, http://host:port or https://host:port";

std::string read_token(const AdminTarget& target) {
  std::string token;
  if (!target.token_file.empty()) {
    std::ifstream file{target.token_file};
    if (!file || !(file >> token)) throw std::runtime_error("no token in \"" + target.token_file + "\"");
  } else if (const char* given = std::getenv("EQUINOX_TOKEN")) {
    token = given;
  }
  for (const char c : token) {
    if (c <= ' ' || c == '\x7f') throw std::runtime_error("the token holds a blank or control character");
  }
  return token;
}

std::string text_of(const nlohmann::json& problem, const char* key) {
  const auto found = problem.find(key);
  return found != problem.end() && found->is_string() ? printable(found->get<std::string>()) : std::string{};
}

/// Points below the part of the query that was not understood.
void print_problem(int status, const nlohmann::json& problem, const std::string& query) {
  const std::string title = text_of(problem, "title");
  const std::string detail = text_of(problem, "detail");
  std::fprintf(stderr, "equinox: %s%s%s\n", title.empty() ? fmt::format("status {}", status).c_str() : title.c_str(),
               detail.empty() ? "" : ": ", detail.c_str());
  if (problem.contains("position") && problem["position"].is_number_unsigned() && !query.empty()) {
    const auto position = problem["position"].get<std::size_t>();
    const std::size_t length = problem.value("length", 1U);
    std::fprintf(stderr, "  %s\n  %s%s\n", printable(query).c_str(),
                 std::string(std::min(position, query.size()), ' ').c_str(),
                 std::string(std::clamp<std::size_t>(length, 1, 200), '^').c_str());
  }
  if (const std::string suggestion = text_of(problem, "suggestion"); !suggestion.empty()) {
    std::fprintf(stderr, "  did you mean: %s\n", suggestion.c_str());
  }
  if (problem.contains("fields") && problem["fields"].is_array()) {
    std::string fields;
    for (const auto& field : problem["fields"]) {
      if (field.is_string()) fields += " " + printable(field.get<std::string>());
    }
    std::fprintf(stderr, "  fields:%s\n", fields.c_str());
  }
}

/// Why nobody can be talked to, found by trying once more: the library keeps the reason to itself.
std::string connect_failure(const std::string& base) {
  try {
    const Wire wire{base, std::chrono::seconds{5}, "http/1.1"};
  } catch (const std::exception& failure) {
    return failure.what();
  }
  return "the connection broke off while it was made";
}

/// The library has words for programmers only.
std::string failure_text(httplib::Error error, const std::string& base) {
  using httplib::Error;
  switch (error) {
    case Error::Connection:
    case Error::ConnectionTimeout:
    case Error::SSLConnection: return connect_failure(base);
    case Error::SSLLoadingCerts: return "the file of --ca-file cannot be used";
    case Error::SSLServerVerification:
      return "its certificate is not trusted; --ca-file names who signed it, --insecure trusts anybody";
    case Error::Read: return "it closed the connection, or said nothing for 30 s";
    case Error::Write: return "it took no request";
    default: return "what came is no answer of HTTP";
  }
}

AdminClient::Answer read_answer(const httplib::Result& result, const std::string& base, const std::string& query) {
  if (!result) {
    std::fprintf(stderr, "equinox: no answer from %s: %s\n", base.c_str(), failure_text(result.error(), base).c_str());
    return {kUnreachable, {}};
  }
  auto body = nlohmann::json::parse(result->body, nullptr, false);
  if (result->status >= 200 && result->status < 300) {
    if (!body.is_discarded()) return {kDone, std::move(body)};
    if (result->body.empty()) return {kDone, nlohmann::json::object()};
    std::fprintf(stderr, "equinox: the answer of %s is not JSON\n", base.c_str());
    return {kUnreachable, {}};
  }
  if (!body.is_object() || !body.contains("title")) {
    // Every refusal of the API is a problem document: somebody else answers here, such as ops or traffic.
    std::fprintf(stderr,
                 "equinox: there is no admin API at %s (status %d to %s); it listens at --admin, 127.0.0.1:9181 if "
                 "nothing else was configured\n",
                 base.c_str(), result->status, kApi);
    return {kUnreachable, nlohmann::json::object()};
  }
  print_problem(result->status, body, query);
  switch (result->status) {
    case 400: return {kBadQuery, std::move(body)};
    case 409:
    case 410: return {kNotPossible, std::move(body)};
    case 401:
    case 403: return {kRefused, std::move(body)};
    default: return {kUnreachable, std::move(body)};
  }
}

/// @throws std::runtime_error beyond what a port may be
void check_port(const std::string& text, std::string_view port) {
  if (port.empty()) return;
  unsigned number = 0;
  const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
  if (read.ec != std::errc{} || read.ptr != port.data() + port.size() || number == 0 || number > 65'535) {
    throw std::runtime_error(fmt::format("\"{}\": {} is no port, allowed is 1 to 65535", text, port));
  }
}

}  // namespace

struct AdminClient::Connection {
  Connection(const AdminTarget& target, std::string origin) : base{std::move(origin)}, client{base} {
    client.set_connection_timeout(std::chrono::seconds{5});
    client.set_read_timeout(std::chrono::seconds{30});
    client.set_keep_alive(true);
    client.enable_server_certificate_verification(!target.insecure);
    if (!target.ca_file.empty()) client.set_ca_cert_path(target.ca_file.c_str());
    if (const std::string token = read_token(target); !token.empty()) {
      headers.emplace("Authorization", "Bearer " + token);
    }
    headers.emplace("X-Equinox-Action", "1");
    headers.emplace("Accept", "application/json");
  }
  std::string base;
  httplib::Client client;
  httplib::Headers headers;
};

AdminClient::AdminClient(const AdminTarget& target)
    : connection_{std::make_unique<Connection>(target, admin_base(target.address))} {}
AdminClient::~AdminClient() = default;

AdminClient::Answer AdminClient::get(const std::string& path, const Query& query) {
  httplib::Params parameters;
  std::string shown;
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    parameters.emplace(name, value);
    if (name == "query") shown = value;
  }
  const std::string target = parameters.empty() ? kApi + path : httplib::append_query_params(kApi + path, parameters);
  return read_answer(connection_->client.Get(target.c_str(), connection_->headers), connection_->base, shown);
}

AdminClient::Answer AdminClient::post(const std::string& path, const nlohmann::json& body) {
  const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto result = connection_->client.Post((kApi + path).c_str(), connection_->headers, text, "application/json");
  return read_answer(result, connection_->base, body.value("query", std::string{}));
}

std::string admin_base(const std::string& address) {
  const Origin origin = parse_origin(address);
  if (origin.path != "/") {
    throw std::runtime_error("\"" + address + "\" names a path, allowed is " + kAddressForms + " alone");
  }
  return origin.base;
}

Origin parse_origin(const std::string& text) {
  const std::string_view whole = text;
  const auto colon = whole.find("://");
  const bool has_scheme = colon != std::string_view::npos && colon + 1 == whole.find_first_of("/?#");
  const std::string_view scheme = has_scheme ? whole.substr(0, colon) : "http";
  const std::string_view rest = has_scheme ? whole.substr(colon + 3) : whole;
  const bool is_secure = http::equals_ignoring_case(scheme, "https");
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if ((!is_secure && !http::equals_ignoring_case(scheme, "http")) ||
      (!has_scheme && authority.find(':') == std::string_view::npos)) {
    throw std::runtime_error("\"" + text + "\" is no address, allowed is " + kAddressForms);
  }
  if (authority.empty()) throw std::runtime_error("\"" + text + "\" names no host");
  check_port(text, split_authority(authority).port);
  const bool is_this_host = !has_scheme && authority.starts_with(':');
  Origin out;
  out.base = fmt::format("{}://{}{}", is_secure ? "https" : "http", is_this_host ? "127.0.0.1" : "", authority);
  // A fragment is for whoever asks and never sent (RFC 9110 §7.1).
  out.path = rest.substr(end, rest.find('#') - end);
  if (!out.path.starts_with('/')) out.path.insert(0, 1, '/');
  return out;
}

}  // namespace equinox::appliance
