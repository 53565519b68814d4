// expect-error: grant_holds_a_denied_path
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().deny_path("/data/secret").allow_path<nono::read>("/");
#else
inline constexpr auto p = nono::caps().deny_path("/data/secret").allow_path<nono::read>("/data/open");
#endif
