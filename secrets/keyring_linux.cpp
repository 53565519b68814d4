// SPDX-License-Identifier: Apache-2.0
// The Secret Service (GNOME Keyring, KWallet, KeePassXC) by libsecret.
#ifdef __linux__

#include "secrets/keyring.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>

#include <sys/stat.h>

#include "secrets/libsecret.hpp"
#include "secrets/sentence.hpp"

namespace nono::secrets::keyring {

namespace {

/// Items are known by their attributes, whoever wrote them and under whatever schema: what secret-tool stores is found.
constexpr secret_schema schema = {"org.freedesktop.Secret.Generic",
                                  dont_match_name,
                                  {{"service", 0}, {"username", 0}, {"target", 0}},
                                  0,
                                  {}};
constexpr const char* our_target = "default";

/// Without a bus GLib would try to start one of its own, in which nobody holds any keys.
bool has_bus(std::string& why) {
  const char* const address = std::getenv("DBUS_SESSION_BUS_ADDRESS");
  if (address != nullptr && *address != '\0' && !std::string_view(address).starts_with("autolaunch:"))
    return true;
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  struct stat is{};
  if (runtime != nullptr && *runtime == '/' && ::stat((std::string(runtime) + "/bus").c_str(), &is) == 0)
    return true;
  why =
      "there is no session bus, on which it is reached (DBUS_SESSION_BUS_ADDRESS is unset); log in to a "
      "session, "
      "start nono below dbus-run-session, or name a secret of env:// or file://";
  return false;
}

class session {
 public:
  /// False, with a sentence.
  bool open(std::string& why) { return has_bus(why) && library_.open(why); }
  const libsecret* operator->() const { return &library_; }

  /// The sentence of an error of GLib's, which goes.
  std::string words_of(glib_error* wrong) const {
    if (wrong == nullptr) return "it gave no reason";
    std::string out = "it answers " + detail::quoted(wrong->message != nullptr ? wrong->message : "");
    library_.g_error_free(wrong);
    return out + "; see that a keyring runs on this session's bus and is unlocked";
  }

 private:
  libsecret library_{};
};

/// The items that a search gave.
class items {
 public:
  items(const session& with, glib_list* list) : with_(with), list_(list) {}
  items(const items&) = delete;
  items& operator=(const items&) = delete;
  ~items() {
    for (const glib_list* at = list_; at != nullptr; at = at->next) with_->g_object_unref(at->data);
    with_->g_list_free(list_);
  }

  /// Shows each one.
  template <class Each>
  void for_each(const Each& each) const {
    for (const glib_list* at = list_; at != nullptr; at = at->next)
      if (at->data != nullptr) each(at->data);
  }
  [[nodiscard]] bool any_locked() const {
    bool out = false;
    for_each([&](void* item) {
      if (with_->g_type_check_instance_is_a(item, with_->secret_item_get_type()) != 0)
        out = out || with_->secret_item_get_locked(item) != 0;
    });
    return out;
  }
  /// An attribute; empty where there is none.
  std::string attribute(void* item, const char* name) const {
    void* const table = with_->secret_retrievable_get_attributes(item);
    if (table == nullptr) return {};
    const auto* const value = static_cast<const char*>(with_->g_hash_table_lookup(table, name));
    std::string out = value != nullptr ? value : "";
    with_->g_hash_table_unref(table);
    return out;
  }
  /// The item that nono wrote, or that secret-tool wrote for it; of others', who set no target, the newest. Null: none.
  [[nodiscard]] void* best() const {
    void* out = nullptr;
    bool is_ours = false;
    std::uint64_t newest = 0;
    for_each([&](void* item) {
      const bool ours = attribute(item, "target") == our_target;
      const std::uint64_t modified = with_->secret_retrievable_get_modified(item);
      if (out != nullptr && (is_ours != ours ? is_ours : modified <= newest)) return;
      out = item;
      is_ours = ours;
      newest = modified;
    });
    return out;
  }

 private:
  const session& with_;
  glib_list* list_;
};

constexpr const char* locked =
    "it is locked, and was not unlocked; unlock it in your desktop's password manager, and try again";

answer checked(const items& found, void* one, std::string& why) {
  if (found.any_locked()) {
    why = locked;
    return answer::unreachable;
  }
  return one != nullptr ? answer::done : answer::absent;
}

}  // namespace

answer get(const char* service, const char* account, secret& value, std::string& why) {
  session with;
  if (!with.open(why)) return answer::unreachable;
  glib_error* wrong = nullptr;
  const items found(
      with, with->secret_password_search_sync(&schema, search_all | search_unlock | search_load, nullptr,
                                              &wrong, "service", service, "username", account, nullptr));
  if (wrong != nullptr) {
    why = with.words_of(wrong);
    return answer::unreachable;
  }
  void* const one = found.best();
  if (const answer is = checked(found, one, why); is != answer::done) return is;
  void* const held = with->secret_retrievable_retrieve_secret_sync(one, nullptr, &wrong);
  if (held == nullptr) {
    why = with.words_of(wrong);
    return answer::unreachable;
  }
  std::size_t size = 0;
  const char* const bytes = with->secret_value_get(held, &size);
  value = secret::copy_of({bytes, size});
  with->secret_value_unref(held);
  return answer::done;
}

answer set(const char* service, const char* account, const secret& value, std::string& why) {
  session with;
  if (!with.open(why)) return answer::unreachable;
  glib_error* wrong = nullptr;
  const std::string label = std::string(account) + " of " + service;
  // Without a schema, as secret-tool does: then each of the two replaces what the other wrote.
  void* const attributes = with->g_hash_table_new(with->g_str_hash, with->g_str_equal);
  const auto insert = [&](const char* name, const char* text) {
    (void)with->g_hash_table_insert(attributes, const_cast<char*>(name), const_cast<char*>(text));
  };
  insert("service", service);
  insert("username", account);
  insert("target", our_target);
  const bool stored = with->secret_password_storev_sync(nullptr, attributes, "default", label.c_str(),
                                                        value.view().data(), nullptr, &wrong) != 0;
  with->g_hash_table_unref(attributes);
  if (stored) return answer::done;
  why = with.words_of(wrong);
  return answer::unreachable;
}

answer remove(const char* service, const char* account, std::string& why) {
  session with;
  if (!with.open(why)) return answer::unreachable;
  glib_error* wrong = nullptr;
  const items found(
      with, with->secret_password_search_sync(&schema, search_all | search_unlock, nullptr, &wrong, "service",
                                              service, "username", account, nullptr));
  if (wrong != nullptr) {
    why = with.words_of(wrong);
    return answer::unreachable;
  }
  void* const one = found.best();
  if (const answer is = checked(found, one, why); is != answer::done) return is;
  // Ours alone, where there is one: what another program wrote without a target stays.
  const char* const target = found.attribute(one, "target") == our_target ? "target" : nullptr;
  if (with->secret_password_clear_sync(&schema, nullptr, &wrong, "service", service, "username", account,
                                       target, our_target, nullptr) != 0)
    return answer::done;
  why = with.words_of(wrong);
  return answer::unreachable;
}

answer list(const char* service, std::vector<std::string>& accounts, std::string& why) {
  session with;
  if (!with.open(why)) return answer::unreachable;
  glib_error* wrong = nullptr;
  const items found(with, with->secret_password_search_sync(&schema, search_all | search_unlock, nullptr,
                                                            &wrong, "service", service, nullptr));
  if (wrong != nullptr) {
    why = with.words_of(wrong);
    return answer::unreachable;
  }
  if (checked(found, nullptr, why) == answer::unreachable) return answer::unreachable;
  found.for_each([&](void* item) { accounts.push_back(found.attribute(item, "username")); });
  return answer::done;
}

}  // namespace nono::secrets::keyring

#endif
