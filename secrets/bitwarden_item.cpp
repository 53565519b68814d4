// SPDX-License-Identifier: Apache-2.0
// A reader of JSON that holds on to nothing: it goes over the text again for each thing it looks for.
#include "secrets/bitwarden_item.hpp"

#include <cstddef>
#include <cstdint>

namespace nono::secrets {

namespace {

constexpr int deepest = 64;

/// Where a value of the JSON stands in the text; empty for what is not there.
using place = std::string_view;

class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  /// Goes over one value and what is blank before it. False for what is none.
  bool skip_value(place& found, int depth = 0) {
    skip_blanks();
    const std::size_t start = at_;
    if (depth > deepest || at_ == text_.size() || !skip_any(depth)) return false;
    found = text_.substr(start, at_ - start);
    return true;
  }

  /// Goes over a container and shows each of its values, with its key if it has one. `each` goes on while it gives true.
  template <class Each>
  bool skip_container(int depth, const Each& each) {
    const bool keyed = text_[at_] == '{';
    const char last = keyed ? '}' : ']';
    ++at_;
    skip_blanks();
    if (take(last)) return true;
    for (;;) {
      place key;
      place found;
      if (keyed) {
        skip_blanks();
        const std::size_t start = at_;
        if (!skip_string()) return false;
        key = text_.substr(start, at_ - start);
        skip_blanks();
        if (!take(':')) return false;
      }
      if (!skip_value(found, depth + 1)) return false;
      each(key, found);
      skip_blanks();
      if (take(last)) return true;
      if (!take(',')) return false;
    }
  }

  [[nodiscard]] bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool skip_string() {
    if (!take('"')) return false;
    for (; at_ < text_.size(); ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    return false;
  }
  bool skip_any(int depth) {
    const char c = text_[at_];
    if (c == '"') return skip_string();
    if (c == '{' || c == '[') return skip_container(depth, [](place, place) {});
    const std::size_t start = at_;  // a number, true, false, null: which one it is does not matter
    while (at_ < text_.size() && std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos)
      ++at_;
    return at_ != start;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Four digits behind \u, or -1.
int unit_at(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int out = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int one = digit(text[at + i]);
    if (one < 0) return -1;
    out = out * 16 + one;
  }
  return out;
}

/// What a string of JSON stands for. False for what is no string. It is never longer than it is written.
bool unescape(place quoted, secret& out) {
  if (quoted.size() < 2 || quoted.front() != '"') return false;
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  secret room(text.size() + 1);
  char* const to = room.data();
  if (to == nullptr) return false;
  std::size_t n = 0;
  const auto put = [&](std::uint32_t byte) { to[n++] = static_cast<char>(byte); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      to[n++] = text[i];
      continue;
    }
    static constexpr std::string_view letters = "\"\\/bfnrt";
    static constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
    const char c = text[++i];  // skip_string() has seen that there is one
    if (const std::size_t which = letters.find(c); which != std::string_view::npos) {
      to[n++] = meant[which];
      continue;
    }
    if (c != 'u') return false;
    const int unit = unit_at(text, i + 1);
    if (unit < 0) return false;
    i += 4;
    auto point = static_cast<std::uint32_t>(unit);
    if (point >= 0xD800 && point < 0xDC00) {
      const int second = text.substr(i + 1).starts_with("\\u") ? unit_at(text, i + 3) : -1;
      if (second < 0xDC00 || second > 0xDFFF) return false;
      point = 0x10000 + ((point - 0xD800) << 10U) + (static_cast<std::uint32_t>(second) - 0xDC00);
      i += 6;
    } else if (point >= 0xDC00 && point <= 0xDFFF) {
      return false;
    }
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6U);
      put(0x80 | (point & 0x3FU));
    } else if (point < 0x10000) {
      put(0xE0 | point >> 12U);
      put(0x80 | (point >> 6U & 0x3FU));
      put(0x80 | (point & 0x3FU));
    } else {
      put(0xF0 | point >> 18U);
      put(0x80 | (point >> 12U & 0x3FU));
      put(0x80 | (point >> 6U & 0x3FU));
      put(0x80 | (point & 0x3FU));
    }
  }
  room.shrink(n);
  out = std::move(room);
  return true;
}

bool is_text(place quoted, std::string_view text) {
  secret plain;
  return unescape(quoted, plain) && plain.view() == text;
}

/// Shows each value of a container that has been read before; nothing for what is none.
template <class Each>
void for_each(place container, const Each& each) {
  if (container.empty() || (container.front() != '{' && container.front() != '[')) return;
  reader again(container);
  (void)again.skip_container(0, each);
}

/// The value of a key; empty where there is none.
place member(place object, std::string_view name) {
  place out;
  for_each(object, [&](place key, place found) {
    if (!key.empty() && is_text(key, name)) out = found;
  });
  return out;
}

place first(place list) {
  place out;
  for_each(list, [&](place, place found) {
    if (out.empty()) out = found;
  });
  return out;
}

place field_of(place item, std::string_view name) {
  if (name == "password" || name == "username" || name == "totp") return member(member(item, "login"), name);
  if (name == "uri") return member(first(member(member(item, "login"), "uris")), "uri");
  if (name == "notes") return member(item, "notes");
  place out;
  for_each(member(item, "fields"), [&](place, place field) {
    if (out.empty() && is_text(member(field, "name"), name)) out = member(field, "value");
  });
  return out;
}

}  // namespace

pick pick_field(std::string_view item, std::string_view field, secret& out) {
  reader whole(item);
  place object;
  if (!whole.skip_value(object) || object.front() != '{' || !whole.at_end()) return pick::malformed;
  const place found = field_of(object, field);
  if (found.empty() || found == "null") return pick::absent;
  if (!unescape(found, out)) return pick::malformed;
  return out.empty() ? pick::absent : pick::found;
}

}  // namespace nono::secrets
