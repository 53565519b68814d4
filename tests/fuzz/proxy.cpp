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
  const settings open{std::string(64, 'a'), {"*.example", "api.test"}, true, {}, {}, 0, {}};
  const host_rules rules(open);
  if (to->address && nono::kind_of(*to->address) != nono::address_kind::public_host)
    must(!rules.by_name(*to).allowed);
}

void as_path(std::string_view text) {
  const auto path = normal_path(text);
  if (!path) return;
  must(path->starts_with('/') && (*path == "/" || !path->ends_with('/')));
  must(path->find("//") == std::string::npos && path->find("/../") == std::string::npos &&
       !path->ends_with("/.."));
  must(path_matches(*path, *path) || path->find('*') != std::string::npos);
  must(path_matches("/**", *path));
  (void)path_matches(text, *path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  as_header(text);
  as_host(text);
  as_path(text);
  (void)presents(text, std::string(64, 'a'));
  return 0;
}
