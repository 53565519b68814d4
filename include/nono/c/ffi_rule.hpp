// SPDX-License-Identifier: Apache-2.0
// What is accepted of a rule in macOS's sandbox language: well formed, and opening no broad part of the file system.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nono::c {

/// Reads the forms of a rule and refuses those that allow too much. The language: TinyScheme's lists, strings and comments.
class platform_rule {
 public:
  explicit platform_rule(std::string_view text) : rest_(text) {}

  /// What is wrong with it, in one sentence; empty where nothing is.
  [[nodiscard]] std::string check() {
    skip_blank();
    if (failed_.empty() && !rest_.starts_with('(')) return "a platform rule must begin with '('";
    while (failed_.empty() && !rest_.empty()) {
      form top;
      read(top, 0);
      skip_blank();
      if (failed_.empty()) judge(top);
    }
    return failed_;
  }

 private:
  struct form {
    std::string word;  ///< of an atom or a string
    bool is_list = false;
    std::vector<form> parts{};
  };
  static constexpr int deepest = 64;

  void skip_blank() {
    for (;;) {
      const auto start = rest_.find_first_not_of(" \t\r\n\f\v");
      rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
      if (rest_.starts_with(';')) {
        const auto end = rest_.find('\n');
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
      } else if (rest_.starts_with("#|")) {
        const auto end = rest_.find("|#", 2);
        if (end == std::string_view::npos) return fail("a comment of the platform rule does not end");
        rest_.remove_prefix(end + 2);
      } else {
        return;
      }
    }
  }
  void fail(std::string_view why) {
    if (failed_.empty()) failed_ = why;
    rest_ = {};
  }

  void read(form& to, int depth) {
    skip_blank();
    if (!failed_.empty()) return;
    if (rest_.empty()) return fail("a parenthesis of the platform rule is not closed");
    if (depth > deepest) return fail("the platform rule is nested too deeply");
    if (rest_.front() == ')') return fail("a parenthesis of the platform rule is closed that was not opened");
    if (rest_.front() == '"') return read_string(to);
    if (rest_.front() == '\'') rest_.remove_prefix(1);  // a quoted list is a list
    if (!rest_.starts_with('(')) return read_atom(to);
    rest_.remove_prefix(1);
    to.is_list = true;
    for (;;) {
      skip_blank();
      if (!failed_.empty()) return;
      if (rest_.starts_with(')')) return rest_.remove_prefix(1);
      read(to.parts.emplace_back(), depth + 1);
      if (!failed_.empty()) return;
    }
  }
  void read_string(form& to) {
    rest_.remove_prefix(1);
    for (;;) {
      if (rest_.empty()) return fail("a string of the platform rule does not end");
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return;
      if (c == '\\') {
        if (rest_.empty()) return fail("a string of the platform rule does not end");
        to.word += rest_.front();
        rest_.remove_prefix(1);
      } else {
        to.word += c;
      }
    }
  }
  void read_atom(form& to) {
    const auto end = rest_.find_first_of(" \t\r\n\f\v();\"");
    to.word = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
    if (to.word.empty()) fail("the platform rule cannot be read");
  }

  /// An allow of files needs a filter, and none that opens the root or everything by a pattern.
  void judge(const form& f) {
    if (!f.is_list) return fail("a platform rule is a list in parentheses");
    if (f.parts.empty()) return;
    if (f.parts[0].word == "allow") {
      bool files = false;
      bool filtered = false;
      for (std::size_t i = 1; i < f.parts.size(); ++i) {
        const form& part = f.parts[i];
        if (part.is_list) {
          filtered = true;
          if (files && opens_everything(part))
            return fail("the platform rule allows the whole file system; name what is needed");
        } else if (part.word == "default" ||
                   (part.word.starts_with("file") && part.word != "file-read-metadata")) {
          files = true;
        }
      }
      if (files && !filtered)
        return fail("the platform rule allows all files; add a filter such as (subpath \"/x\")");
    }
    for (const form& part : f.parts)
      if (part.is_list && failed_.empty()) judge(part);
  }
  static bool opens_everything(const form& filter) {
    if (filter.parts.empty()) return true;
    const std::string& name = filter.parts[0].word;
    if (name == "require-not") return true;
    if (name == "literal") return false;  // "/" is itself alone
    if (name == "require-all") {
      for (std::size_t i = 1; i < filter.parts.size(); ++i)
        if (!opens_everything(filter.parts[i])) return false;
      return true;
    }
    for (std::size_t i = 1; i < filter.parts.size(); ++i) {
      const form& part = filter.parts[i];
      if (part.is_list) {
        if (opens_everything(part)) return true;
        continue;
      }
      std::string_view path = part.word;
      if (name == "regex") {
        if (path.starts_with('#')) continue;  // the mark before the string
        if (path.starts_with('^')) path.remove_prefix(1);
        if (path.empty() || path == "/" || path.starts_with("/.") || path.starts_with(".") ||
            path.starts_with("(") || path.starts_with("/?") || path.starts_with("/*") ||
            path.starts_with("[") || path.starts_with("/["))
          return true;
      } else if (path.find_first_not_of("/.") == std::string_view::npos) {
        return true;
      }
    }
    return false;
  }

  std::string_view rest_;
  std::string failed_;
};

}  // namespace nono::c
