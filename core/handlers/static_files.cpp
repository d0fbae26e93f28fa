#include "handlers/static_files.hpp"

#include <ctime>
#include <equinox/response.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "handlers/byte_ranges.hpp"
#include "handlers/compression.hpp"
#include "handlers/conditional.hpp"
#include "handlers/file_store.hpp"
#include "handlers/listing_cache.hpp"
#include "handlers/static_path.hpp"
#include "http/target.hpp"

namespace equinox::handlers {
namespace {

using Stored = std::shared_ptr<const StoredFile>;

class StaticFiles {
 public:
  explicit StaticFiles(StaticOptions options)
      : options_{std::move(options)},
        store_{options_.root, options_.open_files_max},
        compressed_{std::make_shared<CompressedCache>(options_.compressed_cache_bytes, options_.offload)} {}

  Response answer(const Request& request) {
    if (request.method() != Method::get && request.method() != Method::head) {
      return Response::error(405).with("Allow", "GET, HEAD");
    }
    const bool is_prefix = !request.parameters().empty() && request.parameters().back().name == "*";
    const auto path = map_static_path(is_prefix ? request.parameter("*") : request.path());
    if (!path) return missing(request);
    const Lookup found = store_.find(path->relative);
    switch (found.status) {
      case LookupStatus::found:
        // A file has nothing below it: "/a.html/" is another name, and nobody's.
        return path->names_folder ? missing(request) : send(request, path->relative, found.file, 200);
      case LookupStatus::folder: return folder(request, *path);
      case LookupStatus::forbidden: return Response::error(403);
      case LookupStatus::exhausted: return Response::error(503).with("Retry-After", "1");
      case LookupStatus::missing: break;
    }
    return missing(request);
  }

 private:
  Response folder(const Request& request, const StaticPath& path) {
    if (!path.names_folder) return add_slash(request);
    for (const std::string& index : options_.index) {
      const std::string name = path.relative.empty() ? index : std::string{path.relative} + "/" + index;
      const Lookup found = store_.find(name);
      if (found.status == LookupStatus::found) return send(request, name, found.file, 200);
    }
    if (options_.listing) {
      if (const UniqueFd folder = store_.open_folder(path.relative)) {
        return listings_.list(folder.get(), request.path(), path.relative.empty());
      }
    }
    return missing(request);
  }

  // The path is encoded again, so that nothing in it can end the field or name another host ("//host").
  static Response add_slash(const Request& request) {
    std::string_view path = request.path();
    while (path.starts_with("//")) path.remove_prefix(1);
    std::string location = http::encode_normalized(path, http::Kept::of_paths) + "/";
    if (!request.query().empty()) location.append("?").append(request.query());
    return Response::redirect(std::move(location), 301);
  }

  Response missing(const Request& request) {
    if (!options_.fallback.empty()) {
      const Lookup found = store_.find(options_.fallback);
      if (found.status == LookupStatus::found) return send(request, options_.fallback, found.file, 200);
    }
    return Response::error(404);
  }

  /// A representation: the plain file or one of its compressed forms.
  struct Representation {
    Stored stored;
    std::optional<Encoding> encoding;
    bool is_made_here{false};  ///< from the cache of compressed forms
    std::string etag;
    bool is_dated{false};  ///< asked once: what is compared is what is told
  };

  /// Archives often keep whole seconds: such a time is compared as one.
  static bool is_older(const FileVersion& neighbour, const FileVersion& plain) noexcept {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    const std::int64_t within_second = neighbour.modified_ns % kSecondNs == 0 ? plain.modified_ns % kSecondNs : 0;
    return neighbour.modified_ns < plain.modified_ns - within_second;
  }

  /// The compressed file beside `plain`, when it is not older.
  Stored neighbour(std::string_view name, const StoredFile& plain, Encoding encoding) {
    if (plain.neighbours.was_missing(encoding)) return nullptr;
    const Lookup found = store_.find(std::string{name}.append(suffix_of(encoding)));
    if (found.status == LookupStatus::found && !is_older(found.file->version, plain.version)) return found.file;
    plain.neighbours.note_missing(encoding);
    return nullptr;
  }

  Representation choose(const Request& request, std::string_view name, const Stored& plain, bool varies) {
    Representation out{plain, std::nullopt, false, plain->etag};
    // A range is one of the plain file: its offsets would mean nothing to somebody who resumes with another coding.
    if (!varies || request.field("range")) return out;
    const AcceptedEncodings accepted = accepted_encodings(request);
    if (options_.precompressed) {
      for (const Encoding encoding : accepted) {
        Stored found = neighbour(name, *plain, encoding);
        if (!found) continue;
        std::string etag = make_etag(*found, 1 + static_cast<std::uint64_t>(encoding));
        return {std::move(found), encoding, false, std::move(etag)};
      }
    }
    const std::uint64_t size = plain->version.size_bytes;
    if (!plain->is_compressible || !options_.compress || !options_.offload || size < CompressedCache::kFileMinBytes ||
        size > CompressedCache::kFileMaxBytes || size > options_.compressed_cache_bytes) {
      return out;
    }
    for (const Encoding encoding : accepted) {
      if (encoding == Encoding::zstd) continue;
      return {plain, encoding, true, CompressedCache::etag_of(*plain, encoding)};
    }
    return out;
  }

  Response send(const Request& request, std::string_view name, const Stored& plain, int status) {
    // Whatever the type: somebody who puts "model.glb.gz" beside "model.glb" knows that it is worth it.
    const bool varies = options_.precompressed || (plain->is_compressible && options_.compress && options_.offload);
    Representation chosen = choose(request, name, plain, varies);
    chosen.is_dated = is_dated(*plain);
    const Validators validators{chosen.etag, chosen.is_dated ? plain->modified_s : -1};
    switch (evaluate_preconditions(request, validators)) {
      case Precondition::not_modified: return describe(Response{304}, plain, chosen, varies);
      case Precondition::failed: return Response::error(412);
      case Precondition::proceed: break;
    }
    if (request.method() == Method::get && request.field("range") && if_range_holds(request, validators)) {
      const RangeSelection selection = select_ranges(request.field("range"), plain->version.size_bytes);
      if (selection.status == RangeStatus::unsatisfiable) {
        return Response::error(416).with("Content-Range", "bytes */" + std::to_string(plain->version.size_bytes));
      }
      if (selection.status == RangeStatus::partial) {
        if (auto partial = partial_response(plain, selection.ranges)) {
          return describe(std::move(*partial), plain, chosen, varies);
        }
      }
    }
    if (chosen.is_made_here) {
      if (auto response = compressed_->respond(plain, *chosen.encoding)) {
        return describe(std::move(*response), plain, chosen, varies);
      }
      chosen.encoding.reset();
      chosen.etag = plain->etag;
    }
    return describe(whole(chosen.stored, plain->content_type, status), plain, chosen, varies);
  }

  /// Last-Modified is never later than Date (RFC 9110 §8.8.2.1), and it is not told while its second runs: another
  /// change within that second would have the same date (§8.8.2.2).
  static bool is_dated(const StoredFile& file) noexcept { return file.modified_s < std::time(nullptr); }

  static Response whole(const Stored& stored, std::string_view content_type, int status) {
    if (stored->content) return Response::shared(stored->content, content_type, status);
    return Response::file({stored->file, 0, stored->version.size_bytes}, content_type, status);
  }

  Response describe(Response response, const Stored& plain, Representation& chosen, bool varies) const {
    response.with("ETag", std::move(chosen.etag));
    if (chosen.is_dated) response.with("Last-Modified", plain->last_modified);
    if (response.status().code() != 304) response.with("Accept-Ranges", "bytes");
    if (chosen.encoding && response.status().code() != 304)
      response.with("Content-Encoding", to_string(*chosen.encoding));
    if (varies) response.with("Vary", "Accept-Encoding");
    if (!options_.cache_control.empty()) response.with("Cache-Control", options_.cache_control);
    return response;
  }

  const StaticOptions options_;
  FileStore store_;
  ListingCache listings_;
  const std::shared_ptr<CompressedCache> compressed_;
};

}  // namespace

SyncHandler static_files(StaticOptions options) {
  return [files = std::make_shared<StaticFiles>(std::move(options))](const Request& request) {
    return files->answer(request);
  };
}

}  // namespace equinox::handlers
