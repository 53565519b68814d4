// expect-error: grant_holds_a_denied_path
#include <nono/caps.hpp>
#include <nono/groups.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("$HOME").group(nono::groups::deny_credentials);
#else
inline constexpr auto p =
    nono::caps().allow_path<nono::read>("$HOME/src").group(nono::groups::deny_credentials);
#endif
