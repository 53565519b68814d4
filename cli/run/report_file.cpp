// SPDX-License-Identifier: Apache-2.0
// Where the documents of a run are written.
#include "cli/run/report_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/path.hpp>

#include "cli/resolve/program.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

/// /dev/stdout and its like are links of the system's own.
bool is_of_system(const std::string& path) {
  const std::string directory =
      path.starts_with('/') ? canonical_path(parent_of(path)).value_or("") : std::string();
  return directory == "/dev" || is_within(directory, "/proc");
}

}  // namespace

report_file::~report_file() {
  if (fd_ >= 0) ::close(fd_);
}

error report_file::open(const std::string& path) {
  if (path.empty()) return sentence("--report needs the name of a file, and got an empty one");
  // Not blocking: a FIFO that nobody reads would stop us here. Above the standard descriptors, which the command gets.
  constexpr int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  fd_ = ::open(path.c_str(), flags | (is_of_system(path) ? 0 : O_NOFOLLOW), S_IRUSR | S_IWUSR);
  // O_NOFOLLOW: ELOOP on Linux and macOS, which a link among the directories can mean as well.
  struct stat link{};
  if (fd_ < 0 && errno == ELOOP && ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode))
    return sentence(fmt::format(
        "--report {} is a symbolic link, and the command of an earlier run may have put it there; "
        "remove it, or name the file that it leads to",
        in_quotes(path)));
  struct stat st{};
  if (fd_ < 0 || ::fstat(fd_, &st) != 0)
    return sentence(fmt::format("--report {} cannot be written: {}; name a file that can be", in_quotes(path),
                                errno == ENXIO ? "nobody reads it" : std::strerror(errno)));
  regular_ = S_ISREG(st.st_mode);
  if (const int now = ::fcntl(fd_, F_GETFL); !regular_ && now >= 0)
    (void)::fcntl(fd_, F_SETFL, now & ~O_NONBLOCK);
  path_ = path;
  return {};
}

error report_file::write(std::string_view text) {
  int why = regular_ && ::ftruncate(fd_, 0) != 0 ? errno : 0;
  if (why == 0) why = write_whole(fd_, text);
  if (why != 0 && regular_ && ::ftruncate(fd_, 0) != 0) why = errno;
  if (::close(std::exchange(fd_, -1)) != 0 && why == 0) why = errno;
  if (why == 0) return {};
  return sentence(
      fmt::format("the report could not be written to {}: {}", in_quotes(path_), std::strerror(why)));
}

error write_new(const std::string& path, std::string_view text) {
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  int why = fd < 0 ? errno : write_whole(fd, text);
  if (fd >= 0 && ::close(fd) != 0 && why == 0) why = errno;
  if (why == 0) return {};
  if (fd >= 0) (void)::unlink(path.c_str());
  return sentence(
      fmt::format("{} could not be written: {}; make room for it", in_quotes(path), std::strerror(why)));
}

}  // namespace nono::cli
