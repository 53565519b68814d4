// expect-error: path_must_be_denied_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().deny_path("/data").deny_path("/data");
#else
inline constexpr auto p = nono::caps().deny_path("/data").deny_path("/data/secret");
#endif
