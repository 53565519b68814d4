// SPDX-License-Identifier: Apache-2.0
// A secret's memory, as the kernel sees it.
#include "secrets/secret.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace nono::secrets;

namespace {

/// The paragraph of /proc/self/smaps about the pages at an address.
std::string mapping_of(const void* at) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(at);
  std::ifstream file("/proc/self/smaps");
  std::string out;
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char dash = 0;
    std::istringstream words(line);
    const bool is_head = static_cast<bool>(words >> std::hex >> from >> dash >> to) && dash == '-';
    if (is_head && !out.empty()) break;
    if (!out.empty() || (is_head && from <= wanted && wanted < to)) out += line + "\n";
  }
  return out;
}

/// The value of a line of it.
std::string line_of(const std::string& mapping, const std::string& name) {
  const std::size_t at = mapping.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const std::size_t start = at + name.size() + 2;
  return mapping.substr(start, mapping.find('\n', start) - start);
}

/// Whether mlock() does anything: under a sanitizer, and beyond RLIMIT_MEMLOCK, it does not.
bool can_lock() {
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(at != MAP_FAILED);
  (void)mlock(at, size);
  const bool out = (line_of(mapping_of(at), "VmFlags") + " ").find(" lo ") != std::string::npos;
  (void)munmap(at, size);
  if (!out) MESSAGE("nothing can be locked here");
  return out;
}

}  // namespace

TEST_CASE("secret: locked, kept out of core dumps and of children, in pages of its own") {
  const secret one = secret::copy_of("S3CRET");
  REQUIRE(one.view() == "S3CRET");
  const std::string mapping = mapping_of(one.view().data());
  const std::string flags = line_of(mapping, "VmFlags") + " ";
  CAPTURE(mapping);
  CHECK(flags.find(" dd ") != std::string::npos);                  // VM_DONTDUMP
  CHECK(flags.find(" wf ") != std::string::npos);                  // VM_WIPEONFORK
  CHECK((flags.find(" lo ") != std::string::npos) == can_lock());  // VM_LOCKED
  CHECK((line_of(mapping, "Locked").find_first_of("123456789") != std::string::npos) == can_lock());
  CHECK(reinterpret_cast<std::uintptr_t>(one.view().data()) %
            static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE)) ==
        0);
}

TEST_CASE("secret: a forked child sees zeros") {
  const secret one = secret::copy_of("S3CRET");
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string_view seen = one.view();
    _exit(seen.size() == 6 && std::all_of(seen.begin(), seen.end(), [](char c) { return c == 0; }) ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(one.view() == "S3CRET");
}

TEST_CASE("secret: moving leaves nothing behind, and letting go unmaps") {
  secret one = secret::copy_of("S3CRET");
  const char* const at = one.view().data();
  secret other(std::move(one));
  CHECK(one.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(one.data() == nullptr);
  CHECK(other.view().data() == at);
  other = secret::copy_of("another");
  CHECK(other.view() == "another");
  CHECK(mapping_of(at).find("VmFlags") == std::string::npos);
  other = secret();
  CHECK(other.empty());
  CHECK(secret().view().empty());
  CHECK(secret(0).data() == nullptr);
  CHECK(secret::copy_of("").empty());
}

TEST_CASE("secret: what shrinking cuts is wiped") {
  secret one = secret::copy_of("S3CRET");
  one.shrink(2);
  CHECK(one.view() == "S3");
  CHECK(std::memcmp(one.data(), "S3\0\0\0\0", 6) == 0);
  one.shrink(5);  // never grows
  CHECK(one.size() == 2);
}

TEST_CASE("secret: wiping overwrites") {
  char text[] = "S3CRET";
  secret::wipe(text, 6);
  CHECK(std::string_view(text, 6) == std::string_view("\0\0\0\0\0\0", 6));
}
