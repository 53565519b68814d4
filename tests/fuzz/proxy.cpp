// SPDX-License-Identifier: Apache-2.0
// Every byte that a client sends to the proxy before it is a body: what passes the first look means one thing only, and what
// becomes a host or a path is in the one spelling that rules compare.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/beast/http.hpp>

#include <nono/host.hpp>

#include "proxy/endpoint.hpp"
#include "proxy/header.hpp"
#include "proxy/route.hpp"
#include "proxy/rules.hpp"
#include "proxy/target.hpp"

namespace http = boost::beast::http;
using namespace nono::proxy;

namespace {

void must(bool true_) {
  if (!true_) std::abort();
}

void as_header(std::string_view text) {
  const std::size_t end = end_of_header(text);
  must(end <= text.size());
  if (end == 0) return;
  must(end_of_header(text, end - 1) == end);
  const std::string_view block = text.substr(0, end);
  if (!fault_of_header(block).empty()) return;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(1U << 20U);
  parser.body_limit(boost::none);
  boost::system::error_code why;
  const std::size_t used = parser.put(boost::asio::const_buffer(block.data(), block.size()), why);
  if (why && why != http::error::need_more) return;
  must(used == block.size());  // nothing is left that a second request could begin with
  must(parser.is_header_done());
  const auto& fields = parser.get().base();
  must(fields.count(http::field::content_length) + fields.count(http::field::transfer_encoding) <= 1);
  must(fields.count(http::field::host) <= 1);
  for (const auto& field : fields)
    for (const char c : field.value()) must(c != '\r' && c != '\n' && c != '\0');
  (void)presents(
      {fields[http::field::proxy_authorization].data(), fields[http::field::proxy_authorization].size()},
      std::string(64, 'a'));
}

void as_host(std::string_view text) {
  const auto to = parse_authority(text, 443);
  if (!to) return;
  must(nono::check_host(to->host) == nono::errc::none);
  must(!to->host.starts_with("*") && to->port != 0);
  must(to->address.has_value() == nono::parse_address(to->host).has_value());
  const auto again = parse_authority(to->authority(), 0);
  must(again.has_value() && again->host == to->host && again->port == to->port &&
       again->address == to->address);
  settings open;
  open.hosts = {"*.example", "api.test", "*"};
  const host_rules rules(open);
  if (to->address && nono::kind_of(*to->address) != nono::address_kind::public_host)
    must(!rules.by_name(*to).allowed);
}

void as_path(std::string_view text) {
  const auto resolved = resolve_path(text);
  if (!resolved) return;
  const auto again = resolve_path(resolved->sent);
  must(again.has_value() && again->sent == resolved->sent && again->plain == resolved->plain);
  const std::string* const path = &resolved->plain;
  must(path->starts_with('/') && (*path == "/" || !path->ends_with('/')));
  must(path->find("//") == std::string::npos && path->find("/../") == std::string::npos &&
       !path->ends_with("/.."));
  must(path_matches(*path, *path) || path->find('*') != std::string::npos);
  must(path_matches("/**", *path));
  (void)path_matches(text, *path);
}

/// The text as a request's target and as a server's answer.
void as_route(std::string_view text) {
  static const std::vector<route> routes = [] {
    std::vector<route> out;
    for (const auto where :
         {credential_place::kind::header, credential_place::kind::path, credential_place::kind::query}) {
      route r;
      r.prefix = std::string(1, static_cast<char>('a' + static_cast<int>(where)));
      r.token = "0123456789abcdef";
      r.base = "/v1";
      r.shown = r.sent = {where, "key", where == credential_place::kind::path ? "/bot{}/" : "Bearer {}"};
      r.key = nono::secrets::secret::copy_of("se/cret");
      must(prepare_key(r).empty());
      out.push_back(std::move(r));
    }
    return out;
  }();
  std::string rest;
  const route* const r = find_route(routes, text, rest);
  if (r != nullptr) {
    must(rest.starts_with('/') && rest.find('#') == std::string::npos);
    std::string left = rest;
    if (rest.find('\0') == std::string::npos && take_token(*r, text, left)) {
      const std::string target = target_of(*r, left);
      must(target.starts_with("/v1/") && target.find(r->token) == std::string::npos);
    }
  }
  std::string whole(text);
  scrubber::clean(routes[1], whole);
  must(whole.find("se/cret") == std::string::npos && whole.find("se%2Fcret") == std::string::npos);
  scrubber pieces(routes[1]);
  std::string got;
  const std::size_t half = text.size() / 2;
  got += pieces.pass(text.substr(0, half), false);
  got += pieces.pass(text.substr(half), true);
  must(got == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  as_header(text);
  as_host(text);
  as_path(text);
  as_route(text);
  (void)presents(text, std::string(64, 'a'));
  return 0;
}
