// SPDX-License-Identifier: Apache-2.0
// A bound policy drawn by path, so that a person sees what lies in what; with what a question touched marked in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/explain.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/question.hpp>
#include <nono/resolve.hpp>

namespace nono {

/// Where a rule comes from, in one word: `user`, `group:NAME`, `profile:NAME`, `system` or `command`.
inline std::string source_text(origin from, std::string_view source) {
  constexpr std::string_view origins[] = {"user", "group", "profile", "system", "command"};
  std::string out(origins[static_cast<std::size_t>(from)]);
  if ((from == origin::group || from == origin::profile) && !source.empty()) (out += ':') += source;
  return out;
}

namespace detail {

constexpr std::string_view kind_text(file_type type) noexcept {
  constexpr std::string_view kinds[] = {"dir", "file", "device", "other", "fifo", "socket", "link"};
  return kinds[static_cast<std::size_t>(type)];
}

class tree_drawing {
 public:
  /// path: absolute, without links. It must live as long as this.
  void add(std::string_view path, std::string text) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    marks_.push_back({path, marks_.size(), std::move(text)});
  }

  std::string draw() {
    std::sort(marks_.begin(), marks_.end(), [](const mark& a, const mark& b) {
      return a.path == b.path ? a.order < b.order : path_before(a.path, b.path);
    });
    std::size_t first = 0;
    line("/", take("/", first));
    below(first, marks_.size(), 0, {});
    return std::move(out_);
  }

 private:
  struct mark {
    std::string_view path;
    std::size_t order = 0;  // of one path they are drawn as they were added
    std::string text;
  };

  /// The texts of all marks at `path`, joined.
  std::string take(std::string_view path, std::size_t& next) const {
    std::string text;
    for (; next < marks_.size() && marks_[next].path == path; ++next) {
      if (!text.empty() && marks_[next].text == marks_[next - 1].text) continue;  // a group may say it twice
      text += text.empty() ? "  " : "; ";
      text += marks_[next].text;
    }
    return text;
  }
  void line(std::string_view name, std::string_view text) {
    append_quoted(out_, name);
    out_ += text;
    out_ += '\n';
  }

  /// Draws the marks [from, end), all of them below the path of `length` bytes; of "/" it is 0.
  void below(std::size_t from, std::size_t end, std::size_t length, const std::string& indent) {
    while (from < end) {
      const std::string_view first = marks_[from].path;
      const std::string_view component = first.substr(0, first.find('/', length + 1));
      std::size_t next = from + 1;
      while (next < end && is_within(marks_[next].path, component)) ++next;
      // Directories that say nothing and hold one thing only share its line.
      const std::string_view last = marks_[next - 1].path;
      std::size_t same = component.size();
      for (std::size_t at = same; at <= first.size() && is_within(last, first.substr(0, at));
           at = std::min(first.find('/', at + 1), first.size() + (at == first.size() ? 1 : 0)))
        same = at;
      const bool closes = next == end;
      out_ += indent;
      out_ += closes ? "└── " : "├── ";
      std::size_t inner = from;
      std::string text = take(first.substr(0, same), inner);
      line(first.substr(length + 1, same - length - 1), text);
      below(inner, next, same, indent + (closes ? "    " : "│   "));
      from = next;
    }
  }

  std::vector<mark> marks_;
  std::string out_;
};

}  // namespace detail

/// The policy as a tree, a line for each path that a rule names and each directory where paths part:
///
///     '/'
///     ├── 'etc/passwd'  read  file  [group:system_read]
///     └── 'home/me'
///         ├── '.ssh'  denied  [group:deny_credentials]
///         └── 'work'  read_write  dir  [user]
///
/// Rules are drawn where they lead once links are followed. Names are quoted: none can forge a line.
/// touched: a decision; the rules that it rests on are marked. Null marks none.
/// asked:   the paths of its question, without links.
inline std::string to_tree(const bound_policy& policy, const decision* touched = nullptr,
                           std::span<const std::string> asked = {}) {
  detail::tree_drawing tree;
  const bound_deny* closing =
      touched != nullptr && touched->status == verdict::denied
          ? explain(*touched, policy, asked.empty() ? std::string_view() : std::string_view(asked[0])).deny
          : nullptr;
  const auto granted = [&](const bound_rule& r) {
    if (touched == nullptr) return false;
    for (std::size_t i = 0; i < touched->need_count; ++i)
      for (const bound_rule* by : touched->needs[i].by)
        if (by == &r) return true;
    return false;
  };
  const auto repeats = [&](const bound_rule& r) {  // a group names both ends of a link: one says it
    if (!r.subsumed || r.above == bound_rule::no_rule) return false;
    const bound_rule& wider = policy.rules[r.above];
    return wider.canonical == r.canonical && wider.from == r.from && wider.source == r.source;
  };
  for (const bound_rule& r : policy.rules) {
    if (repeats(r)) continue;
    std::string text;
    append_rights(text, r.rights);
    ((text += "  ") += detail::kind_text(r.type)) += "  [";
    (text += source_text(r.from, r.source)) += ']';
    if (r.path != r.canonical) (text += "  written ") += detail::quoted(r.path);
    if (r.subsumed) text += "  covered by a wider grant";
    if (granted(r)) text += "  <- grants";
    tree.add(r.canonical.empty() ? r.path : r.canonical, std::move(text));
  }
  for (const bound_deny& d : policy.denies) {
    std::string text = "denied  [" + source_text(d.from, d.source) + ']';
    if (&d == closing) text += "  <- closes";
    tree.add(d.canonical.empty() ? d.path : d.canonical, std::move(text));
  }
  for (const skipped_rule& s : policy.skipped) {
    std::string text = s.denied != nullptr ? "gave way to the denied " + detail::quoted(s.denied->path)
                                           : std::string("missing");
    tree.add(s.path, text + "  [" + source_text(s.from, s.source) + ']');
  }
  for (const std::string& path : asked) tree.add(path, "<- asked");
  return tree.draw();
}

}  // namespace nono
