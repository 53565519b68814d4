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
#include "proxy/server.hpp"

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
constexpr auto idle_time = 5min;    // between requests, and between two pieces of a body
constexpr auto connect_time = 10s;  // for each address
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

/// A server's connection, and whose it is.
struct upstream {
  std::string authority;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  bool used = false;
};

class session {
 public:
  session(server& owner, tcp::socket client, std::shared_ptr<void> counted)
      : owner_(owner), client_(std::move(client)), counted_(std::move(counted)) {}

  awaitable<void> run() {
    error_code ignored;
    client_.socket().set_option(tcp::no_delay(true), ignored);
    while (co_await one_request()) {
    }
    if (client_.socket().is_open()) client_.socket().shutdown(tcp::socket::shutdown_send, ignored);
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
    event.target = asked;
    event.method = method;
    if (!presents(view(request[http::field::proxy_authorization]), owner_.asked().token)) {
      event.category = "authentication_failed";
      event.auth_outcome = "failed";
      // What was asked for is not repeated: it is not known whose words they are.
      event.target = {};
      co_return co_await refuse(incoming, event, 407, "the proxy wants the token that HTTP_PROXY carries",
                                !has_body);
    }
    event.auth_outcome = "succeeded";
    std::string_view authority = asked;
    std::string path;
    if (!connect) {
      constexpr std::string_view scheme = "http://";
      if (asked.starts_with('/') || asked == "*")
        co_return co_await refuse(incoming, event, 404, "there is no such route here; this is a proxy",
                                  !has_body);
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
      co_return co_await refuse(incoming, event, 400, to.error().other, false);
    }
    event.target = to->host;
    event.port = to->port;
    event.path = path;
    verdict v = owner_.rules().by_name(*to);
    if (v.allowed) v = connect ? owner_.rules().tunnel(*to) : owner_.rules().request(*to, method, path);
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
          owner_.names().resolve(name, [done](std::vector<ip_address> found, std::string why) {
            std::move (*done)(std::move(found), std::move(why));
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
  awaitable<std::optional<tcp::socket>> connect_to(const target& to, audit_event& event, refusal& why) {
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
      if (verdict v = owner_.rules().by_address(to, found); !v.allowed) {
        why = {403, v.category, std::move(v.reason)};
        co_return std::nullopt;
      }
    if (!log_allowed(event, why)) co_return std::nullopt;
    error_code last;
    for (const ip_address& a : found) {
      beast::tcp_stream stream(client_.get_executor());
      stream.expires_after(connect_time);
      co_await stream.async_connect(endpoint_of(a, port), redirect_error(use_awaitable, last));
      if (last) continue;
      stream.expires_never();
      error_code ignored;
      stream.socket().set_option(tcp::no_delay(true), ignored);
      stream.socket().set_option(asio::socket_base::keep_alive(true), ignored);
      co_return stream.release_socket();
    }
    why = {502, "upstream_connect_failed",
           fmt::format("{} port {} cannot be reached: {}", host, port,
                       last == beast::error::timeout ? "no answer in 10 seconds" : last.message())};
    co_return std::nullopt;
  }

  static tcp::endpoint endpoint_of(const ip_address& a, std::uint16_t port) {
    if (a.is_v6) {
      asio::ip::address_v6::bytes_type bytes;
      std::copy(a.bytes.begin(), a.bytes.end(), bytes.begin());
      return {asio::ip::address_v6(bytes), port};
    }
    asio::ip::address_v4::bytes_type bytes;
    std::copy_n(a.bytes.begin(), 4, bytes.begin());
    return {asio::ip::address_v4(bytes), port};
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
    const bool upgrades = request.find(http::field::upgrade) != request.end() &&
                          http::token_list(request[http::field::connection]).exists("upgrade");
    const bool keeps_client = request.keep_alive();
    const bool head = request.method() == http::verb::head;
    const std::string authority =
        to.port == 80 ? to.authority().substr(0, to.authority().rfind(':')) : to.authority();
    const bool upstream_proxy = owner_.rules().goes_upstream(to);
    drop_hop_by_hop(request, upgrades);
    request.target(upstream_proxy ? fmt::format("http://{}{}", authority, path) : path);
    request.set(http::field::host, authority);
    request.version(11);

    // A connection that is kept is for the same host, and was checked when it was made.
    if (server_ && (server_->authority != to.authority() || has_news(*server_))) server_.reset();
    refusal no;
    if (server_) {
      if (!log_allowed(event, no)) co_return co_await refuse(incoming, event, no.status, no.reason, false);
    } else {
      std::optional<tcp::socket> socket = co_await connect_to(to, event, no);
      if (!socket) {
        event.category = no.category;
        co_return co_await refuse(incoming, event, no.status, no.reason, incoming.is_done());
      }
      server_.emplace(upstream{to.authority(), beast::tcp_stream(*std::move(socket)), {}, false});
    }

    // A server may answer before it has heard all, so both ways go on at once.
    outcome out;
    using namespace asio::experimental::awaitable_operators;
    co_await (send_request(incoming, out) && receive_whole(head, upgrades, out));
    if (!out.begun) {
      server_.reset();
      event.category = "upstream_connect_failed";
      co_return co_await refuse(incoming, event, 502,
                                fmt::format("{} ended the connection without an answer", authority), false);
    }
    if (out.switched) {
      std::string late(static_cast<const char*>(server_->buffer.data().data()), server_->buffer.size());
      std::string early(static_cast<const char*>(buffer_.data().data()), buffer_.size());
      client_.expires_never();
      server_->stream.expires_never();
      start_tunnel(client_.release_socket(), server_->stream.release_socket(), std::move(early),
                   std::move(late), owner_.pipes(), [counted = counted_] {});
      co_return false;
    }
    if (!out.keeps_server || !out.whole || !out.sent) server_.reset();
    if (out.whole && !out.sent) co_await linger();
    co_return out.whole&& out.sent&& keeps_client;
  }

  struct outcome {
    bool sent = false;          ///< the whole request has gone out
    bool over = false;          ///< there is no more to come from the server
    bool begun = false;         ///< the client has seen the beginning of an answer
    bool whole = false;         ///< and all of it
    bool keeps_server = false;  ///< the server takes another request
    bool switched = false;      ///< to another protocol
  };

  /// A kept connection that can be read has been closed, or says what nobody asked for.
  static bool has_news(upstream& kept) {
    error_code why;
    kept.stream.socket().non_blocking(true, why);
    char byte = 0;
    (void)kept.stream.socket().receive(asio::buffer(&byte, 1), tcp::socket::message_peek, why);
    return why != asio::error::would_block;
  }

  awaitable<void> send_request(request_parser& incoming, outcome& out) {
    auto& request = incoming.get();
    http::request_serializer<http::buffer_body> outgoing(request);
    std::array<char, piece> room;
    error_code why;
    request.body().data = nullptr;
    request.body().more = !incoming.is_done();
    server_->stream.expires_after(idle_time);
    co_await http::async_write_header(server_->stream, outgoing, redirect_error(use_awaitable, why));
    while (!why && !incoming.is_done() && !out.over) {
      request.body() = {room.data(), room.size(), true};
      if (!out.begun) client_.expires_after(idle_time);
      // As the response below: what is there goes on at once.
      co_await http::async_read_some(client_, buffer_, incoming, redirect_error(use_awaitable, why));
      if (why == http::error::need_buffer) why = {};
      if (why) {  // the server is not left waiting for the rest
        error_code ignored;
        server_->stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
        co_return;
      }
      const std::size_t got = room.size() - request.body().size;
      if (got == 0 && !incoming.is_done()) continue;
      request.body() = {room.data(), got, !incoming.is_done()};
      co_await http::async_write(server_->stream, outgoing, redirect_error(use_awaitable, why));
      if (why == http::error::need_buffer) why = {};
    }
    if (!why && incoming.is_done() && !outgoing.is_done()) {
      request.body() = {nullptr, 0, false};
      co_await http::async_write(server_->stream, outgoing, redirect_error(use_awaitable, why));
    }
    out.sent = !why && incoming.is_done();
  }

  /// When the answer has ended, or will not come, the rest of the request is not waited for.
  awaitable<void> receive_whole(bool head, bool upgrades, outcome& out) {
    co_await receive_response(head, upgrades, out);
    out.over = true;
    if (!out.sent) client_.cancel();
  }

  awaitable<void> receive_response(bool head, bool upgrades, outcome& out) {
    error_code why;
    for (;;) {
      response_parser answer;
      answer.header_limit(static_cast<std::uint32_t>(max_header));
      answer.body_limit(boost::none);
      if (head) answer.skip(true);
      server_->stream.expires_after(idle_time);
      co_await http::async_read_header(server_->stream, server_->buffer, answer,
                                       redirect_error(use_awaitable, why));
      if (why) co_return;
      auto& response = answer.get();
      const unsigned status = response.result_int();
      const bool switches = status == 101 && upgrades;
      if (status == 101 && !upgrades) co_return;  // nobody asked for it
      const bool informs = status / 100 == 1 && !switches;
      out.keeps_server = response.keep_alive() && !answer.need_eof();
      // Without a length its end is the connection's, which the client keeps.
      if (answer.need_eof() && !head && !switches && !informs) response.chunked(true);
      drop_hop_by_hop(response, switches);
      response.version(11);
      http::response_serializer<http::buffer_body> outgoing(response);
      response.body() = {nullptr, 0, !answer.is_done()};
      client_.expires_after(idle_time);
      out.begun = out.begun || !informs;
      co_await http::async_write_header(client_, outgoing, redirect_error(use_awaitable, why));
      if (why) co_return;
      if (informs) continue;
      if (head || switches) {
        out.switched = switches;
        out.whole = true;
        co_return;
      }
      std::array<char, piece> room;
      while (!why && !answer.is_done()) {
        response.body() = {room.data(), room.size(), true};
        server_->stream.expires_after(idle_time);
        // What is there goes on at once: a stream of events is not held back until a buffer is full.
        co_await http::async_read_some(server_->stream, server_->buffer, answer,
                                       redirect_error(use_awaitable, why));
        if (why == http::error::need_buffer) why = {};
        if (why) break;
        const std::size_t got = room.size() - response.body().size;
        if (got == 0 && !answer.is_done()) continue;
        response.body() = {room.data(), got, !answer.is_done()};
        client_.expires_after(idle_time);
        co_await http::async_write(client_, outgoing, redirect_error(use_awaitable, why));
        if (why == http::error::need_buffer) why = {};
      }
      if (!why && !outgoing.is_done()) {
        response.body() = {nullptr, 0, false};
        co_await http::async_write(client_, outgoing, redirect_error(use_awaitable, why));
      }
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
    co_return co_await send_refusal(status, reason, keeps, head);
  }

  awaitable<bool> send_refusal(unsigned status, std::string_view reason, bool keeps, bool head) {
    std::string line(reason);
    for (char& c : line)
      if (c < 0x20 || c > 0x7e) c = '?';
    http::response<http::string_body> answer(static_cast<http::status>(status), 11);
    answer.reason(status == 403 ? line : std::string(view(http::obsolete_reason(answer.result()))));
    answer.set(http::field::content_type, "text/plain; charset=utf-8");
    if (status == 407) answer.set(http::field::proxy_authenticate, "Basic realm=\"nono\"");
    const std::string body = fmt::format("nono: {}\n", reason);
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
    client_.socket().shutdown(tcp::socket::shutdown_send, why);
    client_.expires_after(2s);
    std::array<char, 4096> ignored;
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
  std::optional<upstream> server_;
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
  client.non_blocking(true, ignored);
  (void)client.send(asio::buffer(full), 0, ignored);
}

}  // namespace nono::proxy
