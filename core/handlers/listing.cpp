#include "handlers/listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "http/target.hpp"

namespace equinox::handlers {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

struct Name {
  std::string text;
  bool is_folder{false};
  bool operator<(const Name& other) const { return is_folder != other.is_folder ? is_folder : text < other.text; }
};

std::vector<Name> read_names(int folder, bool& is_cut) {
  std::vector<Name> names;
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return names;
  const std::unique_ptr<DIR, CloseFolder> open{::fdopendir(own)};
  if (!open) {
    ::close(own);
    return names;
  }
  while (const dirent* entry = ::readdir(open.get())) {
    if (entry->d_name[0] == '.') continue;
    if (names.size() == kListingMax) {
      is_cut = true;
      break;
    }
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      struct stat facts {};
      is_folder = ::fstatat(folder, entry->d_name, &facts, 0) == 0 && S_ISDIR(facts.st_mode);
    }
    names.push_back({entry->d_name, is_folder});
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The address of an entry; nothing for the few names no address leads to, as "a%2fb": a request has "%2F" there.
std::optional<std::string> link_to(const Name& name) {
  const std::string path = "/" + name.text;
  std::string encoded = http::encode_normalized(path, http::Kept::unreserved);  // a "&" would need escaping in HTML
  if (path.find('%') != std::string::npos) {
    std::string scratch;
    const auto found = http::normalize_path(encoded, scratch);
    if (!found || *found != path) return std::nullopt;
  }
  return "." + encoded + (name.is_folder ? "/" : "");  // "./" keeps a name with a colon from being read as a scheme
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string list_folder(int folder, std::string_view path, bool is_root) {
  bool is_cut = false;
  const std::vector<Name> names = read_names(folder, is_cut);
  const std::string title = escape_html(path);
  std::string page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + title +
                     "</title></head>\n<body><h1>" + title + "</h1>\n<ul>\n";
  if (!is_root) page += "<li><a href=\"../\">../</a></li>\n";
  for (const Name& name : names) {
    const std::string text = escape_html(name.text) + (name.is_folder ? "/" : "");
    const auto link = link_to(name);
    page += link ? "<li><a href=\"" + *link + "\">" + text + "</a></li>\n" : "<li>" + text + "</li>\n";
  }
  page += "</ul>\n";
  if (is_cut) page += "<p>Only " + std::to_string(kListingMax) + " names are shown.</p>\n";
  return page + "</body></html>\n";
}

}  // namespace equinox::handlers
