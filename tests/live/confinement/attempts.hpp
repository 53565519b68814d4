// SPDX-License-Identifier: Apache-2.0
// Attempts to get out of a sandbox: one function each. It returns when it got through, and throws when it was stopped.
#pragma once

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace attempts {

/// What of the world outside an attempt is told: `key=value`, one a line. No secret is among it.
class facts {
 public:
  explicit facts(const char* file);
  [[nodiscard]] const std::string& text(const std::string& key) const;
  [[nodiscard]] long number(const std::string& key) const;
  /// A file that no grant covers; in the work directory, which may be written; in the one that may only be read.
  [[nodiscard]] std::string outside(std::string_view name) const { return below("outside", name); }
  [[nodiscard]] std::string work(std::string_view name) const { return below("work", name); }
  [[nodiscard]] std::string shared(std::string_view name) const { return below("shared", name); }
  /// The process outside.
  [[nodiscard]] int victim() const { return static_cast<int>(number("victim")); }
  [[nodiscard]] std::string victim_proc(std::string_view name) const {
    return "/proc/" + text("victim") + "/" + std::string(name);
  }

 private:
  [[nodiscard]] std::string below(const char* key, std::string_view name) const {
    return text(key) + "/" + std::string(name);
  }
  std::map<std::string, std::string> values_;
};

/// How it is known that an attempt got through.
enum class proof : std::uint8_t {
  secret,  ///< it prints what only somebody outside could tell it
  change,  ///< something outside is different afterwards
  call,    ///< the call itself is what must not be had: it succeeded
};

/// Who can make an attempt without a sandbox.
enum class needs : std::uint8_t { anybody, root };

struct attempt {
  std::string_view name;
  proof by;
  std::string_view sentence;
  void (*make)(const facts&);
  needs who = needs::anybody;
};

/// A call was refused.
struct stopped {
  const char* call;
  int error;
};
/// This kernel or this user has no such thing, sandbox or not.
struct cannot {
  const char* why;
};

/// The result of a call, or the end of the attempt.
template <class T>
T check(const char* call, T got) {
  if (got < 0) throw stopped{call, errno};
  return got;
}
/// The call got as far as it can without doing harm: it came to `considered` instead of a refusal.
inline void refused_later(const char* call, long got, std::initializer_list<int> considered) {
  if (got >= 0) return;
  for (const int error : considered)
    if (errno == error) return;
  throw stopped{call, errno};
}

// ---- steps that many attempts have in common ----

/// Opens, for this attempt alone.
int open_file(const std::string& path, int flags, unsigned mode = 0644);
/// Writes to standard output; the driver looks for secrets there.
void print(std::string_view text);
/// Reads from a descriptor and prints.
void print_from(int fd);
/// Opens a file, reads it and prints.
void print_file(const std::string& path);
/// Writes a few bytes.
void put(int fd);

// ---- all of them, by class ----

extern const std::span<const attempt> file_attempts;
extern const std::span<const attempt> network_attempts;
extern const std::span<const attempt> unix_socket_attempts;
extern const std::span<const attempt> process_attempts;
extern const std::span<const attempt> metadata_attempts;
extern const std::span<const attempt> kernel_attempts;
extern const std::span<const attempt> inherited_attempts;

/// The process outside: says where its memory and its descriptor are, and waits.
int be_the_victim(const char* secret_file);

}  // namespace attempts
