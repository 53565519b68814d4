// SPDX-License-Identifier: Apache-2.0
// What the user asked for on the command line of `run` and `wrap`, and the context of `why`, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nono::cli {

struct run_options {
  // Grants. Relative paths are below the current directory.
  std::vector<std::string> allow, read, write;
  std::vector<std::string> allow_file, read_file, write_file;
  std::vector<std::string> unix_socket, unix_socket_bind;
  std::vector<std::string> unix_socket_dir, unix_socket_dir_bind;
  std::vector<std::string> unix_socket_subtree, unix_socket_subtree_bind;
  bool allow_cwd = false;
  std::string workdir;                                    ///< empty: the current directory
  std::string profile;                                    ///< empty: the default groups
  std::vector<std::string> extends;                       ///< bases put in front of those of the profile
  std::vector<std::string> bypass_protection;             ///< denied paths that are granted on purpose
  std::vector<std::string> allow_command, block_command;  ///< the check of the command's name
  bool block_net = false;
  bool allow_net = false;
  std::string network_profile;            ///< hosts by the name of what they are for
  std::vector<std::string> allow_domain;  ///< hosts, patterns, addresses, URLs, groups
  std::string upstream_proxy;             ///< HOST:PORT
  std::vector<std::string> upstream_bypass;
  std::vector<std::string> credential;      ///< services whose key the proxy adds
  std::vector<std::string> allow_endpoint;  ///< SERVICE:METHOD:/path
  std::vector<std::string> env_credential;  ///< secrets that the command is given, by name or NAME=VARIABLE
  std::vector<std::pair<std::string, std::string>>
      env_credential_map;      ///< the same, as reference and variable
  bool strip_secrets = false;  ///< variables that look like keys are not inherited
  std::uint16_t proxy_port = 0;
  std::vector<std::uint16_t> listen_port, open_port, connect_port;
  std::string sandbox_policy = "auto";  ///< how hosts are filtered: auto, namespace, landlock
  bool audit = true;                    ///< decisions about hosts are kept in a file
  bool auto_groups = true;              ///< a known tool brings its runtime's group along
  bool strict = false;
  bool diagnostics = true;  ///< the footer after a failure
  bool dry_run = false;
  bool silent = false;
  int verbose = 0;
  std::optional<std::string> report;  ///< a file for what is enforced
  std::vector<std::string> command;
  std::vector<std::string> warnings;  ///< about the words and variables themselves
  bool no_child = false;              ///< `wrap`: nothing can filter hosts
  bool needs_command = true;          ///< false: only asked about, with or without one
};

}  // namespace nono::cli
