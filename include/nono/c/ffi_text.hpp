// SPDX-License-Identifier: Apache-2.0
// Text on its way in and out of the C interface, and what a thread's last failure was.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <nono/error.hpp>
#include <nono/json/writer.hpp>

#include <nono/c/nono.h>

namespace nono::c {

/// The three slots of a thread.
struct last_failure {
  std::optional<std::string> message;
  std::optional<NonoDiagnosticCode> code;
  std::optional<std::string> remediation;
};
inline last_failure& failure_of_this_thread() noexcept {
  thread_local last_failure slots;
  return slots;
}

/// A failure of the arguments: only the message changes.
inline NonoErrorCode bad_argument(std::string message) {
  failure_of_this_thread().message = std::move(message);
  return NONO_ERROR_CODE_ERR_INVALID_ARG;
}

/// A failure of what was asked.
inline NonoErrorCode failed(NonoErrorCode code, std::string message,
                            NonoDiagnosticCode kind = NONO_DIAGNOSTIC_CODE_OTHER,
                            std::optional<std::string> remediation = {}) {
  failure_of_this_thread() = {std::move(message), kind, std::move(remediation)};
  return code;
}
inline void failed_configuration(std::string message) {
  (void)failed(NONO_ERROR_CODE_ERR_CONFIG_PARSE, std::move(message), NONO_DIAGNOSTIC_CODE_CONFIGURATION_ERROR,
               R"({"kind":"check_policy"})");
}
inline NonoErrorCode failed_sandbox(std::string_view detail) {
  return failed(NONO_ERROR_CODE_ERR_SANDBOX_INIT,
                std::string("Sandbox initialization failed: ").append(detail),
                NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_PATH);
}

/// What the caller gave, or nothing for NULL and for what is no UTF-8.
inline std::optional<std::string_view> text_of(const char* given) noexcept {
  if (given == nullptr || !detail::is_utf8(given)) return std::nullopt;
  return std::string_view(given);
}

/// `text` with U+FFFD for each byte that belongs to no UTF-8 sequence.
inline std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t n = detail::utf8_sequence(text);
    out += n == 0 ? "\xef\xbf\xbd" : text.substr(0, n);
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

/// A copy for the caller, who frees it with nono_string_free(); NULL, with a message, where it holds a NUL.
inline char* given_away(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    (void)bad_argument("the text contains a NUL byte");
    return nullptr;
  }
  auto* const out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out == nullptr) std::abort();
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return out;
}

}  // namespace nono::c
