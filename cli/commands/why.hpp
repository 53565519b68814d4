// SPDX-License-Identifier: Apache-2.0
// `nono why`: would a sandbox allow it, by which rule, and what would change the answer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nono/explain.hpp>
#include <nono/place.hpp>
#include <nono/question.hpp>

#include "cli/resolve/advice.hpp"
#include "cli/resolve/options.hpp"
#include "cli/resolve/sandbox.hpp"

namespace nono::cli {

struct why_options {
  std::vector<std::string> paths, operations, to;  ///< one of each at most; more is a mistake to be named
  std::optional<unsigned> connect_tcp, bind_tcp;
  std::optional<std::string> host;  ///< or a URL
  std::optional<unsigned> port;     ///< of the host
  std::optional<std::string> scope;
  bool self = false;  ///< the sandbox that this process is in
  bool json = false;
  bool tree = false;
  run_options context;  ///< with or without a command
};

/// What the kernel did when the same was tried.
enum class trial : std::uint8_t { none, allowed, denied };

/// One question with its answer and all that is said about it.
struct answer {
  operation what{};
  std::string path, to;  ///< absolute, as asked
  std::uint16_t port = 0;
  std::string host;  ///< of a question about one
  decision is;
  std::array<place, 2> found;
  explanation why;
  advice remedy;
  std::string reason;                      ///< one of the words of the JSON form
  std::string details;                     ///< one sentence
  std::vector<suggested_grant> grants;     ///< what the remedy's flags would give
  const bound_rule* closest = nullptr;     ///< a grant that covers it and does not suffice
  const bound_rule* granted_by = nullptr;  ///< the nearest one that allows it
  trial tried = trial::none;               ///< of --self
  bool by_proxy = false;                   ///< of a host by name: the words are there already

  [[nodiscard]] question asked() const { return {what, path, to, port}; }
};

/// The names of all operations, for messages and --help.
std::string operation_names();

/// What is wrong with the options, in one sentence; empty if nothing is.
std::string check(const why_options& options);

/// Answers on standard output. The exit code: 1 when there is no answer.
int why(const why_options& options);

/// An answer in JSON, with a line end.
std::string to_json(const answer& a);

/// The answer about a scope: a protection by the name of the kernel's flag.
struct scope_answer {
  std::string_view scope;
  std::string_view state;  ///< enforced, not_requested or not_supported
  bool requested = false, enforced = false, supported = false;
  int kernel_abi = 0;  ///< Landlock's, as the kernel tells it
  std::string details;
};
std::string to_json(const scope_answer& a);

/// Of --self where nothing confines this process that nono knows of.
std::string not_sandboxed_json(std::string_view message);

/// Grants as a profile spells them, on one line: `{"filesystem":{"read_file":["/srv/a"]}}`.
std::string in_profile(const std::vector<suggested_grant>& grants);

/// The name of a number of errno, such as EACCES; empty if it has none here.
std::string_view errno_name(int number);

}  // namespace nono::cli
