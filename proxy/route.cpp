// SPDX-License-Identifier: Apache-2.0
// Routes.
#include "proxy/route.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/beast/core/detail/base64.hpp>

#include <fmt/format.h>

#include "proxy/header.hpp"

namespace nono::proxy {

namespace {

using kind = credential_place::kind;

constexpr std::size_t shortest_key = 4;  // a shorter one would be found everywhere in what a server answers

/// Percent-decoded once; what is no code stays.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool code =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += code ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (code) i += 2;
  }
  return out;
}

/// The two sides of `{}`.
std::pair<std::string_view, std::string_view> around(std::string_view format) {
  const std::size_t at = format.find("{}");
  if (at == std::string_view::npos) return {format, {}};
  return {format.substr(0, at), format.substr(at + 2)};
}

/// The format with a zero byte where the key goes.
std::string marked(std::string_view format) {
  const auto [front, back] = around(format);
  return std::string(front) + '\0' + std::string(back);
}

bool take_from_query(const route& r, std::string& rest) {
  const std::size_t mark = rest.find('?');
  if (mark == std::string::npos) return false;
  std::string kept;
  bool found = false;
  bool right = true;
  std::string_view left = std::string_view(rest).substr(mark + 1);
  for (bool more = true; more;) {
    const std::size_t end = left.find('&');
    const std::string_view one = left.substr(0, end);
    more = end != std::string_view::npos;
    if (more) left.remove_prefix(end + 1);
    const std::size_t equal = one.find('=');
    if (decoded(one.substr(0, equal)) == r.shown.name) {
      found = true;
      const std::string value =
          equal == std::string_view::npos ? std::string() : decoded(one.substr(equal + 1));
      right = same_secret(value, r.token) && right;
    } else {
      kept += (kept.empty() ? "" : "&") + std::string(one);
    }
  }
  rest.resize(mark);
  if (!kept.empty()) rest += '?' + kept;
  return found && right;
}

bool take_from_path(const route& r, std::string& rest) {
  const auto [before, after] = around(r.shown.format);
  const std::string_view path = std::string_view(rest).substr(0, rest.find('?'));
  const std::size_t at = path.find(before);
  if (at == std::string_view::npos) return false;
  const std::size_t begin = at + before.size();
  if (path.size() < begin + r.token.size() || !path.substr(begin + r.token.size()).starts_with(after) ||
      !same_secret(path.substr(begin, r.token.size()), r.token))
    return false;
  const std::size_t end = begin + r.token.size() + after.size();
  // What the key goes by in the path may be written otherwise; a key that goes elsewhere leaves nothing behind.
  std::string instead;
  if (r.sent.where == kind::path) {
    instead = marked(r.sent.format);
  } else if (before.ends_with('/') && after.starts_with('/')) {
    instead = "/";
  }
  rest.replace(at, end - at, instead);
  if (!rest.starts_with('/')) rest.insert(0, 1, '/');
  return true;
}

/// The key as a server may repeat it.
std::array<std::string_view, 2> forms(const route& r) { return {r.key.view(), r.key_sent.view()}; }

void blot_out(const route& r, char* at, std::size_t size) {
  for (const std::string_view form : forms(r)) {
    if (form.empty()) continue;
    for (std::size_t from = 0;;) {
      from = std::string_view(at, size).find(form, from);
      if (from == std::string_view::npos) break;
      std::memset(at + from, '*', form.size());
      from += form.size();
    }
  }
}

}  // namespace

target route::server() const { return {host, address_of(host), port}; }

std::string_view name_of(credential_place::kind k) {
  constexpr std::string_view names[] = {"header", "url_path", "query_param", "basic_auth"};
  return names[static_cast<std::size_t>(k)];
}

const route* find_route(const std::vector<route>& routes, std::string_view target, std::string& rest) {
  if (!target.starts_with('/')) return nullptr;
  const std::string_view first = target.substr(1, target.find_first_of("/?#", 1) - 1);
  for (const route& r : routes) {
    if (r.prefix != first) continue;
    rest = target.substr(1 + first.size());
    rest.resize(std::min(rest.size(), rest.find('#')));
    if (!rest.starts_with('/')) rest.insert(0, 1, '/');
    return &r;
  }
  return nullptr;
}

verdict judge(const route& r, std::string_view method, std::string_view path) {
  const auto any = [&](const std::vector<endpoint>& rules, std::string_view as) -> const endpoint* {
    for (const endpoint& rule : rules)
      if (allows(rule, as, path)) return &rule;
    return nullptr;
  };
  // There are servers to which delete is DELETE: that is denied, and not what allows it.
  std::string upper(method);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (const endpoint* const rule = any(r.deny, upper))
    return verdict::no("endpoint_policy", fmt::format("the endpoint rule {} {} of the route {} denies {} {}",
                                                      rule->method, rule->path, r.prefix, method, path));
  if (any(r.allow, method) != nullptr || r.allows_rest) return {};
  return verdict::no("endpoint_policy",
                     fmt::format("no endpoint rule of the route {0} allows {1} {2}; --allow-endpoint "
                                 "{0}:{1}:{2} adds one",
                                 r.prefix, method, path));
}

bool take_token(const route& r, std::string_view header, std::string& rest) {
  switch (r.shown.where) {
    case kind::header:
    case kind::basic:
      return carries(header, r.token);
    case kind::query:
      return take_from_query(r, rest);
    case kind::path:
      return take_from_path(r, rest);
  }
  return false;
}

std::string target_of(const route& r, std::string_view rest) {
  std::string out = r.base;
  const bool placed = rest.find('\0') != std::string_view::npos;
  if (r.sent.where == kind::path && !placed) {  // the token stood elsewhere: the key goes in front
    out += marked(r.sent.format);
    if (out.ends_with('/') && rest.starts_with('/')) out.pop_back();
  }
  out += rest;
  if (r.sent.where == kind::query)
    out += fmt::format("{}{}={}", out.find('?') == std::string::npos ? '?' : '&', r.sent.name, '\0');
  return out;
}

std::string header_value_of(const route& r) {
  if (r.sent.where == kind::basic) return std::string("Basic ") + '\0';
  if (r.sent.where != kind::header) return {};
  return marked(r.sent.format);
}

secrets::secret with_key(const route& r, std::string_view text) {
  const std::size_t at = std::min(text.find('\0'), text.size());
  const std::string_view key = r.key_sent.view();
  const std::string_view back = text.substr(std::min(at + 1, text.size()));
  secrets::secret out(at + key.size() + back.size());
  if (out.data() == nullptr) return out;
  std::memcpy(out.data(), text.data(), at);
  std::memcpy(out.data() + at, key.data(), key.size());
  std::memcpy(out.data() + at + key.size(), back.data(), back.size());
  return out;
}

std::string_view prepare_key(route& r) {
  const std::string_view key = r.key.view();
  if (key.size() < shortest_key) return "is shorter than 4 bytes";
  if (has_control_byte(key)) return "has a control byte, such as a line end";
  if (r.sent.where == kind::header) {
    r.key_sent = secrets::secret::copy_of(key);
  } else if (r.sent.where == kind::basic) {
    if (key.find(':') == std::string_view::npos) return "is not of the form user:password";
    namespace base64 = boost::beast::detail::base64;
    r.key_sent = secrets::secret(base64::encoded_size(key.size()));
    if (r.key_sent.data() != nullptr)
      r.key_sent.shrink(base64::encode(r.key_sent.data(), key.data(), key.size()));
  } else {
    r.key_sent = secrets::secret(key.size() * 3);
    std::size_t size = 0;
    for (const char c : key) {
      if (r.key_sent.data() == nullptr) break;
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         std::string_view("-._~").find(c) != std::string_view::npos ||
                         (c == ':' && r.sent.where == kind::path);  // bots' keys have one
      const auto byte = static_cast<unsigned char>(c);
      if (!plain) {
        r.key_sent.data()[size++] = '%';
        r.key_sent.data()[size++] = "0123456789ABCDEF"[byte >> 4U];
      }
      r.key_sent.data()[size++] = plain ? c : "0123456789ABCDEF"[byte & 15U];
    }
    r.key_sent.shrink(size);
  }
  return r.key_sent.empty() || r.key_sent.data() == nullptr ? "finds no memory" : "";
}

std::string_view scrubber::pass(std::string_view piece, bool last) {
  text_.erase(0, given_);
  text_ += piece;
  blot_out(route_, text_.data(), text_.size());
  given_ = text_.size();
  if (!last)
    for (const std::string_view form : forms(route_))
      for (std::size_t n = std::min(form.size() - 1, text_.size()); n > text_.size() - given_; --n)
        if (std::string_view(text_).ends_with(form.substr(0, n))) given_ = text_.size() - n;
  return std::string_view(text_).substr(0, given_);
}

void scrubber::clean(const route& r, std::string& text) { blot_out(r, text.data(), text.size()); }

}  // namespace nono::proxy
