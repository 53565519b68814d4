// SPDX-License-Identifier: Apache-2.0
// A variable of the environment for one test case.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace nono_test {

/// Sets a variable, or unsets it (null), until the scope ends.
class environment_variable {
 public:
  environment_variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;
  ~environment_variable() { set(old_ ? old_->c_str() : nullptr); }

 private:
  void set(const char* value) const {
    if (value != nullptr)
      setenv(name_, value, 1);
    else
      unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace nono_test
