// SPDX-License-Identifier: Apache-2.0
// What the --allow-unix-socket flags grant.
#include "cli/resolve/socket_flags.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>

#include <fmt/format.h>
#include <nono/error.hpp>
#include <nono/path.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/program.hpp"
#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

namespace {

using extent = socket_flag::extent;

std::string_view kind_of(mode_t mode) {
  return S_ISREG(mode) ? "a regular file" : S_ISFIFO(mode) ? "a FIFO" : "a device";
}

/// The sockets that lie directly in a directory, sorted. Links are left alone: what they lead to lies elsewhere.
/// Returns 0 or errno.
int sockets_in(const std::string& directory, std::vector<std::string>& out) {
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr) return errno;
  while (const dirent* entry = ::readdir(open)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (entry->d_type != DT_SOCK && entry->d_type != DT_UNKNOWN) continue;
    struct stat st{};
    if (::fstatat(::dirfd(open), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode))
      out.push_back(fmt::format("{}/{}", directory == "/" ? "" : directory, entry->d_name));
  }
  (void)::closedir(open);
  std::sort(out.begin(), out.end());
  return 0;
}

/// One use of a flag on its way to grants.
class use {
 public:
  use(const socket_flag& flag, const std::string& given, const std::string& path)
      : flag_(flag), given_(given), path_(path), files_(flag.binds ? right::read_write : right::read) {}

  socket_grants of_nothing() {
    path_buffer buffer{};
    if (const std::string_view target = read_link(path_.c_str(), buffer); !target.empty())
      return refused("is a symbolic link that leads nowhere; name what it should lead to ({})",
                     in_quotes(target));
    const std::string parent = parent_of(path_);
    out_.missing = flag_.of != extent::one || !flag_.binds || !is_directory(parent);
    if (out_.missing) return out_;
    grant(parent, files_, path_kind::directory, fmt::format("the directory of {}", flag_.name));
    out_.note = about(
        "grants its directory {}, to make the socket there; only one that the command makes can be reached",
        in_quotes(parent));
    return out_;
  }

  socket_grants of_one(mode_t mode) {
    if (S_ISDIR(mode))
      return refused("is a directory; use --allow-unix-socket-dir{} for the sockets in it", bind());
    if (!S_ISSOCK(mode))
      return refused("is {}, not a socket; use {} for a file", kind_of(mode),
                     flag_.binds ? "--allow-file" : "--read-file");
    grant(path_, files_ | right::connect_unix, path_kind::file, flag_.name);
    if (flag_.binds)
      out_.note =
          about("is there already: to bind it anew the command must remove it, which --write {} allows",
                in_quotes(parent_of(path_)));
    return out_;
  }

  socket_grants of_directory(mode_t mode) {
    if (!S_ISDIR(mode))
      return refused("is not a directory; use --allow-unix-socket{} for a single socket", bind());
    if (flag_.of == extent::subtree) {
      grant(path_, files_ | right::connect_unix, path_kind::directory, flag_.name);
      return out_;
    }
    std::vector<std::string> sockets;
    if (const int why = sockets_in(path_, sockets); why != 0)
      return refused("cannot be listed: {}; name its sockets one by one with --allow-unix-socket{}",
                     std::strerror(why), bind());
    grant(path_, files_, path_kind::directory, flag_.name);
    std::string unnameable;  // anybody's, where anybody may make files: no reason to fail
    for (const std::string& s : sockets) {
      if (check_path(s) == errc::none) {
        grant(s, files_ | right::connect_unix, path_kind::file, flag_.name);
      } else {
        unnameable += (unnameable.empty() ? "" : ", ") + in_quotes(s);
      }
    }
    if (sockets.empty()) out_.warning = about("holds no socket, so none can be reached");
    if (!unnameable.empty()) out_.warning = about("is granted without what no rule can name: {}", unnameable);
    return out_;
  }

 private:
  [[nodiscard]] std::string_view bind() const { return flag_.binds ? "-bind" : ""; }
  template <class... Args>
  [[nodiscard]] std::string about(fmt::format_string<Args...> text, Args&&... args) const {
    return fmt::format("{} {} {}", flag_.name, in_quotes(given_),
                       fmt::format(text, static_cast<Args&&>(args)...));
  }
  template <class... Args>
  [[nodiscard]] socket_grants refused(fmt::format_string<Args...> text, Args&&... args) const {
    socket_grants out;
    out.refused = about(text, static_cast<Args&&>(args)...);
    return out;
  }
  void grant(const std::string& path, right rights, path_kind kind, std::string_view source) {
    out_.grants.push_back({path, rights, kind, std::string(source)});
  }

  const socket_flag& flag_;
  const std::string& given_;
  const std::string& path_;
  right files_;
  socket_grants out_;
};

}  // namespace

socket_grants grants_of(const socket_flag& flag, const std::string& given, const std::string& path,
                        const struct stat* found) {
  use one(flag, given, path);
  if (found == nullptr) return one.of_nothing();
  return flag.of == extent::one ? one.of_one(found->st_mode) : one.of_directory(found->st_mode);
}

}  // namespace nono::cli
