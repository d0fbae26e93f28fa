#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <equinox/body.hpp>
#include <system_error>

#include "base/open_file.hpp"

namespace equinox {

FileBody open_file(const std::string& path) {
  const auto fail = [&](int os_errno) {
    throw std::system_error{os_errno, std::generic_category(), "\"" + path + "\""};
  };
  auto file = std::make_shared<OpenFile>();
  // A pipe of that name must not be waited for.
  file->fd = UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat facts {};
  if (!file->fd || ::fstat(file->fd.get(), &facts) != 0) fail(errno);
  if (!S_ISREG(facts.st_mode)) fail(S_ISDIR(facts.st_mode) ? EISDIR : EINVAL);
  file->size_bytes = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t size = file->size_bytes;
  return {std::move(file), 0, size};
}

}  // namespace equinox
