// SPDX-License-Identifier: Apache-2.0
// A directory for one test case, with short ways to fill it; removed at the end without the code under test.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace nono_test {

class temporary_directory {
 public:
  temporary_directory() {
    char name[] = "/tmp/nt-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    // The tools cope with trees of any depth; the name is our own, so nothing in it needs quotes.
    CHECK(std::system(("chmod -R u+rwX " + path_ + " 2>&- ; rm -rf " + path_).c_str()) == 0);
  }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view below) const { return (path_ + "/").append(below); }

  /// Makes the directory and those above it.
  std::string directory(std::string_view below, mode_t mode = 0755) const {
    const std::string whole = *this / below;
    for (std::size_t slash = whole.find('/', path_.size() + 1); slash != std::string::npos;
         slash = whole.find('/', slash + 1))
      (void)mkdir(whole.substr(0, slash).c_str(), 0755);
    REQUIRE(mkdir(whole.c_str(), mode) == 0);
    return whole;
  }

  std::string file(std::string_view below, std::string_view content = "", mode_t mode = 0644) const {
    const std::string whole = *this / below;
    for (std::size_t slash = whole.find('/', path_.size() + 1); slash != std::string::npos;
         slash = whole.find('/', slash + 1))
      (void)mkdir(whole.substr(0, slash).c_str(), 0755);
    std::FILE* stream = std::fopen(whole.c_str(), "w");
    REQUIRE(stream != nullptr);
    CHECK(std::fwrite(content.data(), 1, content.size(), stream) == content.size());
    std::fclose(stream);
    REQUIRE(chmod(whole.c_str(), mode) == 0);
    return whole;
  }

  std::string link(std::string_view below, const std::string& target) const {
    const std::string whole = *this / below;
    REQUIRE(symlink(target.c_str(), whole.c_str()) == 0);
    return whole;
  }

 private:
  std::string path_;
};

inline bool exists(const std::string& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0;
}

}  // namespace nono_test
