// SPDX-License-Identifier: Apache-2.0
// What system calls ask of Seatbelt, as a list of operations that must all be allowed. Source, where nothing else is
// said: the hooks in XNU's published sources (bsd/kern, security/mac_vfs.c) and the operations that "Apple's Sandbox
// Guide" v1.0 names for them; the pairing itself is [inferred], and was not seen on a Mac.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nono/macos/model.hpp>
#include <nono/question.hpp>
#include <nono/resolve.hpp>

#include "reader.hpp"

namespace sbpl {

/// The name by which the kernel knows a file: the links at the root are followed, at the end only where a call does.
inline std::string kernel_name(std::string_view path, bool follow) {
  for (const char* link : {"/etc", "/tmp", "/var"}) {
    const std::string_view l(link);
    if (path.starts_with(l) && (path.size() == l.size() ? follow : path[l.size()] == '/'))
      return "/private" + std::string(path);
  }
  return std::string(path);
}

inline std::vector<action> actions_of(const nono::seatbelt::question& q, bool raw = false) {
  using op = nono::operation;
  std::vector<action> out;
  const nono::operation_row& row = nono::row_of(q.what);
  const std::string type = q.type == nono::file_type::directory ? "DIRECTORY" : "REGULAR-FILE";
  const std::string at = raw ? std::string(q.path) : kernel_name(q.path, row.follow);
  const std::string to = raw ? std::string(q.to) : kernel_name(q.to, false);
  const auto file = [&](const char* operation, const std::string& path) {
    action a;
    a.operation = operation;
    a.path = path;
    a.type = type;
    out.push_back(a);
  };
  const auto address = [&](const char* operation, const char* kind, const char* host, int port) {
    action a;
    a.operation = operation;
    a.kind = kind;
    a.host = host;
    a.port = port;
    out.push_back(a);
  };
  switch (q.what) {
    case op::open_read:
    case op::list:
      file("file-read-data", at);
      break;
    case op::open_read_write:
      file("file-read-data", at);
      [[fallthrough]];
    case op::open_write:
    case op::truncate:
      file("file-write-data", at);
      break;
    case op::create:
    case op::overwrite:
      if (!q.exists) file("file-write-create", at);
      file("file-write-data", at);
      break;
    case op::execute:
      file("process-exec", at);
      break;
    case op::ioctl:
      file("file-read-data", at);
      file("file-ioctl", at);
      break;
    case op::connect_unix:
      file("network-outbound", at);
      out.back().kind = "unix-socket";
      break;
    case op::stat:
      file("file-read-metadata", at);
      break;
    case op::chmod:
      file("file-write-mode", at);
      break;
    case op::mkdir:
    case op::mkfifo:
    case op::mksock:
    case op::mkdev:
    case op::symlink:
      file("file-write-create", at);
      break;
    case op::bind_unix:
      file("file-write-create", at);
      file("network-bind", at);
      out.back().kind = "unix-socket";
      break;
    case op::unlink:
    case op::rmdir:
      file("file-write-unlink", at);
      break;
    case op::exchange:
      file("file-write-unlink", to);
      file("file-write-create", at);
      [[fallthrough]];
    case op::rename:
      file("file-write-unlink", at);
      file("file-write-create", to);
      if (q.to_exists) file("file-write-unlink", to);
      break;
    case op::link:
      file("file-link", at);
      file("file-write-create", to);
      break;
    case op::connect_tcp:
      address("network-outbound", "tcp", q.local ? "localhost" : "192.0.2.1", q.port);
      break;
    case op::bind_tcp:
      address("network-bind", "tcp", "localhost", q.port);
      break;
    case op::udp:
      address("network-outbound", "udp", "192.0.2.1", 9);
      break;
    case op::connect_abstract:
      break;  // there are none: see asks_nothing()
    case op::signal:
      out.push_back({});
      out.back().operation = "signal";
      out.back().target = "others";
      break;
  }
  return out;
}

inline bool allows(const profile& p, const nono::seatbelt::question& q, bool raw = false) {
  const auto actions = actions_of(q, raw);
  if (actions.empty()) return false;
  for (const action& a : actions)
    if (!p.allows(a)) return false;
  return true;
}

}  // namespace sbpl
