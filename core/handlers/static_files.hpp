#pragma once

#include <cstddef>
#include <equinox/handler.hpp>
#include <string>
#include <vector>

#include "handlers/compressed_cache.hpp"

namespace equinox::handlers {

struct StaticOptions {
  std::string root;                              ///< folder; nothing outside of it is ever sent
  std::vector<std::string> index{"index.html"};  ///< answer for a folder, tried in order
  std::string fallback{};                        ///< file below `root` that answers when nothing else does; empty: 404
  bool listing{false};                           ///< list a folder that has no index
  bool precompressed{true};  ///< send file.br, file.zst, file.gz beside the file where they are accepted
  bool compress{true};       ///< compress text through `offload`
  std::size_t compressed_cache_bytes{32 * 1024 * 1024};
  std::string cache_control{};       ///< of every file; empty: none
  std::size_t open_files_max{1024};  ///< descriptors and small contents kept; 0: none
  Offload offload{};                 ///< runs compression off the reactors; without it nothing is compressed
};

/// GET and HEAD of files below a folder: ETag, Last-Modified, conditional requests (RFC 9110 §13), single and multiple
/// ranges (§14), index files, fallback, compressed forms, listing. On a prefix route ("/files/*") the rest of the path
/// names the file, on any other route the whole path. Hidden files are not there. The handler may be used by several
/// threads at once.
/// @throws std::invalid_argument when the root cannot be opened
SyncHandler static_files(StaticOptions options);

}  // namespace equinox::handlers
