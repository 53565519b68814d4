// SPDX-License-Identifier: Apache-2.0
// One file of a zip archive, read by minizip.
#include "cli/resolve/archive_member.hpp"

#ifndef __APPLE__
#include <sys/stat.h>

#include <minizip/unzip.h>
#endif

namespace nono::cli {

#ifdef __APPLE__
std::string archive_member(const std::string&, const char*, std::size_t) { return {}; }
#else
std::string archive_member(const std::string& archive, const char* name, std::size_t limit) {
  std::string out;
  struct stat st{};
  if (::stat(archive.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return out;
  const unzFile open = ::unzOpen64(archive.c_str());
  if (open == nullptr) return out;
  constexpr int as_written = 1;  // upper and lower case differ
  if (::unzLocateFile(open, name, as_written) == UNZ_OK && ::unzOpenCurrentFile(open) == UNZ_OK) {
    char part[4096];
    int got = 0;
    while (out.size() < limit && (got = ::unzReadCurrentFile(open, part, sizeof part)) > 0)
      out.append(part, static_cast<std::size_t>(got));
    if (got < 0) out.clear();  // not what the archive says it is
    ::unzCloseCurrentFile(open);
  }
  ::unzClose(open);
  if (out.size() > limit) out.resize(limit);
  return out;
}
#endif

}  // namespace nono::cli
