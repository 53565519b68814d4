// SPDX-License-Identifier: Apache-2.0
// `nono profile init`: a new profile file that can be used as it is.
#include "cli/commands/profile_init.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/json/profile_writer.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

error cannot_write(std::string_view what, const std::string& path) {
  return sentence(fmt::format("{} {} failed: {}; name a place that can be written with -o", what,
                              nono::detail::quoted(path), std::strerror(errno)));
}

/// A file that is removed unless it was given its name.
class draft {
 public:
  draft() = default;
  draft(const draft&) = delete;
  draft& operator=(const draft&) = delete;
  ~draft() {
    if (fd_ >= 0) (void)::close(fd_);
    if (!path_.empty()) (void)::unlink(path_.c_str());
  }

  error write(const std::string& beside, std::string_view text) {
    path_ = parent_of(beside) + "/.nono-profile-XXXXXX";
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (fd_ < 0) {
      path_.clear();
      return cannot_write("writing beside", beside);
    }
    errno = write_whole(fd_, text);
    if (errno != 0) return cannot_write("writing", path_);
    // On disk before it has its name: after a crash there is the old file or the new one.
    return ::fsync(fd_) == 0 ? error{} : cannot_write("writing", path_);
  }

  /// force: takes the place of what is there, which is never looked through: a link is replaced, not followed.
  error name(const std::string& path, bool force) {
    if (force) {
      if (::rename(path_.c_str(), path.c_str()) != 0) return cannot_write("replacing", path);
      path_.clear();
      return {};
    }
    if (::link(path_.c_str(), path.c_str()) == 0) return {};
    if (errno == EEXIST)
      return sentence(fmt::format("{} exists; --force replaces it", nono::detail::quoted(path)));
    return cannot_write("writing", path);
  }

 private:
  std::string path_;
  int fd_ = -1;
};

error init(const init_options& o, const host& here, std::string& path) {
  if (!is_profile_name(o.name))
    return sentence(
        fmt::format("{} is no name of a profile; use letters, digits and hyphens, and none of these at "
                    "an end",
                    nono::detail::quoted(o.name)));
  if (find_profile(o.name) != nullptr)
    return sentence(
        fmt::format("{} is a built-in profile, and a file of its name would take its place; choose "
                    "another name, and --extends {} for what it grants",
                    nono::detail::quoted(o.name), o.name));
  const std::string directory = profiles_directory(here);
  path = o.output.empty()            ? fmt::format("{}/{}.json", directory, o.name)
         : o.output.starts_with('/') ? o.output
                                     : fmt::format("{}/{}", here.current, o.output);
  const std::string other = fmt::format("{}/{}.jsonc", directory, o.name);
  if (o.output.empty() && ::access(other.c_str(), F_OK) == 0)
    return sentence(
        fmt::format("{} is there and would be used instead of a new {}.json; remove it, or write elsewhere "
                    "with -o",
                    nono::detail::quoted(other), o.name));
  profile says;
  says.name = o.name;
  says.description = o.description;
  says.extends = o.extends;
  says.groups = o.groups;
  if (!nono::detail::is_utf8(o.description))
    return sentence("--description is not UTF-8, and a profile file is; write it in UTF-8");
  const std::string text = o.full ? profile_skeleton(says) : nono::to_json(says);
  if (auto used = profile_of_text(text, path, here); !used) return std::move(used.error());
  if (o.output.empty()) {
    path_buffer which{};
    errno = make_directories(directory.c_str(), which);
    if (errno != 0) return cannot_write("making the directory", which.text);
  }
  draft file;
  if (error why = file.write(path, text); why.code != errc::none) return why;
  return file.name(path, o.force);
}

}  // namespace

int init_profile(const init_options& o) {
  const auto here = this_host();
  if (!here) return complain(words_of(here.error())), 1;
  std::string path;
  if (error why = init(o, *here, path); why.code != errc::none) return complain(words_of(why)), 1;
  return print(fmt::format("{} is written; use it with --profile {}\n", nono::detail::quoted(path),
                           o.output.empty() ? o.name : nono::detail::quoted(path)));
}

}  // namespace nono::cli
