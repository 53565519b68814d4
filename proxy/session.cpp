// SPDX-License-Identifier: Apache-2.0
// One client's connection.
#include "proxy/session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <fmt/format.h>

#include "proxy/header.hpp"
#include "proxy/race.hpp"
#include "proxy/server.hpp"
#include "proxy/silence.hpp"

namespace nono::proxy {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto header_time = 30s;   // from its first byte to its last
constexpr auto idle_time = 5min;    // between requests
constexpr auto connect_time = 10s;  // of TLS, and of an upstream proxy's answer
constexpr std::size_t piece = 16384;

using request_parser = http::request_parser<http::buffer_body>;
using response_parser = http::response_parser<http::buffer_body>;

/// Why a request is not carried out.
struct refusal {
  unsigned status = 0;
  std::string_view category;
  std::string reason;
};

std::string_view view(boost::core::string_view s) { return {s.data(), s.size()}; }

/// The lines of a message's fields.
template <class Message>
std::string lines_of(const Message& message) {
  std::string out;
  for (const auto& field : message.base())
    out += fmt::format("{}: {}\r\n", view(field.name_string()), view(field.value()));
  return out + "\r\n";
}

template <class Message>
bool asks_to_upgrade(const Message& message) {
  return message.find(http::field::upgrade) != message.end() &&
         http::token_list(message[http::field::connection]).exists("upgrade");
}

/// Where single requests are judged, none may ask by a field for another method or path than it shows; servers differ about
/// who heeds which. Source: Google's APIs and Rails for the first three, IIS and Symfony for the others.
template <class Message>
verdict as_it_shows(const Message& request) {
  for (const char* const name :
       {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"})
    if (const auto at = request.find(name); at != request.end())
      return verdict::no(
          "endpoint_policy",
          fmt::format("the field {} asks for another request than the endpoint rules see; leave it out",
                      view(at->name_string())));
  return {};
}

/// Chunks, and connections that are kept without asking.
template <class Message>
bool knows_http_1_1(const Message& request) {
  return request.version() >= 11;
}

class session {
 public:
  session(server& owner, tcp::socket client, std::shared_ptr<void> counted)
      : owner_(owner), client_(std::move(client)), counted_(std::move(counted)) {}

  awaitable<void> run() {
    error_code ignored;
    (void)client_.socket().set_option(tcp::no_delay(true), ignored);
    while (co_await one_request()) {
    }
    if (client_.socket().is_open()) (void)client_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

 private:
  /// False when the connection is done with.
  awaitable<bool> one_request() {
    error_code why;
    const std::size_t end = co_await read_header();
    if (end == 0) co_return false;
    const std::string_view block(static_cast<const char*>(buffer_.data().data()), end);
    if (const std::string_view fault = fault_of_header(block); !fault.empty())
      co_return co_await refuse_bytes(400, fmt::format("the request's header {}", fault));
    request_parser incoming;
    incoming.header_limit(static_cast<std::uint32_t>(max_header + 1));
    incoming.body_limit(boost::none);
    buffer_.consume(incoming.put(asio::const_buffer(block.data(), block.size()), why));
    if (why && why != http::error::need_more)
      co_return co_await refuse_bytes(400, "the request is not HTTP/1: " + why.message());
    if (!incoming.is_header_done()) co_return co_await refuse_bytes(400, "the request's header does not end");
    co_return co_await answer(incoming);
  }

  /// Reads until the whole header is in the buffer: its length; 0 where the connection ends.
  awaitable<std::size_t> read_header() {
    bool begun = buffer_.size() != 0;
    std::size_t looked_at = 0;
    client_.expires_after(begun ? std::chrono::steady_clock::duration(header_time)
                                : std::chrono::steady_clock::duration(idle_time));
    for (;;) {
      const std::string_view bytes(static_cast<const char*>(buffer_.data().data()), buffer_.size());
      if (const std::size_t end = end_of_header(bytes, looked_at); end != 0 && end <= max_header)
        co_return end;
      if (has_bare_line_end(bytes.substr(0, max_header), looked_at)) {
        co_await refuse_bytes(400, "the request's header has a line end that is not CRLF");
        co_return 0;
      }
      if (bytes.size() >= max_header) {
        co_await refuse_bytes(431, fmt::format("the request's header is longer than {} bytes", max_header));
        co_return 0;
      }
      looked_at = bytes.size();
      error_code why;
      const std::size_t n =
          co_await client_.async_read_some(buffer_.prepare(piece), redirect_error(use_awaitable, why));
      if (why == beast::error::timeout && begun)
        co_await refuse_bytes(408, "the request's header did not come in 30 seconds");
      if (why) co_return 0;
      buffer_.commit(n);
      if (!begun) {
        begun = true;
        client_.expires_after(header_time);
      }
    }
  }

  awaitable<bool> answer(request_parser& incoming) {
    auto& request = incoming.get();
    const bool connect = request.method() == http::verb::connect;
    const bool has_body = request.chunked() || (incoming.content_length() && *incoming.content_length() != 0);
    const std::string method(view(request.method_string()));
    const std::string asked(view(request.target()));
    audit_event event;
    event.mode = connect ? "connect" : "forward";
    event.method = method;
    if (!connect && (asked.starts_with('/') || asked == "*"))
      co_return co_await answer_route(incoming, event, asked, !has_body);
    if (!presents(view(request[http::field::proxy_authorization]), owner_.asked().token)) {
      event.category = "authentication_failed";
      event.auth_outcome = "failed";
      co_return co_await refuse(incoming, event, 407, "the proxy wants the token that HTTP_PROXY carries",
                                !has_body);
    }
    event.auth_outcome = "succeeded";
    std::string_view authority = asked;
    std::string path;
    if (!connect) {
      constexpr std::string_view scheme = "http://";
      if (asked.size() < scheme.size() ||
          !beast::iequals(boost::core::string_view(asked.data(), scheme.size()), "http://"))
        co_return co_await refuse(incoming, event, 400,
                                  "the proxy takes http:// requests, and CONNECT for everything else", false);
      const std::string_view rest = std::string_view(asked).substr(scheme.size());
      const std::size_t slash = rest.find_first_of("/?#");
      authority = rest.substr(0, slash);
      path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
      path.resize(std::min(path.size(), path.find('#')));
      if (!path.starts_with('/')) path.insert(0, 1, '/');
      if (authority.find('@') != std::string_view::npos)
        co_return co_await refuse(incoming, event, 400, "the host carries a user name; leave it out", false);
    } else if (has_body) {
      co_return co_await refuse(incoming, event, 400, "CONNECT has no body", false);
    }
    const result<target> to = parse_authority(authority, connect ? 443 : 80);
    if (!to) {
      event.category = "host_denied";
      if (authority.find('@') == std::string_view::npos)
        event.target = authority;  // else it may be a password
      co_return co_await refuse(incoming, event, 400, to.error().other, false);
    }
    event.target = to->host;
    event.port = to->port;
    event.path = path;
    verdict v = owner_.rules().by_name(*to);
    if (v.allowed) v = connect ? owner_.rules().tunnel(*to) : owner_.rules().request(*to, method, path);
    if (v.allowed && !connect && owner_.rules().judges_requests(to->host)) v = as_it_shows(request);
    if (!v.allowed) {
      event.category = v.category;
      co_return co_await refuse(incoming, event, 403, v.reason, !has_body);
    }
    if (owner_.rules().goes_upstream(*to)) event.mode = "external";
    if (connect) co_return co_await open_tunnel(incoming, *to, event);
    co_return co_await forward(incoming, *to, path, event);
  }

  // ---- to a server ----

  awaitable<std::tuple<std::vector<ip_address>, std::string>> look_up(const std::string& name) {
    return asio::async_initiate<decltype(use_awaitable), void(std::vector<ip_address>, std::string)>(
        [this, name](auto handler) {
          auto done = std::make_shared<decltype(handler)>(std::move(handler));
          owner_.names().resolve(name, [done](const std::vector<ip_address>& found, const std::string& why) {
            std::move (*done)(found, why);
          });
        },
        use_awaitable);
  }

  /// Logs that the event's request is let through. False: it could not be written, and must not be.
  bool log_allowed(audit_event event, refusal& why) const {
    event.allowed = true;
    if (owner_.log().write(event)) return true;
    why = {503, "audit_failed", "the audit log cannot be written, so nothing is let through"};
    return false;
  }

  /// Connects to the host, or to the upstream proxy for it. The event is logged before a packet is sent there.
  /// by: the route that leads there; null: the client named the host.
  awaitable<std::optional<tcp::socket>> connect_to(const target& to, audit_event& event, refusal& why,
                                                   const route* by = nullptr) {
    const bool upstream_proxy = owner_.rules().goes_upstream(to);
    const std::string host = upstream_proxy ? owner_.asked().upstream_host : to.host;
    const std::uint16_t port = upstream_proxy ? owner_.asked().upstream_port : to.port;
    std::vector<ip_address> found;
    std::string failed;
    if (const auto literal = address_of(host))
      found.push_back(*literal);
    else
      std::tie(found, failed) = co_await look_up(host);
    if (found.empty()) {
      why = {502, "upstream_connect_failed", fmt::format("the host {} has no address: {}", host, failed)};
      co_return std::nullopt;
    }
    if (!upstream_proxy)
      if (verdict v =
              by != nullptr ? host_rules::by_address_of(*by, found) : owner_.rules().by_address(to, found);
          !v.allowed) {
        why = {403, v.category, std::move(v.reason)};
        co_return std::nullopt;
      }
    if (!log_allowed(event, why)) co_return std::nullopt;
    race_end won = co_await asio::async_initiate<decltype(use_awaitable), void(race_end)>(
        [&](auto handler) {
          auto done = std::make_shared<decltype(handler)>(std::move(handler));
          connect_first(client_.get_executor(), found, port,
                        [done](race_end end) { std::move (*done)(std::move(end)); });
        },
        use_awaitable);
    if (!won.socket) {
      why = {502, "upstream_connect_failed",
             fmt::format("{} port {} cannot be reached: {}", host, port,
                         won.why == beast::error::timeout ? "no answer in 10 seconds" : won.why.message())};
      co_return std::nullopt;
    }
    error_code ignored;
    (void)won.socket->set_option(tcp::no_delay(true), ignored);
    (void)won.socket->set_option(asio::socket_base::keep_alive(true), ignored);
    co_return std::move(won.socket);
  }

  // ---- CONNECT ----

  awaitable<bool> open_tunnel(request_parser& incoming, const target& to, audit_event& event) {
    refusal no;
    std::optional<tcp::socket> server = co_await connect_to(to, event, no);
    std::string late;
    if (server && owner_.rules().goes_upstream(to)) {
      const bool through = co_await chain(*server, to, late, no);
      if (!through) server.reset();
    }
    if (!server) {
      event.category = no.category;
      co_return co_await refuse(incoming, event, no.status, no.reason, true);
    }
    constexpr std::string_view established = "HTTP/1.1 200 Connection Established\r\n\r\n";
    error_code why;
    client_.expires_after(header_time);
    co_await asio::async_write(client_, asio::buffer(established), redirect_error(use_awaitable, why));
    if (why) co_return false;
    client_.expires_never();
    std::string early(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    start_tunnel(client_.release_socket(), *std::move(server), std::move(early), std::move(late),
                 owner_.pipes(), [counted = counted_] {});
    co_return false;
  }

  /// Asks the upstream proxy for a tunnel. late: what followed its answer.
  awaitable<bool> chain(tcp::socket& server, const target& to, std::string& late, refusal& no) {
    const auto failed = [&](std::string reason) {
      no = {502, "external_proxy_rejected", fmt::format("the upstream proxy {}", reason)};
      return false;
    };
    beast::tcp_stream stream(std::move(server));
    stream.expires_after(header_time);
    const std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", to.authority());
    error_code why;
    co_await asio::async_write(stream, asio::buffer(request), redirect_error(use_awaitable, why));
    if (why) co_return failed("ended the connection");
    beast::flat_buffer buffer(max_header);
    http::response_parser<http::empty_body> answer;
    answer.skip(true);
    co_await http::async_read_header(stream, buffer, answer, redirect_error(use_awaitable, why));
    if (why) co_return failed("gave no answer that is HTTP: " + why.message());
    if (answer.get().result_int() / 100 != 2)
      co_return failed(fmt::format("answered {}", answer.get().result_int()));
    late.assign(static_cast<const char*>(buffer.data().data()), buffer.size());
    stream.expires_never();
    server = stream.release_socket();
    co_return true;
  }

  // ---- plain HTTP ----

  /// Fields that speak of one connection alone. Source: RFC 9110, 7.6.1.
  template <class Message>
  static void drop_hop_by_hop(Message& message, bool keeps_upgrade) {
    std::vector<std::string> named;
    for (const auto& field : message.base()) {
      if (field.name() != http::field::connection && field.name() != http::field::proxy_connection) continue;
      for (const auto word : http::token_list(field.value())) named.emplace_back(view(word));
    }
    for (const std::string& name : named) {
      const boost::core::string_view n(name.data(), name.size());
      // A client cannot have what frames the message dropped.
      if (beast::iequals(n, "transfer-encoding") || beast::iequals(n, "content-length") ||
          beast::iequals(n, "host"))
        continue;
      if (keeps_upgrade && beast::iequals(n, "upgrade")) continue;
      message.erase(n);
    }
    for (const http::field f : {http::field::connection, http::field::proxy_connection,
                                http::field::keep_alive, http::field::proxy_authorization,
                                http::field::proxy_authenticate, http::field::te, http::field::trailer})
      message.erase(f);
    if (keeps_upgrade)
      message.set(http::field::connection, "upgrade");
    else
      message.erase(http::field::upgrade);
  }

  awaitable<bool> forward(request_parser& incoming, const target& to, const std::string& path,
                          audit_event& event) {
    auto& request = incoming.get();
    exchange one;
    one.upgrades = asks_to_upgrade(request);
    one.pool_name = to.authority();
    const std::string authority = to.authority(80);
    const bool keeps_client = request.keep_alive();
    drop_hop_by_hop(request, one.upgrades);
    request.erase(http::field::host);
    const std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}", event.method,
                    owner_.rules().goes_upstream(to) ? fmt::format("http://{}{}", authority, path) : path,
                    authority, lines_of(request));

    refusal no;
    if (!co_await reach(one, to, event, no)) {
      event.category = no.category;
      co_return co_await refuse(incoming, event, no.status, no.reason, !one.server && incoming.is_done());
    }
    co_return co_await carry_out(incoming, one, head, authority, event) && keeps_client;
  }

  // ---- routes ----

  awaitable<bool> answer_route(request_parser& incoming, audit_event& event, const std::string& asked,
                               bool keeps) {
    auto& request = incoming.get();
    if (!owner_.asked().routes.empty()) event.mode = "reverse";
    std::string rest;
    const route* const r = find_route(owner_.asked().routes, asked, rest);
    const auto no = [&](unsigned status, std::string_view category, std::string reason) {
      event.category = category;
      return refuse(incoming, event, status, std::move(reason), keeps);
    };
    if (r == nullptr) {
      std::string known;
      for (const route& one : owner_.asked().routes) known += (known.empty() ? "/" : ", /") + one.prefix;
      std::string reason = "there is no such route here; this is a proxy";
      if (!known.empty()) reason = fmt::format("there is no such route here; there is {}", known);
      co_return co_await no(404, "no_route", std::move(reason));
    }
    event.route_id = r->prefix;
    event.target = r->host;
    event.port = r->port;
    if (!r->missing.empty())
      co_return co_await no(503, "managed_credential_unavailable",
                            fmt::format("the route {} has no key: {}", r->prefix, r->missing));
    event.injection_mode = name_of(r->sent.where);
    std::string_view token_place = "in the header ";
    event.auth_mechanism = "phantom_header";
    if (r->shown.where == credential_place::kind::path) {
      event.auth_mechanism = "phantom_path";
      token_place = "in the path ";
    } else if (r->shown.where == credential_place::kind::query) {
      event.auth_mechanism = "phantom_query";
      token_place = "as the parameter ";
    }
    const bool by_header =
        r->shown.where == credential_place::kind::header || r->shown.where == credential_place::kind::basic;
    const auto value_of = [&](const std::string& header) {
      return by_header && request.count(header) == 1 ? std::string(view(request[header])) : std::string();
    };
    // Anthropic's own clients send their key as a bearer, whatever header its documentation names.
    const std::string bearer = "Authorization";
    const std::string place = by_header && request.count(r->shown.name) == 0 ? bearer : r->shown.name;
    if (!take_token(*r, value_of(place), rest)) {
      event.auth_outcome = "failed";
      std::string reason =
          fmt::format("the route {} wants the token of this run where the key would stand, {}{}", r->prefix,
                      token_place, by_header || r->shown.format.empty() ? r->shown.name : r->shown.format);
      co_return co_await no(401, "authentication_failed", std::move(reason));
    }
    event.auth_outcome = "succeeded";
    std::string unmarked = rest;  // the rules see a letter where the key goes
    const std::size_t mark = rest.find('\0');
    if (mark != std::string::npos) unmarked[mark] = '*';
    const auto path = resolve_path(unmarked);
    if (!path)
      co_return co_await no(
          400, "malformed_request",
          "the path leads above its route or to where servers differ, or is not well encoded");
    event.path = event_path_ = path->plain;
    std::string sent = path->sent;
    // Nothing in front of it may have been resolved away.
    if (mark != std::string::npos) {
      if (sent.compare(0, mark, rest, 0, mark) != 0)
        co_return co_await no(400, "malformed_request", "the path has dot segments before its token");
      sent[mark] = '\0';
    }
    if (request.method() == http::verb::trace)
      co_return co_await no(405, "endpoint_policy",
                            "TRACE would send the key back, and is never let through");
    if (asks_to_upgrade(request))
      co_return co_await no(
          501, "endpoint_policy",
          fmt::format("the route {} takes requests, not another protocol by Upgrade", r->prefix));
    verdict v = judge(*r, event.method, path->plain);
    if (v.allowed && r->judges_requests()) v = as_it_shows(request);
    if (!v.allowed) co_return co_await no(403, v.category, std::move(v.reason));

    const bool keeps_client = request.keep_alive();
    drop_hop_by_hop(request, false);
    // The token goes no further; what could bring a second key, or the key in pieces or packed, goes neither.
    const bool is_bearer = by_header && take_token(*r, value_of(bearer), rest);
    const std::string key_value = header_value_of(*r);
    for (const std::string_view name :
         {by_header ? std::string_view(r->shown.name) : std::string_view(),
          is_bearer ? std::string_view(bearer) : std::string_view(),
          key_value.empty() ? std::string_view() : std::string_view(r->sent.name)})
      if (!name.empty()) request.erase(boost::core::string_view(name.data(), name.size()));
    for (const http::field f :
         {http::field::host, http::field::accept_encoding, http::field::range, http::field::if_range})
      request.erase(f);
    std::string marked = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: identity\r\n",
                                     event.method, target_of(*r, sent), r->authority());
    if (!key_value.empty()) marked += r->sent.name + ": " + key_value + "\r\n";
    marked += lines_of(request);
    const secrets::secret head = with_key(*r, marked);
    if (head.data() == nullptr) co_return co_await no(503, "no_memory", "no memory is left");

    exchange one;
    one.by = r;
    one.pool_name = "route " + r->prefix;
    refusal why;
    if (!co_await reach(one, r->server(), event, why))
      co_return co_await no(why.status, why.category, why.reason);
    co_return co_await carry_out(incoming, one, head.view(), r->authority(), event) && keeps_client;
  }

  // ---- one request and its answer ----

  struct outcome {
    bool sent = false;          ///< the whole request has gone out
    bool over = false;          ///< there is no more to come from the server
    bool begun = false;         ///< the client has seen the beginning of an answer
    bool whole = false;         ///< and all of it
    bool keeps_server = false;  ///< the server takes another request
    bool switched = false;      ///< to another protocol
    bool packed = false;        ///< the answer is encoded, so that no key would be found in it
  };

  struct exchange {
    std::unique_ptr<connection> server;
    std::string pool_name;
    const route* by = nullptr;  ///< whose key must not come back; null: a plain request
    bool upgrades = false;
    outcome out{};
    std::optional<silence> quiet{};  ///< of both ways together; no operation has a limit of its own
  };

  /// Finds a connection that is kept, which was checked when it was made, or makes one. False: `why` says it; the one that
  /// was found is there all the same.
  awaitable<bool> reach(exchange& one, const target& to, audit_event& event, refusal& why) {
    one.server = owner_.kept().take(one.pool_name);
    if (one.server) co_return log_allowed(event, why);
    std::optional<tcp::socket> socket = co_await connect_to(to, event, why, one.by);
    if (!socket) co_return false;
    if (one.by != nullptr && owner_.rules().goes_upstream(to)) {
      std::string late;
      const bool through = co_await chain(*socket, to, late, why);
      if (!through) co_return false;
    }
    auto made = std::make_unique<connection>(*std::move(socket));
    if (one.by != nullptr && one.by->tls) {
      const bool proved = co_await prove(*made, *one.by, why);
      if (!proved) co_return false;
    }
    one.server = std::move(made);
    co_return true;
  }

  /// Speaks TLS with the route's server, which has to prove its name.
  awaitable<bool> prove(connection& server, const route& r, refusal& why) {
    server.tcp().expires_after(connect_time);
    const std::string fault = co_await asio::async_initiate<decltype(use_awaitable), void(std::string)>(
        [&](auto handler) {
          auto done = std::make_shared<decltype(handler)>(std::move(handler));
          server.start_tls(owner_.believed(), r,
                           [done](std::string words) { std::move (*done)(std::move(words)); });
        },
        use_awaitable);
    if (fault.empty()) co_return true;
    why = {502, "upstream_connect_failed",
           fmt::format("the server of the route {} is not proved to be {}: {}", r.prefix, r.host, fault)};
    co_return false;
  }

  /// head: the request's, to the empty line.
  awaitable<bool> carry_out(request_parser& incoming, exchange& one, std::string_view head,
                            std::string_view authority, audit_event& event) {
    outcome& out = one.out;
    const std::chrono::seconds longest(owner_.asked().longest_silence);
    client_.expires_never();
    one.server->tcp().expires_never();
    one.quiet.emplace(client_.get_executor(), longest, [this, &one] {
      client_.cancel();
      one.server->tcp().cancel();
    });
    // A server may answer before it has heard all, so both ways go on at once.
    using asio::experimental::awaitable_operators::operator&&;
    co_await (send_request(incoming, one, head) && receive_whole(incoming, one));
    const bool too_quiet = one.quiet->was_too_long();
    one.quiet.reset();
    if (!out.begun) {
      event.category = "upstream_connect_failed";
      std::string reason = fmt::format("{} ended the connection without an answer", authority);
      if (too_quiet)
        reason = fmt::format("nothing came from {} and nothing went there for {} seconds", authority,
                             longest.count());
      else if (out.packed)
        reason = fmt::format("{} answered with a Content-Encoding, in which the key cannot be looked for",
                             authority);
      const unsigned status = too_quiet ? 504 : 502;
      co_return co_await refuse(incoming, event, status, std::move(reason), false);
    }
    if (out.switched) {
      std::string late(static_cast<const char*>(one.server->buffer.data().data()), one.server->buffer.size());
      std::string early(static_cast<const char*>(buffer_.data().data()), buffer_.size());
      start_tunnel(client_.release_socket(), one.server->tcp().release_socket(), std::move(early),
                   std::move(late), owner_.pipes(), [counted = counted_] {});
      co_return false;
    }
    if (out.keeps_server && out.whole && out.sent)
      owner_.kept().keep(std::move(one.pool_name), std::move(one.server));
    if (out.whole && !out.sent) co_await linger();
    co_return out.whole&& out.sent&& knows_http_1_1(incoming.get());
  }

  /// One piece of a body, framed where its length is not known before; the last one is empty.
  template <class Stream>
  static awaitable<void> write_piece(Stream& to, std::string_view bytes, bool chunked, exchange& one,
                                     error_code& why) {
    constexpr std::string_view line = "\r\n";
    one.quiet->broken();
    if (!chunked) {
      co_await asio::async_write(to, asio::buffer(bytes), redirect_error(use_awaitable, why));
      co_return;
    }
    const std::string size = fmt::format("{:x}\r\n", bytes.size());
    const std::array<asio::const_buffer, 3> parts{asio::buffer(size), asio::buffer(bytes),
                                                  asio::buffer(line)};
    co_await asio::async_write(to, parts, redirect_error(use_awaitable, why));
  }

  awaitable<void> send_request(request_parser& incoming, exchange& one, std::string_view head) {
    auto& body = incoming.get().body();
    outcome& out = one.out;
    const bool chunked = incoming.get().chunked();
    std::array<char, piece> room;  // NOLINT(*-member-init): is written before it is read
    error_code why;
    co_await asio::async_write(*one.server, asio::buffer(head), redirect_error(use_awaitable, why));
    while (!why && !incoming.is_done() && !out.over) {
      body = {room.data(), room.size(), true};
      // As the response below: what is there goes on at once.
      co_await http::async_read_some(client_, buffer_, incoming, redirect_error(use_awaitable, why));
      if (why == http::error::need_buffer) why = {};
      if (why) {  // the server is not left waiting for the rest
        error_code ignored;
        (void)one.server->tcp().socket().shutdown(tcp::socket::shutdown_both, ignored);
        co_return;
      }
      const std::size_t got = room.size() - body.size;
      if (got != 0) co_await write_piece(*one.server, {room.data(), got}, chunked, one, why);
    }
    if (!why && incoming.is_done() && chunked) co_await write_piece(*one.server, {}, true, one, why);
    out.sent = !why && incoming.is_done();
  }

  /// When the answer has ended, or will not come, the rest of the request is not waited for.
  awaitable<void> receive_whole(request_parser& incoming, exchange& one) {
    co_await receive_response(incoming, one);
    one.out.over = true;
    if (!one.out.sent) client_.cancel();
  }

  awaitable<void> receive_response(const request_parser& incoming, exchange& one) {
    const bool head = incoming.get().method() == http::verb::head;
    outcome& out = one.out;
    error_code why;
    for (;;) {
      response_parser answer;
      answer.header_limit(static_cast<std::uint32_t>(max_header));
      answer.body_limit(boost::none);
      if (head) answer.skip(true);
      co_await http::async_read_header(*one.server, one.server->buffer, answer,
                                       redirect_error(use_awaitable, why));
      if (why) co_return;
      auto& response = answer.get();
      const unsigned status = response.result_int();
      const bool switches = status == 101 && one.upgrades;
      if (status == 101 && !one.upgrades) co_return;  // nobody asked for it
      const bool informs = status / 100 == 1 && !switches;
      const std::string_view coding = view(response[http::field::content_encoding]);
      if (one.by != nullptr && !coding.empty() &&
          !beast::iequals(response[http::field::content_encoding], "identity")) {
        out.packed = true;
        co_return;
      }
      out.keeps_server = response.keep_alive() && !answer.need_eof();
      // Without a length its end is the connection's, which the client keeps.
      if (answer.need_eof() && !head && !switches && !informs) response.chunked(true);
      if (!knows_http_1_1(incoming.get())) response.erase(http::field::transfer_encoding);
      if (status == 204 || status == 304) response.erase(http::field::transfer_encoding);  // have no body
      const bool chunked = response.chunked();
      drop_hop_by_hop(response, switches);
      std::string text =
          fmt::format("HTTP/1.1 {} {}\r\n{}", status, view(response.reason()), lines_of(response));
      if (one.by != nullptr) scrubber::clean(*one.by, text);
      one.quiet->broken();
      out.begun = out.begun || !informs;
      co_await asio::async_write(client_, asio::buffer(text), redirect_error(use_awaitable, why));
      if (why) co_return;
      if (informs) continue;
      if (head || switches) {
        out.switched = switches;
        out.whole = true;
        co_return;
      }
      std::optional<scrubber> scrubbed;
      if (one.by != nullptr) scrubbed.emplace(*one.by);
      std::array<char, piece> room;  // NOLINT(*-member-init): is written before it is read
      while (!why && !answer.is_done()) {
        response.body() = {room.data(), room.size(), true};
        // What is there goes on at once: a stream of events is not held back until a buffer is full.
        co_await http::async_read_some(*one.server, one.server->buffer, answer,
                                       redirect_error(use_awaitable, why));
        if (why == http::error::need_buffer) why = {};
        if (why) break;
        std::string_view bytes(room.data(), room.size() - response.body().size);
        if (scrubbed) bytes = scrubbed->pass(bytes, answer.is_done());
        if (bytes.empty()) continue;
        co_await write_piece(client_, bytes, chunked, one, why);
      }
      if (!why && chunked) co_await write_piece(client_, {}, true, one, why);
      out.whole = !why;
      co_return;
    }
  }

  // ---- refusals ----

  /// Answers what could not be read as a request, and ends.
  awaitable<bool> refuse_bytes(unsigned status, std::string reason) {
    audit_event event;
    event.category = "malformed_request";
    event.status = status;
    event.reason = reason;
    (void)owner_.log().write(event);
    co_await send_refusal(status, reason, false, false);
    co_return false;
  }

  awaitable<bool> refuse(request_parser& incoming, audit_event event, unsigned status, std::string reason,
                         bool keeps) {
    event.status = status;
    event.reason = reason;
    (void)owner_.log().write(event);  // what is refused is refused
    const bool head = incoming.get().method() == http::verb::head;
    keeps = keeps && incoming.get().keep_alive();
    co_return co_await send_refusal(status, reason, keeps, head, event.mode == "reverse");
  }

  /// json: as the clients of programming interfaces show it.
  awaitable<bool> send_refusal(unsigned status, std::string_view reason, bool keeps, bool head,
                               bool json = false) {
    std::string line(reason);
    for (char& c : line)
      if (c < 0x20 || c > 0x7e) c = '?';
    http::response<http::string_body> answer(static_cast<http::status>(status), 11);
    answer.reason(status == 403 ? line : std::string(view(http::obsolete_reason(answer.result()))));
    answer.set(http::field::content_type, json ? "application/json" : "text/plain; charset=utf-8");
    if (status == 407) answer.set(http::field::proxy_authenticate, "Basic realm=\"nono\"");
    const std::string body = json ? to_error_body(reason) : fmt::format("nono: {}\n", reason);
    answer.keep_alive(keeps);
    answer.content_length(body.size());
    if (!head) answer.body() = body;
    error_code why;
    client_.expires_after(header_time);
    co_await http::async_write(client_, answer, redirect_error(use_awaitable, why));
    if (why || keeps) co_return !why;
    co_await linger();
    co_return false;
  }

  /// What the client still sends would make the kernel take the answer back (RST), so it is read for a while.
  awaitable<void> linger() {
    error_code why;
    (void)client_.socket().shutdown(tcp::socket::shutdown_send, why);
    client_.expires_after(2s);
    std::array<char, 4096> ignored;  // NOLINT(*-member-init): is never read
    std::size_t left = std::size_t{1} << 20U;
    while (!why && left > 0) {
      const std::size_t n =
          co_await client_.async_read_some(asio::buffer(ignored), redirect_error(use_awaitable, why));
      left -= std::min(left, n);
    }
  }

  server& owner_;
  beast::tcp_stream client_;
  beast::flat_buffer buffer_{max_header + piece};
  std::string event_path_;
  std::shared_ptr<void> counted_;
};

}  // namespace

void start_session(server& owner, tcp::socket client, std::shared_ptr<void> counted) {
  auto one = std::make_shared<session>(owner, std::move(client), std::move(counted));
  asio::co_spawn(
      owner.io(), [one]() { return one->run(); },
      [one](const std::exception_ptr&) {});  // memory has run out: the connection closes
}

void turn_away(tcp::socket client) {
  constexpr std::string_view full =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: "
      "35\r\n\r\n"
      "nono: too many connections at once\n";
  error_code ignored;
  (void)client.non_blocking(true, ignored);
  (void)client.send(asio::buffer(full), 0, ignored);
}

}  // namespace nono::proxy
