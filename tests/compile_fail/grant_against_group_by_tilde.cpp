// expect-error: deny_contradicts_grant
#include <nono/caps.hpp>
#include <nono/groups.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p =
    nono::caps().group(nono::groups::deny_credentials).allow_path<nono::read>("~/.ssh/keys");
#else
inline constexpr auto p =
    nono::caps().group(nono::groups::deny_credentials).allow_path<nono::read>("~/.sshd");
#endif
