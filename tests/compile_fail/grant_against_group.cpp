// expect-error: grant_lies_in_a_denied_path
#include <nono/caps.hpp>
#include <nono/groups.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p =
    nono::caps().group(nono::groups::deny_credentials).allow_path<nono::read>("$HOME/.ssh/keys");
#else
inline constexpr auto p =
    nono::caps().group(nono::groups::deny_credentials).allow_path<nono::read>("$HOME/.sshd");
#endif
