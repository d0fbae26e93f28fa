#include "http/negotiate.hpp"

#include "http/known_methods.hpp"
#include "http/proxy_protocol.hpp"

namespace equinox::http {
namespace {

bool begins_with_method(std::string_view line) noexcept {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view method = line.substr(0, space);
  return is_known(parse_method(method), method);
}

bool is_control(char c) noexcept {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 || octet >= 0x7f;
}

}  // namespace

Negotiated negotiate(std::string_view first_bytes) noexcept {
  if (first_bytes.starts_with(kHttp2Preface)) return Negotiated::http2_preface;
  if (kHttp2Preface.starts_with(first_bytes)) return Negotiated::need_more;
  std::string_view line = first_bytes.substr(0, kNegotiationMaxBytes);
  const bool is_at_limit = line.size() == kNegotiationMaxBytes;
  if (line == "\r") return Negotiated::need_more;
  if (line.starts_with("\r\n")) line.remove_prefix(2);  // one empty line may come first (RFC 9112 §2.2)
  if (line.empty()) return Negotiated::need_more;
  // The PROXY protocol begins with empty lines, too, but no HTTP goes on as it does.
  if (kProxySignature2.starts_with(first_bytes)) return Negotiated::need_more;
  if (first_bytes.starts_with(kProxySignature2)) return Negotiated::wrong_protocol;
  // A second empty line, or a line end that is none: a mistake of HTTP/1, refused there with its status.
  if (line.front() == '\r' || line.front() == '\n') return Negotiated::http1;
  // TLS records, SSH and most else begin with an octet no request line begins with: no need to wait for a line end.
  if (is_control(line.front())) return Negotiated::wrong_protocol;
  if (begins_with_method(line)) return Negotiated::http1;
  const std::size_t end = line.find('\n');
  if (line.substr(0, end).find(" HTTP/") != std::string_view::npos) return Negotiated::http1;
  return end != std::string_view::npos || is_at_limit ? Negotiated::wrong_protocol : Negotiated::need_more;
}

Negotiated negotiate_alpn(std::string_view protocol) noexcept {
  if (protocol == "h2") return Negotiated::http2_preface;
  return protocol.empty() || protocol == "http/1.1" || protocol == "http/1.0" ? Negotiated::http1
                                                                              : Negotiated::wrong_protocol;
}

}  // namespace equinox::http
