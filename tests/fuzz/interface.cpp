// SPDX-License-Identifier: Apache-2.0
// Any bytes as a sequence of calls of the C interface: handles that are null, texts that are none, numbers out of range. What
// takes part must neither crash nor leak, and an error always has words. Nothing here confines.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <nono/c/nono_ffi.hpp>

namespace {

class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
  [[nodiscard]] bool empty() const { return left_ == 0; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *at_++;
  }
  std::uint32_t number() {
    constexpr std::uint32_t some[] = {0, 1, 2, 3, 31, 80, 65535, UINT32_MAX};
    const std::uint8_t b = byte();
    return b < 8 ? some[b] : b;
  }
  /// NULL, a path that is there, or a text of the input's own.
  const char* text() {
    static const char* const known[] = {
        nullptr,       "",    "/",          "/usr",           "/usr/bin/env", "/dev/null",
        "/etc/passwd", "usr", "/none/../x", "read_file|list", "(version 1)",  "network"};
    const std::uint8_t b = byte();
    if (b < sizeof known / sizeof *known) return known[b];
    std::string own;
    for (std::size_t n = byte(); n > 0 && left_ > 0; --n) own += static_cast<char>(byte());
    kept_.push_back(own);
    return kept_.back().c_str();
  }

 private:
  const std::uint8_t* at_;
  std::size_t left_;
  std::vector<std::string> kept_ = [] {
    std::vector<std::string> v;
    v.reserve(4096);
    return v;
  }();
};

void taken(char* text) { nono_string_free(text); }
/// A call that failed has words.
void came_to(NonoErrorCode code) {
  if (code == NONO_ERROR_CODE_OK) return;
  char* const why = nono_last_error();
  if (why == nullptr || *why == '\0') std::abort();
  nono_string_free(why);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2048) return 0;
  input in(data, size);
  NonoCapabilitySet* caps = nono_capability_set_new();
  NonoQueryContext* ctx = nullptr;
  NonoSandboxState* state = nullptr;
  while (!in.empty()) {
    const std::uint8_t what = in.byte();
    NonoCapabilitySet* const c = (what & 0x80U) != 0 ? nullptr : caps;
    switch (what & 0x3fU) {
      case 0:
        came_to(nono_capability_set_allow_path(c, in.text(), in.number()));
        break;
      case 1:
        came_to(nono_capability_set_allow_file(c, in.text(), in.number()));
        break;
      case 2: {
        const char* path = in.text();
        came_to(nono_capability_set_allow_rights(c, path, in.text()));
        break;
      }
      case 3:
        came_to(nono_capability_set_deny_path(c, in.text()));
        break;
      case 4:
        came_to(nono_capability_set_set_network_mode(c, in.number()));
        break;
      case 5:
        came_to(nono_capability_set_set_proxy_port(c, static_cast<std::uint16_t>(in.number())));
        break;
      case 6: {
        const std::uint32_t use = in.number();
        came_to(nono_capability_set_allow_port(c, use, static_cast<std::uint16_t>(in.number())));
        break;
      }
      case 7:
        came_to(nono_capability_set_allow_command(c, in.text()));
        break;
      case 8:
        came_to(nono_capability_set_block_command(c, in.text()));
        break;
      case 9:
        came_to(nono_capability_set_add_platform_rule(c, in.text()));
        break;
      case 10:
        came_to(nono_capability_set_best_effort(c, in.text()));
        break;
      case 11:
        came_to(nono_capability_set_lift(c, in.text()));
        break;
      case 12:
        came_to(nono_capability_set_set_strict(c, in.byte() != 0));
        break;
      case 13:
        nono_capability_set_deduplicate(c);
        break;
      case 14:
        (void)nono_capability_set_path_covered(c, in.text());
        break;
      case 15:
        taken(nono_capability_set_summary(c));
        break;
      case 16: {
        const std::uintptr_t i = in.number() == UINT32_MAX ? UINTPTR_MAX : in.number();
        taken(nono_capability_set_fs_original(c, i));
        taken(nono_capability_set_fs_resolved(c, i));
        taken(nono_capability_set_fs_rights(c, i));
        taken(nono_capability_set_fs_source_group_name(c, i));
        taken(nono_capability_set_deny_path_at(c, i));
        (void)nono_capability_set_fs_access(c, i);
        (void)nono_capability_set_fs_source_tag(c, i);
        (void)nono_capability_set_fs_is_file(c, i);
        break;
      }
      case 17: {
        std::uintptr_t n = 99;
        NonoFsCapability* const list = nono_capability_set_fs_list(c, &n);
        for (std::uintptr_t i = 0; i < n; ++i)
          if (std::strlen(list[i].original) + std::strlen(list[i].resolved) + std::strlen(list[i].rights) ==
              0)
            std::abort();
        nono_fs_list_free(list);
        break;
      }
      case 18:
        nono_query_context_free(ctx);
        ctx = nono_query_context_new(c);
        break;
      case 19: {
        NonoQueryResult r{};
        const char* const path = in.text();
        const NonoErrorCode code =
            nono_query_context_query_path(ctx, path, in.number(), (what & 0x40U) != 0 ? nullptr : &r);
        came_to(code);
        for (char* text : {r.granted_path, r.access, r.granted, r.requested}) taken(text);
        break;
      }
      case 20: {
        NonoQueryResult r{};
        came_to(nono_query_context_query_network(ctx, &r));
        break;
      }
      case 21: {
        const char* path = in.text();
        taken(nono_query_context_explain(ctx, path, in.number()));
        break;
      }
      case 22:
        nono_sandbox_state_free(state);
        state = nono_sandbox_state_from_caps(c);
        break;
      case 23: {
        char* const json = nono_sandbox_state_to_json(state);
        if (json == nullptr) break;
        NonoSandboxState* const again = nono_sandbox_state_from_json(json);
        char* const twice = again == nullptr ? nullptr : nono_sandbox_state_to_json(again);
        if (twice == nullptr || std::strcmp(json, twice) != 0) std::abort();
        nono_sandbox_state_free(again);
        taken(twice);
        taken(json);
        break;
      }
      case 24:
        nono_sandbox_state_free(state);
        state = nono_sandbox_state_from_json(in.text());
        break;
      case 25: {
        NonoCapabilitySet* const restored = nono_sandbox_state_to_caps(state);
        if (restored != nullptr) {
          nono_capability_set_free(caps);
          caps = restored;
        }
        break;
      }
      case 26: {
        const char* a = in.text();
        const char* b = in.text();
        taken(nono_session_diagnostic_report_to_json(1, a, b, in.text()));
        break;
      }
      case 27: {
        const char* a = in.text();
        taken(nono_merge_diagnostic_report_json(a, in.text()));
        break;
      }
      case 28:
        nono_clear_error();
        break;
      case 29:
        taken(nono_last_error());
        taken(nono_last_remediation_json());
        (void)nono_last_diagnostic_code();
        break;
      case 30: {
        int a = -1;
        int b = -1;
        came_to(nono_sandbox_prepare(c, (what & 0x40U) != 0 ? nullptr : &a, &b));
        if (a >= 0) ::close(a);
        if (b >= 0) ::close(b);
        break;
      }
      default:
        (void)nono_capability_set_proxy_port(c);
        break;
    }
  }
  nono_query_context_free(ctx);
  nono_sandbox_state_free(state);
  nono_capability_set_free(caps);
  return 0;
}
