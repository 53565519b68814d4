// SPDX-License-Identifier: Apache-2.0
// A connection to a server.
#include "proxy/connection.hpp"

#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <fmt/format.h>
#include <nono/address.hpp>

namespace nono::proxy {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

namespace {

constexpr auto kept_time = std::chrono::seconds(60);
constexpr std::size_t most_kept = 32;
constexpr std::size_t most_roots = std::size_t{4} << 20U;

/// Where distributions keep all roots in one file: Debian, Fedora, openSUSE, Alpine and macOS.
constexpr const char* root_files[] = {"/etc/ssl/certs/ca-certificates.crt",
                                      "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                      "/etc/ssl/cert.pem"};

std::string read_file(const char* path) {
  std::string out;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return out;
  char part[65536];
  for (ssize_t n = 0; out.size() < most_roots && (n = ::read(fd, part, sizeof part)) > 0;)
    out.append(part, static_cast<std::size_t>(n));
  (void)::close(fd);
  return out;
}

/// What OpenSSL says last.
std::string openssl_words() {
  char text[256] = "";
  if (const unsigned long code = ::ERR_peek_last_error(); code != 0)
    ::ERR_error_string_n(code, text, sizeof text);
  ::ERR_clear_error();
  return text;
}

}  // namespace

struct trust::contexts {
  std::string roots;  // PEM, until somebody needs them: taking them in takes ten milliseconds
  std::map<const route*, std::unique_ptr<ssl::context>> own;
  std::unique_ptr<ssl::context> system;

  static std::unique_ptr<ssl::context> plain() {
    auto one = std::make_unique<ssl::context>(ssl::context::tls_client);
    ::SSL_CTX_set_min_proto_version(one->native_handle(), TLS1_2_VERSION);
    ::SSL_CTX_set_mode(one->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    one->set_verify_mode(ssl::verify_peer);
    constexpr unsigned char http[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    (void)::SSL_CTX_set_alpn_protos(one->native_handle(), http, sizeof http);
    return one;
  }
  void use_roots(ssl::context& one) const {
    error_code ignored;  // without a root nobody is believed
    (void)one.add_certificate_authority(asio::buffer(roots), ignored);
  }
  ssl::context& of(const route& r) {
    if (const auto at = own.find(&r); at != own.end()) return *at->second;
    if (!system) {
      system = plain();
      use_roots(*system);
      roots = {};
    }
    return *system;
  }
};

trust::trust() : all_(std::make_unique<contexts>()) {}
trust::~trust() = default;

std::string trust::load(const std::vector<route>& routes, const std::string& roots) {
  // Without the system's configuration file: it would be read late, when no file can be.
  if (!routes.empty()) (void)::OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  bool wants_roots = false;
  for (const route& r : routes) wants_roots = wants_roots || (r.tls && r.ca.empty());
  if (wants_roots && !roots.empty()) {
    if (all_->roots = read_file(roots.c_str()); all_->roots.empty())
      return fmt::format(
          "the TLS roots of SSL_CERT_FILE, {}, cannot be read; leave the variable out, or name another file",
          roots);
  } else if (wants_roots) {
    for (const char* const path : root_files)
      if (all_->roots = read_file(path); !all_->roots.empty()) break;
  }
  if (wants_roots && all_->roots.empty())
    return "this system has no file of TLS roots, such as /etc/ssl/certs/ca-certificates.crt; install "
           "ca-certificates, or name "
           "tls_ca";
  for (const route& r : routes) {
    if (!r.tls || (r.ca.empty() && r.certificate.empty())) continue;
    auto one = contexts::plain();
    error_code why;
    if (r.ca.empty())
      all_->use_roots(*one);
    else
      (void)one->add_certificate_authority(asio::buffer(r.ca), why);
    if (why)
      return fmt::format("the tls_ca of the route {} is no certificate in PEM: {}", r.prefix,
                         openssl_words());
    if (!r.certificate.empty()) {
      (void)one->use_certificate_chain(asio::buffer(r.certificate), why);
      if (!why)
        (void)one->use_private_key(asio::buffer(r.certificate_key.view().data(), r.certificate_key.size()),
                                   ssl::context::pem, why);
      if (why)
        return fmt::format("the tls_client_cert of the route {} and its key are no pair in PEM: {}", r.prefix,
                           openssl_words());
    }
    all_->own.emplace(&r, std::move(one));
  }
  return {};
}

struct connection::tls {
  ssl::stream<boost::beast::tcp_stream&> stream;
  std::function<void(std::string)> shaken;
};

connection::connection(asio::ip::tcp::socket socket) : tcp_(std::move(socket)) {}
connection::~connection() = default;

void connection::start_tls(trust& believed, const route& r, std::function<void(std::string)> f) {
  tls_.reset(new tls{ssl::stream<boost::beast::tcp_stream&>(tcp_, believed.all_->of(r)), std::move(f)});
  ::SSL* const handle = tls_->stream.native_handle();
  ::X509_VERIFY_PARAM* const wanted = ::SSL_get0_param(handle);
  ::X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool address = parse_address(r.host).has_value();
  const bool asked = (address ? ::X509_VERIFY_PARAM_set1_ip_asc(wanted, r.host.c_str())
                              : ::X509_VERIFY_PARAM_set1_host(wanted, r.host.c_str(), r.host.size())) == 1 &&
                     (address || ::SSL_set_tlsext_host_name(handle, r.host.c_str()) == 1);
  if (!asked) {
    asio::post(get_executor(), [this] { tls_->shaken("its name cannot be asked for"); });
    return;
  }
  tls_->stream.async_handshake(ssl::stream_base::client, [this](error_code why) {
    std::string words;
    if (why) {
      const long verified = ::SSL_get_verify_result(tls_->stream.native_handle());
      words = verified != X509_V_OK ? ::X509_verify_cert_error_string(verified) : why.message();
      ::ERR_clear_error();
    }
    std::exchange(tls_->shaken, nullptr)(std::move(words));
  });
}

void connection::read_tls(asio::mutable_buffer to, done f) { tls_->stream.async_read_some(to, std::move(f)); }

void connection::write_tls(asio::const_buffer from, done f) {
  tls_->stream.async_write_some(from, std::move(f));
}

bool connection::is_clean() const {
  return buffer.size() == 0 && (tls_ == nullptr || ::SSL_has_pending(tls_->stream.native_handle()) == 0);
}

std::unique_ptr<connection> connection_pool::take(std::string_view to) {
  const auto now = std::chrono::steady_clock::now();
  while (!all_.empty() && now - all_.front().since > kept_time) all_.pop_front();
  for (auto at = all_.rbegin(); at != all_.rend(); ++at) {
    if (at->to != to) continue;
    std::unique_ptr<connection> one = std::move(at->one);
    all_.erase(std::next(at).base());
    // One that can be read has been closed, or says what nobody asked for.
    error_code why;
    (void)one->tcp().socket().non_blocking(true, why);
    char byte = 0;
    (void)one->tcp().socket().receive(asio::buffer(&byte, 1), asio::ip::tcp::socket::message_peek, why);
    if (why == asio::error::would_block) return one;
    return take(to);
  }
  return nullptr;
}

void connection_pool::keep(std::string to, std::unique_ptr<connection> one) {
  if (!one->is_clean()) return;
  if (all_.size() >= most_kept) all_.pop_front();
  all_.push_back({std::move(to), std::move(one), std::chrono::steady_clock::now()});
}

}  // namespace nono::proxy
