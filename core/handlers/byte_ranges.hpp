#pragma once

#include <equinox/response.hpp>
#include <optional>
#include <vector>

#include "handlers/conditional.hpp"
#include "handlers/file_store.hpp"

namespace equinox::handlers {

/// 206 with one range (Content-Range) or several (multipart/byteranges, RFC 9110 §14.6); 416 is made elsewhere.
/// @param ranges  not empty, disjoint, inside the file
/// @return nothing when the parts with their heads would be more than the file: then the file is the shorter answer
std::optional<Response> partial_response(const std::shared_ptr<const StoredFile>& stored,
                                         const std::vector<ByteRange>& ranges);

/// "bytes 0-499/1234".
std::string content_range(const ByteRange& range, std::uint64_t size_bytes);

}  // namespace equinox::handlers
