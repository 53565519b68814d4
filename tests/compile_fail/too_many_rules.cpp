// expect-error: policy_has_more_rules_than_room
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps<2>().deny_path("/a").deny_path("/b").deny_path("/c");
#else
inline constexpr auto p = nono::caps<3>().deny_path("/a").deny_path("/b").deny_path("/c");
#endif
