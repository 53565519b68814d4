// SPDX-License-Identifier: Apache-2.0
// The words of a Seatbelt profile: rules that are written only if they have a filter, filters, paths and numbers.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <nono/macos/places.hpp>
#include <nono/macos/quote.hpp>
#include <nono/macos/settings.hpp>
#include <nono/path.hpp>
#include <nono/right.hpp>

namespace nono::seatbelt {

/// What a right is called in SBPL, and where a grant of it holds. `list` and `refer` have no operation of their own, and
/// `truncate` is a part of writing data: see the README, "macOS".
/// Source: "Apple's Sandbox Guide" v1.0 (2011) lists these operations, but for file-map-executable, which profiles that
///         Apple ships with macOS 10.15 and later use (inferred).
struct operation_class {
  right of;
  bool inside_only;  ///< below the directory, not at it: as Landlock, which asks the directory around a name
  std::string_view operations;
};

inline constexpr operation_class executing{right::execute, false, "file-map-executable process-exec*"};
inline constexpr operation_class writing{
    right::write_file, false,
    "file-write-data file-write-flags file-write-mode file-write-owner file-write-times file-write-xattr"};
inline constexpr operation_class creating{right::create, true, "file-write-create"};
inline constexpr operation_class removing{right::remove, true, "file-write-unlink"};
inline constexpr operation_class controlling{right::ioctl, false, "file-ioctl"};
inline constexpr operation_class serving{right::create, true, "network-bind network-inbound"};
inline constexpr operation_class connecting{right::connect_unix, false, "network-outbound"};

/// Decimal digits.
class decimal {
 public:
  constexpr explicit decimal(std::size_t n) noexcept {
    do {
      digits_[--start_] = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n != 0);
  }
  [[nodiscard]] constexpr std::string_view text() const noexcept {
    return {digits_ + start_, sizeof digits_ - start_};
  }

 private:
  char digits_[20]{};
  std::size_t start_ = sizeof digits_;
};

/// Writes rules about the places of a table. Sink: put(char), put(string_view), parameter(name, path).
template <class Sink>
class rules {
 public:
  constexpr rules(const settings& with, std::span<const place> places, Sink& out)
      : with_(with), places_(places), out_(out) {}

  /// A rule of several lines, begun at its first filter.
  struct open_rule {
    std::string_view verb;
    std::string_view operations;
    bool begun = false;
  };

  constexpr void line(open_rule& rule) {
    if (!rule.begun) {
      out_.put('(');
      out_.put(rule.verb);
      out_.put(' ');
      out_.put(rule.operations);
    }
    rule.begun = true;
    out_.put("\n  ");
  }
  constexpr void close(const open_rule& rule) {
    if (rule.begun) out_.put(")\n");
  }

  /// A whole line: its pieces, one after the other.
  template <class... Pieces>
  constexpr void whole(const Pieces&... pieces) {
    (out_.put(std::string_view(pieces)), ...);
    out_.put('\n');
  }

  constexpr void filter(std::string_view name, const place& p) {
    out_.put('(');
    out_.put(name);
    out_.put(' ');
    path(p);
    out_.put(')');
  }
  constexpr void service(open_rule& rule, std::string_view name) {
    line(rule);
    out_.put("(global-name ");
    put_quoted(out_, {{}, name});
    out_.put(')');
  }

  /// What a place adds to those above it.
  static constexpr right added_below(const place& p) noexcept { return p.below & ~p.covered; }
  static constexpr right added_here(const place& p) noexcept { return p.here & ~p.below & ~p.covered; }

  /// Allows the operations of a right wherever it is granted.
  constexpr void allow(const operation_class& c) {
    open_rule rule{"allow", c.operations};
    for (const place& p : places_) {
      if (contains(added_below(p), c.of)) {
        line(rule);
        if (c.inside_only) out_.put("(require-all ");
        filter("subpath", p);
        if (!c.inside_only) continue;
        out_.put(" (require-not ");
        filter("literal", p);
        out_.put("))");
      } else if (contains(added_here(p), c.of)) {
        line(rule);
        filter("literal", p);
      }
    }
    close(rule);
  }

  [[nodiscard]] constexpr std::span<const place> places() const noexcept { return places_; }
  [[nodiscard]] constexpr const settings& with() const noexcept { return with_; }
  [[nodiscard]] constexpr Sink& out() noexcept { return out_; }

 private:
  constexpr void path(const place& p) {
    if (with_.paths == path_text::parameters) {
      const decimal number(static_cast<std::size_t>(&p - places_.data()));
      char name[24] = {'P'};
      std::size_t n = 1;
      for (const char digit : number.text()) name[n++] = digit;
      parameter({name, n}, p.path);
      return;
    }
    const std::string_view first = p.path.head.empty() ? p.path.tail : p.path.head;
    const std::string_view variable = leading_variable(first);
    if (variable.empty()) return put_quoted(out_, p.path);
    const std::string_view rest = p.path.head.empty() ? after_variable(p.path.tail) : p.path.tail;
    if (!rest.empty()) out_.put("(string-append ");
    parameter(variable.substr(1), {{}, variable});
    if (rest.empty()) return;
    out_.put(' ');
    put_quoted(out_, {{}, rest});
    out_.put(')');
  }
  constexpr void parameter(std::string_view name, const spelled& value) {
    out_.put("(param \"");
    out_.put(name);
    out_.put("\")");
    out_.parameter(name, value);
  }

  const settings& with_;
  std::span<const place> places_;
  Sink& out_;
};

}  // namespace nono::seatbelt
