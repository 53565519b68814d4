// SPDX-License-Identifier: Apache-2.0
// What nono-keyring calls of libsecret and GLib, found when it runs: to build, their headers are not needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <dlfcn.h>

namespace nono::secrets::keyring {

// The layouts are part of those libraries' stable interfaces.
struct glib_error {
  std::uint32_t domain;
  int code;
  char* message;
};
struct glib_list {
  void* data;
  glib_list* next;
  glib_list* previous;
};
struct secret_schema_attribute {
  const char* name;
  int type;  // 0: a string
};
struct secret_schema {
  const char* name;
  int flags;
  secret_schema_attribute attributes[32];
  int reserved;
  void* more_reserved[7];
};

inline constexpr int dont_match_name = 1 << 1;  // SECRET_SCHEMA_DONT_MATCH_NAME
inline constexpr int search_all = 1 << 1;       // SECRET_SEARCH_ALL
inline constexpr int search_unlock = 1 << 2;    // SECRET_SEARCH_UNLOCK
inline constexpr int search_load = 1 << 3;      // SECRET_SEARCH_LOAD_SECRETS

/// Source: gnome.pages.gitlab.gnome.org/libsecret, docs.gtk.org/glib
struct libsecret {
  // secret_retrievable_* are there since libsecret 0.19 of 2019
  glib_list* (*secret_password_search_sync)(const secret_schema*, int flags, void* cancellable, glib_error**,
                                            ...);
  int (*secret_password_storev_sync)(const secret_schema*, void* attributes, const char* collection,
                                     const char* label, const char* password, void* cancellable,
                                     glib_error**);
  int (*secret_password_clear_sync)(const secret_schema*, void* cancellable, glib_error**, ...);
  void* (*secret_retrievable_get_attributes)(void* item);
  std::uint64_t (*secret_retrievable_get_modified)(void* item);
  void* (*secret_retrievable_retrieve_secret_sync)(void* item, void* cancellable, glib_error**);
  std::size_t (*secret_item_get_type)();
  int (*secret_item_get_locked)(void* item);
  const char* (*secret_value_get)(void* value, std::size_t* length);
  void (*secret_value_unref)(void* value);
  unsigned (*g_str_hash)(const void* text);
  int (*g_str_equal)(const void* a, const void* b);
  void* (*g_hash_table_new)(unsigned (*hash)(const void*), int (*equal)(const void*, const void*));
  int (*g_hash_table_insert)(void* table, void* key, void* value);
  void* (*g_hash_table_lookup)(void* table, const void* key);
  void (*g_hash_table_unref)(void* table);
  int (*g_type_check_instance_is_a)(void* instance, std::size_t type);
  void (*g_error_free)(glib_error*);
  void (*g_list_free)(glib_list*);
  void (*g_object_unref)(void* object);

  /// False, with a sentence, where it is not there or too old.
  bool open(std::string& why) {
    void* const library = ::dlopen("libsecret-1.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      why =
          "libsecret-1.so.0 is not on this system; install it (libsecret-1-0, libsecret), or name a secret "
          "of "
          "env:// or file://";
      return false;
    }
    // GLib is what libsecret itself brought along, so its handle finds both.
    const char* lacking = nullptr;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
      if (function == nullptr) lacking = name;
    };
    find(secret_password_search_sync, "secret_password_search_sync");
    find(secret_password_storev_sync, "secret_password_storev_sync");
    find(secret_password_clear_sync, "secret_password_clear_sync");
    find(secret_retrievable_get_attributes, "secret_retrievable_get_attributes");
    find(secret_retrievable_get_modified, "secret_retrievable_get_modified");
    find(secret_retrievable_retrieve_secret_sync, "secret_retrievable_retrieve_secret_sync");
    find(secret_item_get_type, "secret_item_get_type");
    find(secret_item_get_locked, "secret_item_get_locked");
    find(secret_value_get, "secret_value_get");
    find(secret_value_unref, "secret_value_unref");
    find(g_str_hash, "g_str_hash");
    find(g_str_equal, "g_str_equal");
    find(g_hash_table_new, "g_hash_table_new");
    find(g_hash_table_insert, "g_hash_table_insert");
    find(g_hash_table_lookup, "g_hash_table_lookup");
    find(g_hash_table_unref, "g_hash_table_unref");
    find(g_type_check_instance_is_a, "g_type_check_instance_is_a");
    find(g_error_free, "g_error_free");
    find(g_list_free, "g_list_free");
    find(g_object_unref, "g_object_unref");
    if (lacking == nullptr) return true;
    why = std::string("the libsecret of this system has no ") + lacking + "; install libsecret 0.19 or newer";
    return false;
  }
};

}  // namespace nono::secrets::keyring
