// SPDX-License-Identifier: Apache-2.0
// A route: what is asked of the proxy itself below `/PREFIX/` goes to one server, with a key that the client never has. The
// client shows a token in the key's place; a stolen token is of no use outside this run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/endpoint.hpp"
#include "proxy/target.hpp"
#include "secrets/secret.hpp"

namespace nono::proxy {

/// Where a credential stands in a request.
struct credential_place {
  enum class kind : std::uint8_t { header, path, query, basic };
  kind where = kind::header;
  std::string name;    ///< of the header, or of the query parameter
  std::string format;  ///< of the header's value, or a piece of the path; `{}` stands for the credential
};

struct route {
  std::string prefix;  ///< one segment, without slashes
  std::string token;   ///< 64 lower-case hexadecimal digits
  bool tls = true;
  std::string host;  ///< a name or a canonical address
  std::uint16_t port = 0;
  std::string
      base;  ///< what the server's paths begin with; empty, or begins with a slash and does not end with one
  credential_place shown;      ///< how the client shows its token
  credential_place sent;       ///< how the server gets the key
  std::string variable;        ///< by which the client knows the route: OPENAI_BASE_URL
  std::vector<endpoint> deny;  ///< is looked at first
  std::vector<endpoint> allow;
  bool allows_rest = true;  ///< what no rule speaks of
  std::string ca;           ///< PEM; empty: the system's roots
  std::string certificate;  ///< PEM, of ours; empty: none
  bool has_certificate_key = false;
  secrets::secret certificate_key;  ///< PEM
  std::string missing;              ///< why there is no key, as a sentence; empty: there is one
  secrets::secret key;
  secrets::secret key_sent;  ///< as it stands in a request: encoded for its place

  [[nodiscard]] bool judges_requests() const { return !allows_rest || !deny.empty() || !allow.empty(); }
  [[nodiscard]] target server() const;
  /// host, and the port where it is not the scheme's own.
  [[nodiscard]] std::string authority() const { return server().authority(tls ? 443 : 80); }
};

/// As profiles and the audit say it: header, url_path, query_param, basic_auth.
std::string_view name_of(credential_place::kind k);

/// The route of a request's target, and what follows its prefix in `rest` (begins with a slash); null: none.
const route* find_route(const std::vector<route>& routes, std::string_view target, std::string& rest);

/// May this be asked? path: in normal form. Denies come first, then allows, then the rest.
verdict judge(const route& r, std::string_view method, std::string_view path);

/// True when the token is shown where the route wants it; then `rest` is without it. header: the value of that header.
/// Where the token stands in the path, its place is marked for target_of() by a zero byte.
bool take_token(const route& r, std::string_view header, std::string& rest);

/// The server's target, with a zero byte where the key goes if it goes there.
std::string target_of(const route& r, std::string_view rest);
/// The value of the header that carries the key, with a zero byte for it; empty: none does.
std::string header_value_of(const route& r);

/// `text` with the key in place of its zero byte.
secrets::secret with_key(const route& r, std::string_view text);

/// Encodes the key for its place. What is wrong with it, as the end of a sentence; empty: nothing.
std::string_view prepare_key(route& r);

/// Takes a server's bytes and gives them on without the keys: each byte of a key becomes `*`, so that lengths stay. Only the
/// end of a piece that could be the beginning of a key waits for the next.
class scrubber {
 public:
  /// r stays alive.
  explicit scrubber(const route& r) : route_(r) {}
  /// What goes on now, valid until the next call. last: nothing more comes, so nothing waits.
  std::string_view pass(std::string_view piece, bool last);
  /// The same of a whole text.
  static void clean(const route& r, std::string& text);

 private:
  const route& route_;
  std::string text_;
  std::size_t given_ = 0;
};

}  // namespace nono::proxy
