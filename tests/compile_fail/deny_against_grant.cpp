// expect-error: grant_holds_a_denied_path
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data").deny_path("/data/secret");
#else
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data").deny_path("/secret");
#endif
