// SPDX-License-Identifier: Apache-2.0
// The login keychain of macOS, as generic passwords. Written, not yet seen on a Mac.
#ifdef __APPLE__

#include "secrets/keyring.hpp"

#include <CoreFoundation/CoreFoundation.h>
#include <Security/Security.h>

namespace nono::secrets::keyring {

namespace {

/// Releases what Core Foundation gave.
template <class Type>
class owned {
 public:
  explicit owned(Type object) : object_(object) {}
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  ~owned() {
    if (object_ != nullptr) ::CFRelease(object_);
  }
  [[nodiscard]] Type get() const { return object_; }

 private:
  Type object_;
};

CFStringRef text_of(const char* text) {
  return ::CFStringCreateWithCString(kCFAllocatorDefault, text, kCFStringEncodingUTF8);
}

/// A query for the generic passwords of a service, of one account if that is given.
CFMutableDictionaryRef query_of(const char* service, const char* account) {
  CFMutableDictionaryRef const out = ::CFDictionaryCreateMutable(
      kCFAllocatorDefault, 0, &kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
  ::CFDictionarySetValue(out, kSecClass, kSecClassGenericPassword);
  const owned<CFStringRef> of(text_of(service));
  ::CFDictionarySetValue(out, kSecAttrService, of.get());
  if (account == nullptr) return out;
  const owned<CFStringRef> name(text_of(account));
  ::CFDictionarySetValue(out, kSecAttrAccount, name.get());
  return out;
}

answer of_status(OSStatus status, std::string& why) {
  if (status == errSecSuccess) return answer::done;
  if (status == errSecItemNotFound) return answer::absent;
  why = "the keychain answers " + std::to_string(status) + "; unlock it, or allow nono-keyring to use it";
  return answer::unreachable;
}

}  // namespace

answer get(const char* service, const char* account, secret& value, std::string& why) {
  const owned<CFMutableDictionaryRef> query(query_of(service, account));
  ::CFDictionarySetValue(query.get(), kSecReturnData, kCFBooleanTrue);
  CFTypeRef found = nullptr;
  const answer is = of_status(::SecItemCopyMatching(query.get(), &found), why);
  if (is != answer::done) return is;
  const owned<CFDataRef> data(static_cast<CFDataRef>(found));
  value = secret::copy_of({reinterpret_cast<const char*>(::CFDataGetBytePtr(data.get())),
                           static_cast<std::size_t>(::CFDataGetLength(data.get()))});
  return answer::done;
}

answer set(const char* service, const char* account, const secret& value, std::string& why) {
  const owned<CFMutableDictionaryRef> query(query_of(service, account));
  const owned<CFDataRef> data(
      ::CFDataCreateWithBytesNoCopy(kCFAllocatorDefault, reinterpret_cast<const UInt8*>(value.view().data()),
                                    static_cast<CFIndex>(value.size() - 1), kCFAllocatorNull));
  const void* keys[] = {kSecValueData};
  const void* values[] = {data.get()};
  const owned<CFDictionaryRef> change(::CFDictionaryCreate(kCFAllocatorDefault, keys, values, 1,
                                                           &kCFTypeDictionaryKeyCallBacks,
                                                           &kCFTypeDictionaryValueCallBacks));
  const OSStatus status = ::SecItemUpdate(query.get(), change.get());
  if (status != errSecItemNotFound) return of_status(status, why);
  ::CFDictionarySetValue(query.get(), kSecValueData, data.get());
  return of_status(::SecItemAdd(query.get(), nullptr), why);
}

answer remove(const char* service, const char* account, std::string& why) {
  const owned<CFMutableDictionaryRef> query(query_of(service, account));
  return of_status(::SecItemDelete(query.get()), why);
}

answer list(const char* service, std::vector<std::string>& accounts, std::string& why) {
  const owned<CFMutableDictionaryRef> query(query_of(service, nullptr));
  ::CFDictionarySetValue(query.get(), kSecReturnAttributes, kCFBooleanTrue);
  ::CFDictionarySetValue(query.get(), kSecMatchLimit, kSecMatchLimitAll);
  CFTypeRef found = nullptr;
  const answer is = of_status(::SecItemCopyMatching(query.get(), &found), why);
  if (is == answer::absent) return answer::done;
  if (is != answer::done) return is;
  const owned<CFArrayRef> all(static_cast<CFArrayRef>(found));
  for (CFIndex i = 0; i < ::CFArrayGetCount(all.get()); ++i) {
    const auto* const one = static_cast<CFDictionaryRef>(::CFArrayGetValueAtIndex(all.get(), i));
    const auto* const name = static_cast<CFStringRef>(::CFDictionaryGetValue(one, kSecAttrAccount));
    char text[1024];
    if (name != nullptr && ::CFStringGetCString(name, text, sizeof text, kCFStringEncodingUTF8))
      accounts.emplace_back(text);
  }
  return answer::done;
}

}  // namespace nono::secrets::keyring

#endif
