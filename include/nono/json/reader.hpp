// SPDX-License-Identifier: Apache-2.0
// JSON as a tree whose values know where they stand: nlohmann/json's parser behind a filter that blanks comments and
// trailing commas, held to limits. For texts that somebody else wrote.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <nono/error.hpp>

namespace nono {

/// Where something stands in a text. Both count from 1; a column is a character (a code point), not a byte.
struct json_position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

/// One value of a JSON text, with what lies below it.
struct json_value {
  enum class kind : std::uint8_t {
    null,
    boolean,
    natural,  ///< a whole number from 0 to 2^64 - 1
    number,   ///< any other number; nothing here has a use for its value
    text,
    array,
    object,
  };
  kind is{};
  bool truth = false;               ///< of a boolean
  std::uint64_t natural = 0;        ///< of a natural
  json_position at{};               ///< where the value begins
  json_position key_at{};           ///< of a member: where its key begins
  std::string key{};                ///< of a member of an object
  std::string text{};               ///< of a text: UTF-8, and NUL bytes if somebody wrote \u0000
  std::vector<json_value> items{};  ///< elements or members, in their order

  /// The first member of that name, or null.
  [[nodiscard]] const json_value* find(std::string_view name) const noexcept {
    if (is == kind::object)
      for (const json_value& member : items)
        if (member.key == name) return &member;
    return nullptr;
  }
};

constexpr std::string_view name_of(json_value::kind k) noexcept {
  constexpr std::string_view names[] = {"null",   "true or false", "a number", "a number",
                                        "a text", "an array",      "an object"};
  return names[static_cast<std::size_t>(k)];
}

/// How a text is read.
struct json_options {
  bool relaxed = false;           ///< comments (// and /* */) and trailing commas are welcome
  bool repeated_keys = false;     ///< an object may have a key twice; find() gives the first
  std::size_t bytes = 1U << 20U;  ///< the longest text
  std::size_t depth = 64;         ///< how deep arrays and objects may lie in each other
  std::size_t values = 100'000;   ///< how many values there may be: what bounds the memory
};

/// An error about a place in a JSON text: `SUBJECT: DETAIL at line L column C`.
inline error json_error(errc code, std::string_view subject, std::string detail, json_position at) {
  detail += " at line " + std::to_string(at.line) + " column " + std::to_string(at.column);
  return {code, 0, std::string(subject), {}, std::move(detail)};
}

namespace detail {

/// Turns offsets into lines and columns. Offsets must not go back.
class position_counter {
 public:
  explicit position_counter(std::string_view text) noexcept : text_(text) {}
  json_position at(std::size_t offset) noexcept {
    for (; at_ < offset && at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') {
        ++here_.line;
        here_.column = 1;
      } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0U) != 0x80U) {
        ++here_.column;
      }
    }
    return here_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  json_position here_;
};

/// Blanks comments and trailing commas, so that every byte that stays keeps its place. Strings are left alone.
/// Returns the offset of a comment that does not end, or npos.
inline std::size_t blank_relaxed(std::string& text) {
  char before = '\0';                     // the last character that counts
  std::size_t comma = std::string::npos;  // one that may turn out to be trailing
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
    } else if (c == '/' && i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '*')) {
      const bool line = text[i + 1] == '/';
      const std::size_t end = line ? text.find('\n', i) : text.find("*/", i + 2);
      if (end == std::string::npos && !line) return i;
      const std::size_t stop = end == std::string::npos ? text.size() : line ? end : end + 2;
      for (; i < stop; ++i)
        if (text[i] != '\n') text[i] = ' ';
      --i;
      continue;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      continue;
    } else if ((c == ']' || c == '}') && comma != std::string::npos) {
      text[comma] = ' ';
    }
    // `[,]` is no array with a trailing comma.
    const bool follows_value =
        before != '\0' && before != '[' && before != '{' && before != ',' && before != ':';
    comma = c == ',' && follows_value ? i : std::string::npos;
    before = c;
  }
  return std::string::npos;
}

/// An input iterator that tells how far the parser has come.
struct counted_input {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  std::size_t* taken;

  reference operator*() const noexcept { return *at; }
  counted_input& operator++() noexcept { return ++at, ++*taken, *this; }
  counted_input operator++(int) noexcept {
    const counted_input old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const counted_input& a, const counted_input& b) noexcept { return a.at == b.at; }
  friend bool operator!=(const counted_input& a, const counted_input& b) noexcept { return a.at != b.at; }
};

/// Builds the tree from the parser's events, and stops it at the first thing that a limit forbids.
class json_builder {
 public:
  json_builder(std::string_view text, std::string_view filtered, std::string_view subject,
               const json_options& options, const std::size_t& taken)
      : filtered_(filtered), subject_(subject), options_(options), taken_(taken), positions_(text) {}

  json_value root;
  error failed;

  // What nlohmann's parser calls.
  bool null() { return add({.is = json_value::kind::null}) != nullptr; }
  bool boolean(bool truth) { return add({.is = json_value::kind::boolean, .truth = truth}) != nullptr; }
  bool number_integer(std::int64_t) { return add({.is = json_value::kind::number}) != nullptr; }
  bool number_unsigned(std::uint64_t n) {
    return add({.is = json_value::kind::natural, .natural = n}) != nullptr;
  }
  bool number_float(double, const std::string&) { return add({.is = json_value::kind::number}) != nullptr; }
  bool string(std::string& text) {
    json_value* const added = add({.is = json_value::kind::text});
    if (added != nullptr) added->text = std::move(text);
    return added != nullptr;
  }
  template <class Binary>
  bool binary(Binary&) {
    return false;  // no JSON text has one
  }
  bool start_object(std::size_t) { return open(json_value::kind::object); }
  bool start_array(std::size_t) { return open(json_value::kind::array); }
  bool key(std::string& name) {
    key_at_ = start();
    key_ = std::move(name);
    return true;
  }
  bool end_object() {
    const json_value& object = *open_.back();
    if (!options_.repeated_keys && object.items.size() > 1) {
      std::vector<const json_value*> sorted;
      sorted.reserve(object.items.size());
      for (const json_value& member : object.items) sorted.push_back(&member);
      std::sort(sorted.begin(), sorted.end(), [](const json_value* a, const json_value* b) {
        return a->key != b->key ? a->key < b->key : a < b;  // of two the later one second
      });
      const auto same =
          std::adjacent_find(sorted.begin(), sorted.end(),
                             [](const json_value* a, const json_value* b) { return a->key == b->key; });
      if (same != sorted.end()) {
        const json_value& second = **(same + 1);
        return fail(errc::json_repeated_key, "the key " + detail::quoted(second.key) + " stands twice",
                    second.key_at);
      }
    }
    return end_array();
  }
  bool end_array() {
    open_.pop_back();
    last_end_ = taken_;
    return true;
  }
  template <class Exception>
  bool parse_error(std::size_t position, const std::string&, const Exception& why) {
    // "[...] parse error at line 1, column 2: syntax error while parsing value - invalid literal; last read: '{,';
    // expected ...": what it is and what was expected. What was read could hold anything.
    const std::string_view words = why.what();
    const std::size_t dash = words.find(" - ");
    const std::size_t from = dash == std::string_view::npos ? 0 : dash + 3;
    const std::size_t read = words.find("; last read: ", from);
    std::string what(words.substr(from, read == std::string_view::npos ? read : read - from));
    if (dash == std::string_view::npos) what = "the number is out of range";
    const std::size_t expected = words.rfind("; expected ");
    if (read != std::string_view::npos && expected != std::string_view::npos) what += words.substr(expected);
    if (position > filtered_.size() || taken_ >= filtered_.size())
      if (what.starts_with("unexpected end")) what = "the text ends too early";
    return fail(errc::json_malformed, std::move(what), positions_.at(position == 0 ? 0 : position - 1));
  }

 private:
  /// Where the token begins whose end the parser has just seen.
  json_position start() {
    while (last_end_ < filtered_.size() &&
           std::string_view(" \t\r\n,:").find(filtered_[last_end_]) != std::string_view::npos)
      ++last_end_;
    const json_position at = positions_.at(last_end_);
    last_end_ = taken_;
    return at;
  }
  bool fail(errc code, std::string detail, json_position at) {
    if (failed.code == errc::none) failed = json_error(code, subject_, std::move(detail), at);
    return false;
  }
  json_value* add(json_value&& value) {
    value.at = start();
    if (++count_ > options_.values) {
      (void)fail(errc::json_too_large, "more than " + std::to_string(options_.values) + " values", value.at);
      return nullptr;
    }
    if (open_.empty()) return &(root = std::move(value));
    json_value& parent = *open_.back();
    if (parent.is == json_value::kind::object) {
      value.key = std::move(key_);
      value.key_at = key_at_;
    }
    return &parent.items.emplace_back(std::move(value));
  }
  bool open(json_value::kind which) {
    json_value* const added = add({.is = which});
    if (added == nullptr) return false;
    if (open_.size() == options_.depth)
      return fail(errc::json_too_deep,
                  "more than " + std::to_string(options_.depth) + " arrays and objects in each other",
                  added->at);
    open_.push_back(added);  // it stays where it is: until it is closed, only its own items grow
    return true;
  }

  std::string_view filtered_;
  std::string_view subject_;
  const json_options& options_;
  const std::size_t& taken_;
  position_counter positions_;
  std::vector<json_value*> open_;
  std::string key_;
  json_position key_at_;
  std::size_t last_end_ = 0;
  std::size_t count_ = 0;
};

}  // namespace detail

/// Reads one JSON text (UTF-8, a byte order mark is skipped).
/// subject: how an error's sentence begins: "the profile 'x.json'".
/// Errors:  json_malformed, json_too_large, json_too_deep, json_repeated_key; none throws.
inline result<json_value> read_json(std::string_view text, std::string_view subject,
                                    const json_options& options = {}) {
  if (text.size() > options.bytes)
    return error{errc::json_too_large,
                 0,
                 std::string(subject),
                 {},
                 "more than " + std::to_string(options.bytes) + " bytes"};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  detail::position_counter positions(text);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return json_error(errc::json_malformed, subject, "the text is UTF-16, not UTF-8", {});
  // To nlohmann's lexer a NUL is the end, whatever follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    return json_error(errc::json_malformed, subject, "a NUL byte", positions.at(nul));
  std::string filtered(text);
  if (options.relaxed)
    if (const std::size_t endless = detail::blank_relaxed(filtered); endless != std::string::npos)
      return json_error(errc::json_malformed, subject, "a comment that does not end", positions.at(endless));
  std::size_t taken = 0;
  detail::json_builder builder(text, filtered, subject, options, taken);
  const char* const begin = filtered.data();
  const bool whole = nlohmann::json::sax_parse(
      detail::counted_input{begin, &taken}, detail::counted_input{begin + filtered.size(), &taken}, &builder);
  if (builder.failed.code != errc::none) return std::move(builder.failed);
  if (!whole) return json_error(errc::json_malformed, subject, "the text is no JSON", {});
  return std::move(builder.root);
}

}  // namespace nono
