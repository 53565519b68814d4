// SPDX-License-Identifier: Apache-2.0
// Reads the text of a Seatbelt profile and answers as Seatbelt would. It knows nothing of nono, so that it can judge what
// nono writes. Each rule of reading names its source:
//   [guide]    "Apple's Sandbox Guide" v1.0, fG!, 2011: operations, filters, modifiers
//   [chromium] Chromium, docs/mac/sandbox: "Mac Sandbox Design", and its profiles
//   [scheme]   TinyScheme's manual and mini-scheme's reader, of which SBPL is read by a copy: D. Blazakis, "The Apple
//              Sandbox", 2011, section "SBPL"
//   [inferred] nobody published it; what a person who writes such profiles relies on
// Not yet held against a Mac.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sbpl {

/// What a process asks of Seatbelt: one operation, and what is known of its object.
struct action {
  std::string operation;
  std::string path;    ///< as the kernel names the file; of unix sockets too
  std::string type;    ///< of the file: REGULAR-FILE, DIRECTORY, ...
  std::string name;    ///< of a Mach service, a sysctl, shared memory, ...
  std::string target;  ///< of a signal: self, same-sandbox or others
  std::string kind;    ///< of the socket: tcp, udp or unix-socket
  std::string host;    ///< localhost or anything else
  int port = -1;
};

/// A parsed expression.
struct expression {
  enum class kind { list, word, string, pattern };
  kind what = kind::list;
  std::string text;
  std::vector<expression> items;

  [[nodiscard]] bool is_word(std::string_view w) const { return what == kind::word && text == w; }
  /// The word at the head of a list.
  [[nodiscard]] std::string_view head() const {
    return what == kind::list && !items.empty() && items[0].what == kind::word
               ? std::string_view(items[0].text)
               : std::string_view();
  }
};

/// Turns text into expressions. [scheme]
class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  /// Every expression of the text; nothing if it is not made of whole ones.
  std::optional<std::vector<expression>> all() {
    std::vector<expression> out;
    for (;;) {
      skip();
      if (at_ == text_.size()) return out;
      auto e = one(0);
      if (!e) return std::nullopt;
      out.push_back(std::move(*e));
    }
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

  void skip() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == ';') {  // a comment ends with its line
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        if (at_ == text_.size()) return;
      } else if (!is_space(text_[at_])) {
        return;
      }
    }
  }

  std::optional<expression> one(int depth) {
    if (depth > 64 || at_ == text_.size()) return std::nullopt;
    const char c = text_[at_];
    if (c == '(') {
      expression out;
      for (++at_;;) {
        skip();
        if (at_ == text_.size()) return std::nullopt;
        if (text_[at_] == ')') return ++at_, out;
        auto e = one(depth + 1);
        if (!e) return std::nullopt;
        out.items.push_back(std::move(*e));
      }
    }
    if (c == '"') return string();
    if (text_.substr(at_).starts_with("#\"")) return pattern();
    return word();
  }

  /// Up to the first quote that has no backslash before it; \n, \t, \r and \xHH are bytes, any other character after a
  /// backslash is itself. [scheme]
  std::optional<expression> string() {
    expression out;
    out.what = expression::kind::string;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') return ++at_, out;
      if (c == '\0') return std::nullopt;
      if (c != '\\') {
        out.text += c;
        continue;
      }
      if (++at_ == text_.size()) return std::nullopt;
      const char e = text_[at_];
      if (e == 'x' || e == 'X') {
        if (at_ + 2 >= text_.size()) return std::nullopt;
        const int high = digit(text_[at_ + 1]);
        const int low = digit(text_[at_ + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out.text += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
        at_ += 2;
      } else {
        out.text += e == 'n' ? '\n' : e == 't' ? '\t' : e == 'r' ? '\r' : e;
      }
    }
    return std::nullopt;
  }
  static int digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  }

  /// #"..." is a regular expression in which a backslash is only a backslash. [guide]
  std::optional<expression> pattern() {
    const std::size_t end = text_.find('"', at_ + 2);
    if (end == std::string_view::npos) return std::nullopt;
    expression out;
    out.what = expression::kind::pattern;
    out.text = text_.substr(at_ + 2, end - at_ - 2);
    at_ = end + 1;
    return out;
  }

  std::optional<expression> word() {
    expression out;
    out.what = expression::kind::word;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (is_space(c) || c == '(' || c == ')' || c == '"' || c == ';') break;
      if (static_cast<unsigned char>(c) < 0x21 || static_cast<unsigned char>(c) > 0x7E) return std::nullopt;
      out.text += c;
    }
    if (out.text.empty()) return std::nullopt;
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// A profile that can be asked.
class profile {
 public:
  using parameters = std::map<std::string, std::string, std::less<>>;

  /// Reads a text. why: what is wrong with it, if nothing is returned.
  static std::optional<profile> read(std::string_view text, const parameters& values, std::string& why) {
    auto all = parser(text).all();
    if (!all) return why = "not made of whole expressions", std::nullopt;
    profile out;
    out.values_ = &values;
    // The first expression names the version, and there is one version. [guide]
    if (all->empty() || (*all)[0].head() != "version" || (*all)[0].items.size() != 2 ||
        !(*all)[0].items[1].is_word("1"))
      return why = "does not begin with (version 1)", std::nullopt;
    for (std::size_t i = 1; i < all->size(); ++i)
      if (!out.add((*all)[i], why)) return std::nullopt;
    if (!out.has_default_) return why = "says nothing of what no rule speaks of", std::nullopt;
    out.values_ = nullptr;
    return out;
  }

  /// Of the rules that speak of the operation and whose filters match, the last one decides; where there is none the
  /// default does. [chromium] says so of the order; that a rule of a whole family (file-read*) and one of its member
  /// stand in one order is [inferred].
  [[nodiscard]] bool allows(const action& a) const {
    bool out = default_allows_;
    for (const rule& r : rules_)
      if (speaks_of(r, a.operation) && matches_any(r, a)) out = r.allow;
    return out;
  }

  [[nodiscard]] std::size_t size() const { return rules_.size(); }

 private:
  struct filter {
    enum class kind {
      literal,
      subpath,
      prefix,
      pattern,
      type,
      name,
      target,
      remote,
      local,
      all,
      any,
      none_of
    };
    kind what{};
    std::string text;   // of the path or the name
    std::string extra;  // of remote and local: the kind of socket; of names: which kind of name
    std::string host;   // of remote and local
    std::string port;
    std::regex regex;
    std::vector<filter> inside;
  };
  struct rule {
    bool allow = false;
    std::vector<std::string> operations;
    std::vector<filter> filters;
  };

  bool add(const expression& e, std::string& why) {
    const std::string_view verb = e.head();
    if (verb != "allow" && verb != "deny") return why = "an expression that is no rule", false;
    rule r;
    r.allow = verb == "allow";
    std::size_t i = 1;
    for (; i < e.items.size() && e.items[i].what == expression::kind::word; ++i)
      r.operations.push_back(e.items[i].text);
    if (r.operations.empty()) return why = "a rule without an operation", false;
    for (; i < e.items.size(); ++i) {
      filter f;
      if (!read_filter(e.items[i], f, why)) return false;
      r.filters.push_back(std::move(f));
    }
    if (r.operations.size() == 1 && r.operations[0] == "default") {
      // (deny default) is what holds where no rule matches, wherever it stands. [guide]
      if (!r.filters.empty()) return why = "a default with a filter", false;
      if (has_default_) return why = "two defaults", false;
      has_default_ = true;
      default_allows_ = r.allow;
      return true;
    }
    for (const std::string& o : r.operations)
      if (o == "default") return why = "a default among operations", false;
    rules_.push_back(std::move(r));
    return true;
  }

  /// A string, (param "NAME") or (string-append ...) of them. A parameter that was not given is an error. [guide]
  bool read_text(const expression& e, std::string& out, std::string& why) const {
    if (e.what == expression::kind::string) return out += e.text, true;
    if (e.head() == "param" && e.items.size() == 2 && e.items[1].what == expression::kind::string) {
      const auto found = values_->find(e.items[1].text);
      if (found == values_->end()) return why = "the parameter " + e.items[1].text + " has no value", false;
      return out += found->second, true;
    }
    if (e.head() != "string-append" || e.items.size() < 2) return why = "no text", false;
    for (std::size_t i = 1; i < e.items.size(); ++i)
      if (!read_text(e.items[i], out, why)) return false;
    return true;
  }

  bool read_filter(const expression& e, filter& f, std::string& why) {
    using kind = filter::kind;
    const std::string_view head = e.head();
    const auto has = [&](std::size_t n) { return e.items.size() == n; };
    if (head == "require-all" || head == "require-any" || head == "require-not") {  // [guide]
      f.what = head == "require-all" ? kind::all : head == "require-any" ? kind::any : kind::none_of;
      for (std::size_t i = 1; i < e.items.size(); ++i) {
        filter inner;
        if (!read_filter(e.items[i], inner, why)) return false;
        f.inside.push_back(std::move(inner));
      }
      if (f.inside.empty() || (f.what == kind::none_of && f.inside.size() != 1))
        return why = "a requirement of nothing", false;
      return true;
    }
    if (head == "literal" || head == "subpath" || head == "prefix") {  // [guide], prefix [inferred]
      f.what = head == "literal" ? kind::literal : head == "subpath" ? kind::subpath : kind::prefix;
      if (!has(2) || !read_text(e.items[1], f.text, why)) return why += " in a path filter", false;
      // A path that is not absolute names no file. [inferred]
      if (!f.text.starts_with('/')) return why = "a path that is not absolute", false;
      return true;
    }
    if (head == "regex") {  // extended regular expressions, anywhere in the path unless anchored [guide]
      f.what = kind::pattern;
      if (!has(2) || e.items[1].what != expression::kind::pattern)
        return why = "a regex of something else", false;
      f.regex = std::regex(e.items[1].text, std::regex::extended);
      return true;
    }
    if (head == "vnode-type" || head == "target") {  // [guide]; same-sandbox as a target [inferred]
      f.what = head == "target" ? kind::target : kind::type;
      if (!has(2) || e.items[1].what != expression::kind::word) return why = "a kind that is no word", false;
      f.text = e.items[1].text;
      return true;
    }
    if (head == "remote" || head == "local") return read_address(e, f, why);
    for (const std::string_view name :
         {"global-name", "local-name", "sysctl-name", "ipc-posix-name", "preference-domain", "iokit-property",
          "iokit-user-client-class", "iokit-registry-entry-class"})
      if (head == name) {  // [guide]
        f.what = kind::name;
        if (!has(2) || !read_text(e.items[1], f.text, why)) return why = "a name that is no text", false;
        return true;
      }
    return why = "an unknown filter " + std::string(head), false;
  }

  /// (remote tcp "localhost:80"): ip is tcp and udp, the host "*" or "localhost", the port a number or "*". [guide]
  /// (remote unix-socket) has no address. [inferred]
  static bool read_address(const expression& e, filter& f, std::string& why) {
    f.what = e.head() == "remote" ? filter::kind::remote : filter::kind::local;
    if (e.items.size() < 2 || e.items[1].what != expression::kind::word)
      return why = "an address without a kind", false;
    f.extra = e.items[1].text;
    if (f.extra == "unix-socket" && e.items.size() == 2) return true;
    if ((f.extra != "ip" && f.extra != "tcp" && f.extra != "udp") || e.items.size() != 3 ||
        e.items[2].what != expression::kind::string)
      return why = "an address of an unknown kind", false;
    const std::string& text = e.items[2].text;
    const std::size_t colon = text.find(':');
    f.host = text.substr(0, colon);
    f.port = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    if ((f.host != "*" && f.host != "localhost") || f.port.empty() ||
        (f.port != "*" && f.port.find_first_not_of("0123456789") != std::string::npos))
      return why = "an address that is not HOST:PORT", false;
    return true;
  }

  /// file-read* is every operation whose name begins so. [guide]
  static bool speaks_of(const rule& r, std::string_view operation) {
    for (const std::string& o : r.operations) {
      if (o == operation) return true;
      if (o.ends_with('*') && operation.starts_with(std::string_view(o).substr(0, o.size() - 1))) return true;
    }
    return false;
  }

  /// Of several filters of a rule one is enough; without any the rule holds for every object. [guide]
  static bool matches_any(const rule& r, const action& a) {
    if (r.filters.empty()) return true;
    for (const filter& f : r.filters)
      if (matches(f, a)) return true;
    return false;
  }

  static bool below(std::string_view path, std::string_view directory) {
    if (directory == "/") return path.starts_with('/');
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
  }

  /// A filter of what the object does not have does not match. [inferred]
  static bool matches(const filter& f, const action& a) {
    using kind = filter::kind;
    switch (f.what) {
      case kind::literal:
        return a.path == f.text;
      case kind::subpath:
        return below(a.path, f.text);
      case kind::prefix:
        return a.path.starts_with(f.text);
      case kind::pattern:
        return !a.path.empty() && std::regex_search(a.path, f.regex);
      case kind::type:
        return a.type == f.text;
      case kind::name:
        return a.name == f.text;
      case kind::target:  // what is itself is in its own sandbox too [inferred]
        return a.target == f.text || (f.text == "same-sandbox" && a.target == "self");
      case kind::remote:
      case kind::local:
        return (a.operation == "network-outbound") == (f.what == kind::remote) && matches_address(f, a);
      case kind::all:
        for (const filter& inner : f.inside)
          if (!matches(inner, a)) return false;
        return true;
      case kind::any:
        for (const filter& inner : f.inside)
          if (matches(inner, a)) return true;
        return false;
      case kind::none_of:
        return !matches(f.inside[0], a);
    }
    return false;
  }
  static bool matches_address(const filter& f, const action& a) {
    if (f.extra == "unix-socket" || a.kind == "unix-socket") return f.extra == a.kind;
    if (f.extra == "ip" ? a.kind != "tcp" && a.kind != "udp" : a.kind != f.extra) return false;
    return (f.host == "*" || f.host == a.host) && (f.port == "*" || f.port == std::to_string(a.port));
  }

  std::vector<rule> rules_;
  bool has_default_ = false;
  bool default_allows_ = false;
  const parameters* values_ = nullptr;
};

}  // namespace sbpl
