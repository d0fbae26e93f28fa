#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace equinox::testing {

/// What a checked client asks for and what must come back, octet for octet.
struct Asked {
  std::string method;
  std::string path;
  std::string body;      ///< of the request
  std::string expected;  ///< body of the answer
};

/// A blocking byte stream to a port on loopback, in the clear or over TLS. Nothing of it goes through the seam.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  /// False when the peer is gone.
  virtual bool write(std::string_view bytes) = 0;
  /// Appends what comes next; false at the end of the stream, after an error, and when nothing comes for half a minute,
  /// which `is_stuck` tells apart.
  virtual bool read(std::string& into) = 0;
  bool is_stuck{false};
};
/// Null when the connection, or the handshake, was refused or broken off. @param alpn  "h2", "http/1.1" or empty
std::unique_ptr<ClientStream> connect_plain(std::uint16_t port);
std::unique_ptr<ClientStream> connect_tls(std::uint16_t port, std::string_view alpn);

/// What came of the requests of one connection.
struct Checked {
  std::size_t answered{0};  ///< completely, and as expected
  bool was_cut{false};      ///< the connection ended before all were answered
  bool was_stuck{false};    ///< it went on, and nothing came
  std::string wrong;        ///< empty, or which octets were not those expected
};

/// Pipelines the requests and checks each octet of the answers, those of an answer that was cut included.
Checked check_http1(ClientStream& stream, const std::vector<Asked>& asked);
/// The same as streams of an HTTP/2 connection.
Checked check_http2(ClientStream& stream, const std::vector<Asked>& asked);

}  // namespace equinox::testing
